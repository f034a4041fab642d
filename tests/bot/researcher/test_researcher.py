"""``/study`` answers researchers only, tells others why not, and writes all commands into the event log."""

import pytest

from bot.researcher.context import NOT_FOR_YOU
from bot.researcher.listeners import COMMANDS
from storage import events
from storage.schema.states import EventKind
from tests.bot.researcher.asking import ask, text_of


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def commanded(house):
    return [each.details["text"] for each in events.read(house.store, kind=EventKind.COMMANDED)]


def test_a_researcher_sees_the_study_at_a_glance(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is watched")
    house.trained(person)
    status = text_of(ask(researcher, "status"))
    view = house.session(person)
    assert "*Black Magic* is open. 2 of 2 slots are ready." in status
    assert f"• {view.participant}: until <!date^" in status
    assert "(2 h left), 1 trial, best" in status or "(1 h 59 min left), 1 trial, best" in status
    assert f"best {view.best.validation_accuracy:.1f} %" in status
    assert "were submitted in the last hour" in status
    assert person.id not in status
    assert person.name not in status


@pytest.mark.parametrize("text", ["", "help", "HELP", "  help  "])
def test_a_researcher_reads_what_the_command_can_do(house, researcher, text):
    shown = text_of(ask(researcher, text))
    for command in COMMANDS.values():
        for usage in command.usages:
            assert f"`/study {usage.syntax}`" in shown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("statsu", "status"),
        ("participent P001", "participant P001"),
        ("extent P001 10m", "extend P001 10m"),
        ("pasue", "pause"),
        ("evalaute", "evaluate"),
        ("widthraw P001", "withdraw P001"),
        ("particpant <b>", "participant P4071"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_command(house, researcher, typed, meant):
    shown = text_of(ask(researcher, typed))
    assert f"I do not know “{typed.split()[0]}”. Did you mean `/study {meant}`" in shown


def test_a_word_that_is_like_no_command_is_answered_with_the_way_to_the_help(house, researcher):
    shown = text_of(ask(researcher, "xyzzy <b>"))
    assert "I do not know “xyzzy”. `/study help` lists all commands." in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("participant", "Name one participant. Write `/study participant P4071`."),
        ("extend P001", "Name a participant, and how much more time they get."),
        ("extend P001 10", "“10” is not a length of time. Write it with its unit, such as `10m`"),
        ("extend P001 soon", "“soon” is not a length of time"),
        ("extend P001 99h", "at most 24 hours at a time"),
        ("extend P999 10m", "There is no participant “P999”."),
        ("cancel", "Name one participant. Write `/study cancel P4071`."),
        ("cancel P999", "There is no participant “P999”."),
        ("withdraw P999 now", "Name one participant."),
        ("participant @U00000001", "Participants appear under their codes only, so I do not look for a name."),
        ("close now", "This command does not take “now”. Write `/study close`."),
        ("invite", "Name the people to invite. Write `/study invite @somebody …` or `/study invite again @somebody`."),
        ("baseline radnom 3", "Did you mean `/study baseline random`?"),
        ("baseline random", "Say how many configurations to draw."),
        ("baseline random many", "“many” is not a whole number from 1 to 10,000."),
        ("baseline random 0", "“0” is not a whole number from 1 to 10,000."),
        ("baseline random 3 cats", "“cats” is not a task of this study. Its tasks: digits-squeezenet."),
        ("baseline tpe 3 tries", "“” is not a whole number from 1 to 1,000."),
        ("baseline stop", "No baseline"),
        ("open", "The study is open already"),
        ("resume", "The study is open already"),
        ("evaluate P1234 now", "This command does not take “now”."),
    ],
)
def test_a_wrongly_written_command_is_answered_with_how_to_write_it(house, researcher, typed, said):
    assert said in text_of(ask(researcher, typed))


def test_anybody_else_is_told_where_to_go(house):
    person = house.seated("Is curious")
    house.root(person)  # or it would be taken for the answer
    for text in ("status", "participants", "close", "nonsense"):
        told = text_of(ask(person, text))
        assert told.startswith(NOT_FOR_YOU)
        assert "P0" not in told
    assert text_of(ask(house.admin, "status")).startswith(NOT_FOR_YOU)


def test_the_log_has_the_commands_of_researchers_and_no_others(house, researcher):
    person = house.agree("Is no researcher")
    ask(person, "status please")
    ask(researcher, "frobnicate")
    ask(researcher, f"participant {person.id}")
    ask(researcher, f"invite @{person.name} <!here> somebody@example.org")
    logged = commanded(house)
    assert not any("please" in each or "frobnicate" in each for each in logged)
    assert logged[-2:] == ["participant @…", "invite @… @… @…"]
    last = events.read(house.store, kind=EventKind.COMMANDED)[-1]
    assert last.actor.startswith("researcher-")


def test_the_answer_comes_where_the_command_was_typed(house, researcher):
    shown = text_of(ask(researcher, "status", house.reports))
    assert "slots are ready" in shown
