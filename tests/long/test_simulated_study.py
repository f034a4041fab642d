"""A whole study in some minutes: 31 people of three groups, more of them than seats, and the report channel's story."""

import time
from collections import Counter

import pytest

from bot.commands.simulated.tuning import Skill
from bot.sandbox.client.person import Person
from storage import events
from storage.queries import history
from storage.schema.states import Chooser, EventKind, ParticipantState, SessionState, StudyState, TrialState
from storage.transitions import baselines, evaluations, studies
from tests.bot.conftest import House, OpenHouse
from tests.bot.few_digits import TASK, write_digits
from tests.bot.researcher.asking import confirm
from tests.long.crowd import PATIENCE, Hasty, Part, Role
from tests.storage.reading import evaluations_of

SEATS = 5
SEEDS = [*range(1, 10), 11]
ROLES = (
    [Role(Part.RUNS_OUT, Skill.EXPERT), Role(Part.WITHDRAWS, Skill.MEDIUM)]
    + [Role(Part.CANCELS, skill) for skill in Skill for _ in range(2)]
    + [Role(Part.DIVERGES, skill) for skill in Skill]
    + [Role(Part.FINISHES, Skill.NOVICE)] * 3
    + [Role(Part.FINISHES, Skill.MEDIUM)] * 8
    + [Role(Part.FINISHES, Skill.EXPERT)] * 9
)


def finished_sessions(house: House) -> int:
    return history.status(house.store, now=house.running.study.now()).sessions[SessionState.FINISHED]


@pytest.mark.timeout(1500)
def test_a_whole_study_of_31_people(open_house: OpenHouse) -> None:
    house = open_house(
        slots=SEATS,
        limit_minutes=2,
        warnings_minutes=[1],
        grace_minutes=0.1,
        evaluation_seeds=SEEDS,
        task="few-digits",
        data="images",
        start=False,
    )
    write_digits(house.study.parent / "images" / "digits")
    house.study.write_text(house.study.read_text(encoding="utf-8") + TASK, encoding="utf-8")
    house.open(open_now=False)
    researcher = house.workspace.person("Researcher")
    early = house.newcomer("Too early")
    early.open_messages()
    early.wait_for("has not opened yet")

    confirm(researcher, "open", "Yes, open it")
    house.wait_for_machines()
    crowd = [Hasty(house.newcomer(f"Person {number}"), role, seed=number) for number, role in enumerate(ROLES, start=1)]
    invited = " ".join(f"<@{each.person.id}|person>" for each in crowd)
    researcher.command("/study", f"invite {invited}")
    researcher.wait_for("I have written to", PATIENCE)
    for each in crowd:
        each.start()

    runs_out = crowd[0].person
    runs_out.wait_for("validation accuracy", PATIENCE)
    deadline = house.session(runs_out).deadline
    researcher.command("/study", f"extend {house.participant(runs_out).code} 10s")
    researcher.wait_until(lambda: (house.session(runs_out).deadline - deadline).total_seconds() == 10, 30)
    researcher.command("/study", "baseline random 5")

    researcher.wait_until(lambda: finished_sessions(house) >= 8, PATIENCE)
    confirm(researcher, "pause", "Yes, pause it")
    time.sleep(5)
    paused = events.read(house.store, kind=EventKind.STUDY_PAUSED)[-1]
    confirm(researcher, "resume", "Yes, resume it")
    resumed = events.read(house.store, kind=EventKind.STUDY_RESUMED)[-1]
    begun = events.read(house.store, kind=EventKind.SESSION_BEGUN)
    assert [each for each in begun if paused.id < each.id < resumed.id] == [], "nobody begins during a pause"

    for each in crowd:
        each.join(PATIENCE)
        assert not each.is_alive(), f"{each.role} has not come to an end"
        assert each.error is None, f"{each.role}: {each.error}"
    researcher.wait_until(lambda: not evaluations.due(house.store), PATIENCE)
    researcher.wait_until(lambda: not baselines.running(house.store), PATIENCE)
    confirm(researcher, "close", "Yes, close it for good")

    study = studies.study_named(house.store, "Black Magic")
    assert study is not None
    assert study.state is StudyState.CLOSED
    sessions = history.sessions(house.store, study.id)
    the_books_balance(house, sessions)
    the_report_channel_tells_the_story(house, sessions, [each.person for each in crowd])


def the_books_balance(house: House, sessions: list[history.SessionView]) -> None:
    """Everything that began has come to one of its ends, and is accounted for."""
    status = history.status(house.store, now=house.running.study.now())
    assert len(sessions) == len(ROLES)
    assert {each.state for each in sessions} == {SessionState.FINISHED}
    assert status.participants[ParticipantState.WITHDRAWN] == 1

    trials = [trial for session in sessions for trial in session.trials]
    ended = Counter(trial.state for trial in trials)
    parts = Counter(each.part for each in ROLES)
    assert sum(ended.values()) == len(trials) == sum(status.trials.values())
    assert ended[TrialState.CANCELLED] == parts[Part.CANCELS]
    assert ended[TrialState.DIVERGED] == parts[Part.DIVERGES]
    assert ended[TrialState.FAILED] == ended[TrialState.WAITING] == ended[TrialState.RUNNING] == 0
    submitted = events.read(house.store, kind=EventKind.TRIAL_SUBMITTED)
    assert len([each for each in submitted if each.participant and each.participant.startswith("P")]) == len(trials)

    choices = [each.choice for each in sessions if each.choice is not None]
    assert len(choices) == len(ROLES) - 1, "all but the one who withdrew"
    assert Counter(each.chosen_by for each in choices) == {Chooser.PARTICIPANT: len(choices) - 1, Chooser.CLOCK: 1}
    run = [evaluation for each in choices for evaluation in evaluations_of(house.store, each.id)]
    assert len(run) == len(SEEDS) * len(choices)
    assert {each.state for each in run} <= {TrialState.COMPLETE, TrialState.DIVERGED}
    for each in choices:
        assert [evaluation.seed for evaluation in evaluations_of(house.store, each.id)] == SEEDS

    lined_up = {each.participant for each in events.read(house.store, kind=EventKind.LINED_UP)}
    assert len(lined_up) > len(ROLES) // 2, "there were more people than seats"
    assert len(events.read(house.store, kind=EventKind.TIME_EXTENDED)) == 1
    commanded = events.read(house.store, kind=EventKind.COMMANDED)
    assert {each.actor for each in commanded} == {"researcher-1"}


def the_report_channel_tells_the_story(house: House, sessions: list[history.SessionView], people: list[Person]) -> None:
    """Opening, every result, the pause, who left, the end; and nobody's name."""
    house.reported("is closed")
    posts = house.admin.messages(house.reports)
    story = "\n".join(each.text_of_everything for each in posts)
    for words in ("is open", "is paused", "goes on", "has left the study", "is closed"):
        assert words in story, f"{words!r} is not told"
    for session in sessions:
        told = [each for each in posts if f"{session.participant} has finished" in each.text]
        assert len(told) == (session.choice is not None), f"{session.participant}: {session}"
    for person in people:
        assert person.id not in story
        assert person.name not in story
    assert house.running.settings.rules_hash()[:8] in story
    assert "Error" not in story
