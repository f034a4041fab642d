"""A study with effects that are known, through the whole system: the report names them, and what deviated, and no more.

Nothing is trained here: a trial's accuracy follows from the learning rate that somebody enters, so that what is planted
is what was measured. Everything else is real: Slack's messages and forms, the assignment, the evaluations, the report.
"""

import queue
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from bot.commands.simulated.participants import SimulatedParticipant
from bot.commands.simulated.tuning import Attempt, Skill
from reports.compute import compute
from reports.data.load import load
from reports.results.measures import Interval, NotComputable
from reports.results.paper import Difference
from reports.results.registration import PrimaryResult
from reports.results.study_results import StudyResults
from storage.schema.states import StudyState
from storage.transitions import evaluations, studies
from tests.bot.conftest import House, OpenHouse
from tests.bot.researcher.asking import ask, confirm, text_of
from tests.bot.scripted_workers import ENVIRONMENT
from tests.long.crowd import PATIENCE, attempt
from training.trial import BatchLosses, Ending, EpochEnd, Outcome, Part, TrialRequest
from training.workers import Ready, Started, WorkerEvent

SEATS = 6
SEEDS = [*range(1, 10), 11]
PRESETS, BLANK = "with-presets", "without-presets"
ARMS = f"""
[[arms]]
name = "{PRESETS}"

[[arms]]
name = "{BLANK}"
presets = false
"""

SKILLS = [Skill.NOVICE] * 11 + [Skill.MEDIUM] * 10 + [Skill.EXPERT] * 10
EXPECTED: Mapping[Skill, float] = {Skill.NOVICE: 36.0, Skill.MEDIUM: 50.0, Skill.EXPERT: 64.0}
"""The test accuracy in percent that people of a group come to in the arm with presets.

Who is in which arm differs from run to run. Both effects are so large that each of 6,000 simulated assignments shows
them.
"""

LOST_WITHOUT_PRESETS = 20.0
"""Percentage points."""

OWN = 2.0
"""Standard deviation of what people are better or worse than their group and arm."""


