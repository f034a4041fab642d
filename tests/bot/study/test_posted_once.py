"""What a participant is told is there once: while answers of Slack are lost, and after the bot was killed."""

import threading
from collections import Counter

from sqlalchemy.exc import OperationalError

from bot.sandbox.state.faults import Faults
from storage.schema.states import NoticeKind
from storage.transitions import notices
from tests.bot.conftest import PATIENCE
from tests.bot.scripted_workers import ScriptedWorkers
from training.trial import Ending


def posted(person):
    """How often each text of the bot is in the conversation and its threads."""
    return Counter(each.text for each in person.messages() if each.bot)


def test_while_every_answer_to_a_post_is_lost_everything_is_there_once(open_house):
    house, workers = open_house(start=False, slots=1), ScriptedWorkers()
    house.open(workers)
    workers.ready()
    house.workspace.misbehave(Faults(method="chat.postMessage", lost_answers=1))
    person = house.seated("Is told once")
    house.submit(person, Epochs="50")
    person.wait_for("training, epoch", PATIENCE)
    workers.end(Ending.COMPLETE, 61.2)
    person.wait_for("validation accuracy 61.2", PATIENCE)
    person.wait_until(lambda: not notices.pending(house.store), PATIENCE)
    told = posted(person)
    assert max(told.values()) == 1, told
    assert len(told) >= 5  # the greeting, the background, the briefing, the root of the session, the trial, its result


def test_a_notice_that_was_posted_when_the_bot_was_killed_is_not_posted_again(open_house, monkeypatch):
    house = open_house(start=False)
    house.open(ScriptedWorkers())
    works, failed = notices.done, threading.Event()

    def killed(*_):
        failed.set()
        raise OperationalError("DELETE", {}, Exception("the disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(notices, "done", killed)
        person = house.newcomer("Greeted")
        person.open_home()
        person.wait_for("I agree", PATIENCE)
        assert failed.wait(PATIENCE)
        house.close()
    assert notices.done is works
    assert [each.kind for each in notices.pending(house.store)] == [NoticeKind.GREETING]
    house.open(ScriptedWorkers())
    person.wait_until(lambda: not notices.pending(house.store), PATIENCE)
    assert set(posted(person).values()) == {1}
