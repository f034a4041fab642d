"""Somebody leaves, and their messages are deleted one by one; nobody else waits for that."""

import asyncio
import threading
import time

import pytest
from slack_sdk import WebClient

from bot.sandbox.web_api import dispatch
from bot.slack.uploads import File, upload
from storage import posts
from storage.schema.states import TrialState
from storage.schema.tables import Trial
from tests.bot.conftest import QUICK_VALUES
from training.hyperparameters import Configuration

TRIALS, PRESSES = 22, 20
PATIENCE = 25.0
"""Seconds: less than the bot waits for an answer of Slack."""

DELETIONS = ("chat.delete", "files.delete")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def house(open_house, rules):
    return open_house(rules(answer_seconds=0.12), withdrawn_data="delete")


def tried(house, name):
    """Somebody who has tried many configurations, each with its message and its loss plot."""
    person = house.seated(name)
    person.close()
    root, session, now = house.root(person), house.session(person), house.running.study.now()
    client = WebClient(token=house.workspace.bot_token, base_url=house.workspace.api_url)
    for number in range(1, TRIALS + 1):
        values = Trial.values(Configuration.create(QUICK_VALUES))
        trial = Trial(session_id=session.id, number=number, submitted_at=now, ended_at=now, seconds=1.0, **values)
        trial.state, trial.validation_accuracy = TrialState.COMPLETE, 50.0
        with house.store.write() as transaction:
            transaction.add(trial)
        file_id = upload(client, File(f"trial-{number}.png", PNG))
        client.files_completeUploadExternal(files=[{"id": file_id, "title": "losses"}])
        sent = client.chat_postMessage(channel=person.direct_channel, text=f"Trial {number}", thread_ts=root.ts)
        posts.remember(house.store, trial.subject, ts=sent["ts"], file_id=file_id)
    return person


def is_deleted(house, person):
    """Whether nothing of a person's trials is left in the workspace."""
    return not house.pictures and not any(each.text.startswith("Trial ") for each in person.messages())


def press_often(house, person):
    """Press a button that opens a modal, again and again."""
    root = house.root(person)
    for _ in range(PRESSES):
        person.press(root, "History")


class Traffic:
    """What went between the workspace and the bot since a moment."""

    def __init__(self, house):
        self._workspace = house.workspace
        self._since = time.time()

    def calls(self, *methods):
        """When calls of these methods were received, in order."""
        calls = [each for each in self._workspace.traffic() if each.kind == "call" and each.name in methods]
        return sorted(at for at in (each.at - (each.ms or 0.0) / 1000 for each in calls) if at > self._since)

    def presses(self):
        """When envelopes with a press were sent."""
        sent = [each for each in self._workspace.traffic() if each.kind == "envelope" and each.at > self._since]
        return [each.at for each in sent if each.detail.startswith("interactive")]


@pytest.mark.long
def test_every_press_is_looked_at_at_once_while_the_messages_of_somebody_who_left_are_deleted(house, capsys):
    leaver, other = tried(house, "Leaves"), house.seated("Presses")
    other.close()
    traffic, worked = Traffic(house), time.process_time()
    house.running.study.withdraw(leaver.id)
    press_often(house, other)
    other.wait_until(lambda: len(traffic.calls("views.open")) >= PRESSES and is_deleted(house, leaver), 120)

    worked = time.process_time() - worked
    opened, pressed, deleted = traffic.calls("views.open"), traffic.presses(), traffic.calls(*DELETIONS)
    waited = [at - sent for at, sent in zip(opened, pressed, strict=True)]
    with capsys.disabled():
        print(
            f"\n{PRESSES} presses in {opened[-1] - pressed[0]:.1f} s, each waited {min(waited):.3f}–{max(waited):.3f}; "
            f"{len(deleted)} deletions in {deleted[-1] - pressed[0]:.1f} s; CPU of bot and workspace {worked:.1f} s"
        )
    # Deletions that came between a press and its answer: the two that were under way, and a few more at most.
    between = [sum(sent < each < at for each in deleted) for at, sent in zip(opened, pressed, strict=True)]
    assert max(between) < len(deleted) / 4


@pytest.fixture
def answered(monkeypatch):
    """Slack answers no deletion until this is set."""
    released, works = threading.Event(), dispatch.answer

    async def answer(request, context):
        while request.match_info["method"] in DELETIONS and not released.is_set():
            await asyncio.sleep(0.02)
        return await works(request, context)

    monkeypatch.setattr(dispatch, "answer", answer)
    yield released
    released.set()


@pytest.mark.long
def test_presses_are_handled_while_slack_answers_no_deletion(house, answered):
    leaver, other = tried(house, "Leaves"), house.seated("Presses")
    other.close()
    traffic = Traffic(house)
    house.running.study.withdraw(leaver.id)
    press_often(house, other)
    other.wait_until(lambda: len(traffic.calls("views.open")) == PRESSES, PATIENCE)
    assert traffic.calls(*DELETIONS) == []
    answered.set()
    other.wait_until(lambda: is_deleted(house, leaver), 120)
