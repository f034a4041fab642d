"""Long answers come in pages: in a modal, or in a message when it is too late for a modal."""

import pytest
from sqlmodel import delete

from storage.schema.tables import Identity, Notice, Participant
from storage.transitions import participants
from tests.bot.researcher.asking import PATIENCE, ask, look, text_of


@pytest.fixture
def crowded(open_house, rules):
    """A study with 25 people who were only written to."""

    def open_it(**changed):
        house = open_house(rules(**changed), slots=1)
        for number in range(25):
            given = {"slack_user": f"U{number:04}NOBODY", "slack_channel": f"D{number:04}NOBODY"}
            participants.invite(house.store, **given, now=house.running.study.now())
        with house.store.write() as transaction:  # there is nobody whom the bot could write to
            transaction.execute(delete(Notice))
        return house

    return open_it


@pytest.mark.long
def test_many_participants_are_turned_over_in_a_modal(crowded):
    house = crowded()
    researcher = house.workspace.person("Researcher")
    first = look(researcher, "participants", "Participants")
    assert "*P020* · invited" in first.text_of_everything
    assert "P021" not in first.text_of_everything
    assert [each for each in first.buttons if each != "Show"] == ["Next"]
    researcher.press(first, "Next")
    second = researcher.wait_until(
        lambda: (view := researcher.modal()) and "*P025*" in view.text_of_everything and view, PATIENCE
    )
    assert "Page 2 of 2" in second.text_of_everything
    assert "P020" not in second.text_of_everything
    researcher.press(second, "Show")
    one = researcher.wait_for_modal("Participant P021", PATIENCE)
    assert "*P021* · invited" in one.text_of_everything
    researcher.press(one, "All participants")
    first = researcher.wait_for_modal("Participants", PATIENCE)

    # A page that is gone by now is the last one there is.
    with house.store.write() as transaction:
        transaction.exec(delete(Notice).where(Notice.participant_id > 3))
        transaction.exec(delete(Identity).where(Identity.participant_id > 3))
        transaction.exec(delete(Participant).where(Participant.id > 3))
    researcher.press(first, "Next")
    last = researcher.wait_until(
        lambda: (view := researcher.modal()) and "P004" not in view.text_of_everything and view, PATIENCE
    )
    assert "*P003* · invited" in last.text_of_everything
    assert "Next" not in last.buttons


def test_a_page_too_late_for_a_modal_comes_as_a_message_that_can_be_turned_too(crowded):
    researcher = crowded(trigger_seconds=0.0).workspace.person("Researcher")
    shown = ask(researcher, "participants")
    assert "*P001* · invited" in text_of(shown)
    assert researcher.modal() is None
    researcher.press(shown, "Next")
    turned = researcher.wait_until(
        lambda: (found := researcher.message(shown.ts)) and "*P025*" in text_of(found) and found, PATIENCE
    )
    researcher.press(turned, "Previous")
    researcher.wait_until(lambda: "*P001*" in text_of(researcher.message(shown.ts)), PATIENCE)
