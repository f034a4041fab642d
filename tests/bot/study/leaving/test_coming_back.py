"""Somebody who has left and comes back is told kindly that everybody takes part once; a researcher may let them in."""

from storage import events
from storage.schema.states import EventKind
from tests.bot.conftest import PATIENCE
from tests.bot.researcher.asking import ask, look, text_of


def leave(person):
    person.say("withdraw")
    asked = person.wait_for("Leave the study", PATIENCE)
    assert "you cannot take part again" in asked.text
    person.press(asked, "Leave the study")
    return person.wait_for("You have left the study.", PATIENCE)


def refused(person, after):
    """What somebody reads who writes again."""
    said = person.say("I am back")
    told = person.wait_for("You have taken part in this study before.", PATIENCE, after=max(after, said))
    assert "Everybody can take part only once" in told.text
    assert "ask the researchers: they can let you in again" in told.text
    assert told.buttons == ()


def test_somebody_who_left_is_refused_also_after_a_restart_until_a_researcher_lets_them_in(open_house):
    house = open_house(slots=1, withdrawn_data="delete")
    person = house.described("Comes back")
    goodbye = leave(person)
    assert "they can let you in again" in goodbye.text
    assert goodbye.buttons == ()
    refused(person, goodbye.ts)

    house.close()
    house.open()
    refused(person, goodbye.ts)
    person.open_home()
    assert person.wait_for_home("You have left the study").buttons == ()

    researcher = house.workspace.person("Researcher")
    told = text_of(ask(researcher, f"invite @{person.id}"))
    assert f"Left the study, so I did not write to them: <@{person.id}>. Everybody takes part once." in told
    assert "`/study invite again @somebody`" in told
    told = text_of(ask(researcher, f"invite again @{person.id}"))
    assert f"Had left the study, and may take part again, under a new code: <@{person.id}>." in told
    person.wait_for("I agree", PATIENCE, after=goodbye.ts)

    code = house.participant(person).code
    (event,) = events.read(house.store, kind=EventKind.LET_IN_AGAIN)
    assert (event.participant, event.actor) == (code, "researcher-1")
    commands = [each.details["text"] for each in events.read(house.store, kind=EventKind.COMMANDED)]
    assert commands[-2:] == ["invite @…", "invite again @…"]
    assert "had left before, was let in again" in look(researcher, "participants", "Participants").text_of_everything
    researcher.close()
    shown = look(researcher, f"participant {code}", f"Participant {code}")
    assert "had left before, was let in again" in shown.text_of_everything


def test_somebody_who_left_before_they_agreed_may_come_back(house):
    person = house.newcomer("Only looked")
    person.open_home()
    person.wait_for("I agree", PATIENCE)
    person.say("withdraw")
    asked = person.wait_for("Leave the study", PATIENCE)
    assert "cannot take part again" not in asked.text
    person.press(asked, "Leave the study")
    goodbye = person.wait_for("you can start again from the beginning", PATIENCE)
    person.press(goodbye, "Show me the study")
    person.wait_for("I agree", PATIENCE, after=goodbye.ts)
