"""Researchers open, pause, resume and close the study. Each time they are asked first, and told the effects."""

import pytest

from storage import events
from storage.schema.states import EventKind, StudyState
from storage.transitions import participants, studies
from tests.bot.researcher.asking import PATIENCE, answer, ask, text_of


@pytest.fixture
def house(open_house):
    house = open_house(start=False, slots=1)
    house.open(open_now=False)
    return house


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def state(house):
    return studies.study_named(house.store, "Black Magic").state


def acted(house, kind):
    return [each.actor for each in events.read(house.store, kind=kind)]


@pytest.mark.long
def test_from_the_opening_to_the_end(house, researcher):
    # Not open yet: newcomers are told so, and opening is the only possible action.
    early = house.newcomer("Comes early")
    early.say("hello")
    early.wait_for("has not opened yet", PATIENCE)
    assert "is not open yet" in text_of(ask(researcher, "status"))
    for text in ("pause", "resume", "close", f"invite @{early.name}"):
        assert "has not opened yet" in text_of(ask(researcher, text))
    assert participants.by_slack_user(house.store, early.id) is None

    # Opening says what it means, and asks.
    question = ask(researcher, "open")
    assert "Open the study “Black Magic”?" in text_of(question)
    assert f"The rules (version {house.running.settings.rules_hash()[:8]}) are fixed" in text_of(question)
    answer(researcher, question, "No, leave it", "Nothing was changed.")
    assert state(house) is StudyState.PREPARED
    answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
    assert state(house) is StudyState.OPEN
    house.wait_for_machines()
    tuning = house.seated("Tunes")
    waiting = house.described("Waits")
    waiting.press(waiting.wait_for("Your task", PATIENCE), "Start")
    waiting.wait_for("All places are taken at the moment", PATIENCE)
    codes = [house.participant(each).code for each in (tuning, waiting)]

    # Pausing names those who tune and those in the queue. Nobody new can join.
    question = ask(researcher, "pause")
    assert f"In a session now: 1 ({codes[0]}). Their sessions go on to the end." in text_of(question)
    assert f"In the queue: 1 ({codes[1]}). They keep their positions." in text_of(question)
    answer(researcher, question, "Yes, pause it", "The study is paused.")
    assert state(house) is StudyState.PAUSED
    assert "is paused already" in text_of(ask(researcher, "pause"))
    early.say("hello again")
    early.wait_for("The study is paused at the moment", PATIENCE)

    # Closing is refused while somebody tunes.
    assert f"Still in a session: {codes[0]}. The study was not closed." in text_of(ask(researcher, "close"))
    house.trained(tuning)
    house.finish(tuning)
    question = ask(researcher, "resume")
    assert f"In the queue: 1 ({codes[1]}). They are called when places are free." in text_of(question)
    answer(researcher, question, "Yes, resume it", "The study is open again.")
    waiting.wait_for("A place is free now", PATIENCE)

    # Closing is for good: people in the queue are told, and the links to people are deleted.
    question = ask(researcher, "close")
    assert "The links between 2 codes and their Slack users are deleted" in text_of(question)
    answer(researcher, question, "Yes, close it for good", "The study is closed.")
    assert state(house) is StudyState.CLOSED
    waiting.wait_for("was closed before a place was free", PATIENCE)
    assert participants.by_slack_user(house.store, tuning.id) is None
    assert "is closed. It cannot be opened again" in text_of(ask(researcher, "open"))
    assert "*Black Magic* is closed." in text_of(ask(researcher, "status"))

    # All of it is on record, with who.
    for kind in (EventKind.STUDY_OPENED, EventKind.STUDY_PAUSED, EventKind.STUDY_RESUMED, EventKind.STUDY_CLOSED):
        assert acted(house, kind) == ["researcher-1"]
    told = [each.details["text"] for each in events.read(house.store, kind=EventKind.COMMANDED)]
    assert [each for each in told if each.endswith("(confirmed)")] == [
        "open (confirmed)",
        "pause (confirmed)",
        "resume (confirmed)",
        "close (confirmed)",
    ]


def test_a_confirmation_after_a_change_is_not_done_and_is_asked_again(house, researcher):
    answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
    house.wait_for_machines()
    question = ask(researcher, "pause")
    assert "Nobody is in a session." in text_of(question)
    person = house.seated("Starts before the answer")
    code = house.participant(person).code
    again = answer(researcher, question, "Yes, pause it", "Something has changed since I asked")
    assert state(house) is StudyState.OPEN
    assert f"In a session now: 1 ({code})" in text_of(again)
    answer(researcher, again, "Yes, pause it", "The study is paused.")
    assert state(house) is StudyState.PAUSED


def test_two_researchers_who_confirm_the_same_do_it_once(house, researcher, at_once):
    question = ask(researcher, "open")
    other = ask(researcher, "open")
    at_once(*[lambda each=each: researcher.press(each, "Yes, open it") for each in (question, other)])
    done = [
        researcher.wait_until(
            lambda each=each: (found := researcher.message(each.ts)) and "Yes, open it" not in found.buttons and found,
            PATIENCE,
        )
        for each in (question, other)
    ]
    said = sorted(text_of(each) for each in done)
    assert len(acted(house, EventKind.STUDY_OPENED)) == 1
    assert "open already" in said[0] or "open already" in said[1]


def test_a_press_of_somebody_who_is_no_researcher_does_nothing(house, researcher, repost):
    question = ask(researcher, "open")
    stranger = house.newcomer("Gets it forwarded")
    shown = repost(house, stranger, question)
    stranger.press(shown, "Yes, open it")
    house.told(stranger, "is for the researchers who run the study")
    assert state(house) is StudyState.PREPARED
