"""Everything that somebody had deleted is deleted in Slack too, also when the bot is stopped meanwhile."""

import asyncio
import threading

import pytest

from bot.sandbox.web_api import dispatch
from storage import posts
from storage.transitions import deletion
from tests.bot.conftest import PATIENCE

DELETIONS = ("chat.delete", "files.delete")


@pytest.fixture
def refused(monkeypatch):
    """Slack answers no deletion while this is set."""
    lost, works = threading.Event(), dispatch.answer

    async def answer(request, context):
        while request.match_info["method"] in DELETIONS and lost.is_set():
            await asyncio.sleep(0.02)
        return await works(request, context)

    monkeypatch.setattr(dispatch, "answer", answer)
    yield lost
    lost.clear()


def left_of(person):
    """The messages about somebody's session and trials that they still see."""
    return [each for each in person.messages() if each.text.startswith(("Trial ", "Your session"))]


@pytest.mark.long
def test_what_a_stop_interrupted_is_deleted_after_the_next_start(open_house, refused):
    house = open_house(withdrawn_data="delete")
    person = house.seated("Leaves")
    house.trained(person)
    house.finish(person)
    result = house.reported("P001 has finished")
    house.admin.wait_until(lambda: posts.of_family(house.store, "report:"), PATIENCE)
    assert len(left_of(person)) >= 3  # the root of the thread, the trial, its result
    refused.set()
    house.running.study.withdraw(person.id)
    person.wait_for("Everything that you entered and trained is deleted", PATIENCE)
    house.close()
    assert left_of(person)
    assert deletion.pending(house.store)

    refused.clear()
    house.open()
    person.wait_until(lambda: not deletion.pending(house.store), PATIENCE)
    assert left_of(person) == []
    assert house.pictures == []
    told = house.admin.message(result.ts, channel=house.reports)
    assert "P001" not in told.text_of_everything
    assert "their data is deleted" in told.text_of_everything
