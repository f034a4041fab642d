"""More people than seats: they join the queue, are called in its order, and their time starts when they press Start."""

import pytest

from storage.schema.states import SessionState
from tests.bot.researcher.asking import ask, text_of


def press_start(person, task=None):
    """Press Start, and get the time of what was said before."""
    said = person.messages()[-1].ts
    person.press(task or person.wait_for(lambda message: "Start" in message.buttons), "Start")
    return said


@pytest.fixture
def narrow(open_house):
    return open_house(slots=1)


def test_a_participant_without_a_seat_joins_the_queue_and_is_called_when_one_is_free(narrow, repost):
    first, second, third = (narrow.described(name) for name in ("First", "Second", "Third"))
    task = third.wait_for("Your task")
    press_start(first)
    first.wait_for_modal("New configuration")

    press_start(second)
    assert "you are next. I will write to you" in second.wait_for("You are in the queue now").text
    press_start(third)
    third.wait_for("1 person is before you")
    second.wait_until(lambda: not [each for each in second.messages() if "Start" in each.buttons], 30)
    second.wait_for("you are next", after=second.say("start"))
    assert second.modal() is third.modal() is None

    first.fill({"Epochs": "1", "Batch size": "512", "Loss function": "L1 loss", "Optimizer": "SGD"})
    narrow.wait_for_fields(first, "SGD")
    first.submit()
    narrow.trial(first, 1, "validation accuracy")
    narrow.finish(first)

    called = second.wait_for("A place is free now", 30)
    old = repost(narrow, third, task)  # on a phone that was offline
    third.wait_for("1 person is before you", after=press_start(third, old))  # the seat is kept for the second
    second.press(called, "Start")
    second.wait_for_modal("New configuration")
    assert narrow.session(second).state is SessionState.ACTIVE
    assert narrow.session(second).started_at > narrow.session(first).finished_at
    assert [each.text for each in third.messages() if "A place is free" in each.text] == []


def test_a_participant_called_just_before_a_pause_is_called_again_after_it(narrow):
    narrow.seated("Gives the seat back")
    waiting = narrow.described("Is called")
    press_start(waiting)
    waiting.wait_for("you are next")
    narrow.end_sessions()
    called = waiting.wait_for("A place is free now", 30)
    research = narrow.running.actions
    research.pause("researcher-1")
    waiting.press(called, "Start")
    told = narrow.told(waiting, "The study is paused at the moment")
    assert "I will write to you when it is your turn" in told.text_of_everything
    assert "Start" not in told.buttons
    research.resume("researcher-1")
    again = waiting.wait_for("A place is free now", 30, after=told.ts)
    waiting.press(again, "Start")
    waiting.wait_for_modal("New configuration")


def test_a_researcher_sees_who_is_in_line(narrow):
    tuner, waiting = narrow.seated("Tunes"), narrow.described("Waits")
    press_start(waiting)
    waiting.wait_for("you are next")
    researcher = narrow.workspace.person("Researcher")
    status = text_of(ask(researcher, "status"))
    assert f"In the queue: {narrow.participant(waiting).code}." in status
    assert f"• {narrow.participant(tuner).code}: until <!date^" in status