@dataclass
class PlantedWorkers:
    """Workers whose trials end at once, with a thousand times the learning rate as accuracy."""

    slots: int = SEATS
    events: queue.Queue[WorkerEvent] = field(default_factory=queue.Queue)

    def start(self) -> None:
        """Every slot is ready."""
        for slot in range(self.slots):
            self.events.put(WorkerEvent(slot, None, Ready(ENVIRONMENT)))

    def submit(self, slot: int, job: str, request: TrialRequest) -> None:
        """Say how the trial ended; an evaluation differs by up to a point between seeds."""
        accuracy = 1000 * request.configuration.learning_rate
        if request.part is Part.EVALUATION:
            accuracy += (request.seed % 5 - 2) / 2
        ended = Outcome(Ending.COMPLETE, round(accuracy, 4), 1, 1.0, 1000.0, ENVIRONMENT)
        for message in (Started(), BatchLosses(1, 0, (2.0, 1.0)), EpochEnd(1, 1.5, accuracy, 1.0), ended):
            self.events.put(WorkerEvent(slot, job, message))

    def stop(self, job: str) -> None:
        """Nothing lasts long enough to be stopped."""

    def next_event(self, timeout: float) -> WorkerEvent | None:
        """What happened."""
        try:
            return self.events.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Nothing runs."""


class Planted(SimulatedParticipant):
    """Comes as far as is planted for their group and arm, give or take some points of their own."""

    def __init__(self, house: House, skill: Skill, *, number: int) -> None:
        super().__init__(house.newcomer(f"Person {number}"), skill, tries=2, seed=number)
        self._house = house
        self._own = random.Random(number).gauss(0, OWN)
        self.may_tune = threading.Event()

    def _tune(self) -> None:
        self.may_tune.wait(PATIENCE)
        super()._tune()

    def _next_attempt(self) -> Attempt:
        reached = EXPECTED[self.skill] + self._own
        if self._house.participant(self.person).arm == BLANK:
            reached -= LOST_WITHOUT_PRESETS
        return attempt(f"{(reached - 5 * (1 - self._experience.attempts)) / 1000:.5f}")


class Leaves(Planted):
    """Leaves the study after the last trial."""

    def _finish(self) -> None:
        self.person.say("withdraw")
        self.person.press(self.person.wait_for("Leave the study", PATIENCE), "Leave the study")
        self.person.wait_for("You have left the study", PATIENCE)


@pytest.fixture
def house(open_house: OpenHouse) -> House:
    house = open_house(slots=SEATS, evaluation_seeds=SEEDS, start=False)
    text = house.study.read_text(encoding="utf-8")
    house.study.write_text(text.replace("\n[slack]", f"{ARMS}\n[slack]"), encoding="utf-8")
    house.open(PlantedWorkers(), open_now=False)
    return house


@pytest.mark.timeout(1500)
def test_what_is_planted_is_found_what_deviated_is_told_and_nothing_else(house: House) -> None:
    researcher = house.workspace.person("Researcher")
    confirm(researcher, "open", "Yes, open it")
    crowd = [
        (Leaves if number == len(SKILLS) else Planted)(house, skill, number=number)
        for number, skill in enumerate(SKILLS, start=1)
    ]
    given_time, *others = crowd
    for each in others:
        each.may_tune.set()
    for each in crowd:
        each.start()
    given_time.person.wait_for("Your session", PATIENCE)
    confirmed = ask(researcher, f"extend {house.participant(given_time.person).code} 10m")
    assert "10" in text_of(confirmed)
    given_time.may_tune.set()
    for each in crowd:
        each.join(PATIENCE)
        assert not each.is_alive(), f"{each.name} has not come to an end"
        assert each.error is None, each.error
    researcher.wait_until(lambda: not evaluations.due(house.store), PATIENCE)
    it_is_blind(house)

    confirm(researcher, "close", "Yes, close it for good")
    assert studies.study_named(house.store, house.running.settings.study.name).state is StudyState.CLOSED
    house.admin.wait_for("report.html", PATIENCE, channel=house.reports)
    results = compute(load(house.store))
    the_planted_effects_are_found(results)
    what_deviated_is_told_and_nothing_else(results)


def it_is_blind(house: House) -> None:
    """While the study runs, nobody reads a test accuracy, and no report comes unless somebody insists."""

    def told() -> bool:
        posts = house.admin.messages(house.reports)
        return sum("the evaluations are done" in each.text for each in posts) == len(SKILLS) - 1

    house.admin.wait_until(told, PATIENCE)
    assert "test accuracy" not in "\n".join(each.text_of_everything for each in house.admin.messages(house.reports))
    assert "Results are hidden until the study is closed" in text_of(
        ask(house.workspace.person("Researcher"), "report")
    )


def the_planted_effects_are_found(results: StudyResults) -> None:
    """Both effects, in their direction and size."""
    primary = results.registered.primary
    assert isinstance(primary, PrimaryResult)
    assert primary.is_significant
    assert primary.effect.value > 0.4

    (task,) = results.tasks
    arms = task.arms.default
    assert not isinstance(arms, NotComputable)
    (difference,) = arms.comparison.differences
    assert isinstance(difference, Difference)
    assert (difference.test.first, difference.test.second) == (PRESETS, BLANK)
    assert difference.test.p < 0.05
    assert isinstance(difference.mean.interval, Interval)
    assert difference.mean.interval.low <= -LOST_WITHOUT_PRESETS <= difference.mean.interval.high < 0


def what_deviated_is_told_and_nothing_else(results: StudyResults) -> None:
    """More time for one person, one who left, and so one fewer than the target."""
    assert {each.kind: each.count for each in results.registered.deviations} == {
        "time_extended": 1,
        "people_withdrew": 1,
        "target_participants": 1,  # 30 of the 31 who were to be analysed
    }
