"""The clocks are compared: time in which nobody was served is found once, and a clock that is set costs nobody time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.runner.clocks import Clocks
from storage.transitions.recovery import BOT_WAS_SUSPENDED, SLACK_WAS_AWAY

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


@dataclass
class Machine:
    """A machine whose clocks a test sets, and a Slack that answers every ten seconds."""

    passed: float = 0.0
    wall: float = NOON.timestamp()
    connected: bool = True
    answers: bool = True
    heard: int = 0
    clocks: Clocks = field(init=False)

    def __post_init__(self):
        self.clocks = Clocks(lambda: self.heard if self.connected else None, lambda: self.wall, lambda: self.passed)
        self.clocks.begin()

    def run(self, seconds):
        """The bot looks every second."""
        for _ in range(seconds):
            self.suspend(1)
            self.clocks.look()

    def suspend(self, seconds):
        """Time passes, and nobody looks."""
        self.passed += seconds
        self.wall += seconds
        if self.connected and self.answers:
            self.heard = int(self.passed // 10)

    def correct(self):
        correction = self.clocks.correction()
        if correction is not None:
            self.clocks.corrected(correction)
        return correction


@pytest.fixture
def machine():
    made = Machine()
    made.run(100)
    return made


def lost(correction):
    return [((each.until - each.since).total_seconds(), each.why) for each in correction.unserved]


def test_while_people_are_served_nothing_is_to_be_corrected(machine):
    machine.run(1000)
    assert machine.correct() is None
    assert machine.clocks.settled() == machine.clocks.now() == NOON + timedelta(seconds=1100)
    assert machine.clocks.served_until is None


def test_the_time_stands_still_while_the_process_is_suspended_until_that_is_stored(machine):
    machine.suspend(3600)
    assert machine.clocks.now() == NOON + timedelta(seconds=100)
    assert machine.clocks.settled() is None
    correction = machine.correct()
    assert lost(correction) == [(3600, BOT_WAS_SUSPENDED)]
    assert correction.unserved[0].since == NOON + timedelta(seconds=100)
    assert correction.now == machine.clocks.now() == machine.clocks.settled() == NOON + timedelta(seconds=3700)
    assert machine.correct() is None


def test_a_suspended_process_whose_connection_is_gone_serves_nobody_before_it_hears_slack_again(machine):
    machine.answers = False
    machine.suspend(3600)
    machine.run(8)
    assert machine.correct() is None
    assert machine.clocks.settled() is None
    assert machine.clocks.served_until == NOON + timedelta(seconds=100)
    machine.answers = True
    machine.run(2)
    ((seconds, why),) = lost(machine.correct())
    assert (seconds, why) == (pytest.approx(3610, abs=1), BOT_WAS_SUSPENDED)
    machine.run(60)
    assert machine.correct() is None


def test_a_short_delay_is_no_suspension(machine):
    machine.suspend(25)
    assert machine.correct() is None
    assert machine.clocks.settled() == NOON + timedelta(seconds=125)


def test_the_seconds_until_a_broken_connection_is_given_up_count_too(machine):
    machine.answers = False
    machine.run(12)
    machine.connected = False
    machine.run(25)
    assert machine.clocks.served_until == NOON + timedelta(seconds=100)
    machine.connected = machine.answers = True
    machine.run(10)
    ((seconds, why),) = lost(machine.correct())
    assert (seconds, why) == (pytest.approx(37, abs=2), SLACK_WAS_AWAY)


def test_ten_minutes_without_a_connection_are_given_back_when_it_is_there_again(machine):
    machine.connected = False
    machine.run(600)
    assert machine.correct() is None
    assert machine.clocks.settled() is None
    assert machine.clocks.served_until == NOON + timedelta(seconds=100)
    machine.connected = True
    machine.run(10)
    ((seconds, why),) = lost(machine.correct())
    assert (seconds, why) == (pytest.approx(600, abs=2), SLACK_WAS_AWAY)


def test_a_silent_connection_counts_from_when_slack_was_heard_last(machine):
    machine.answers = False
    machine.run(29)
    assert machine.clocks.settled() is not None
    machine.run(300)
    assert machine.clocks.served_until == NOON + timedelta(seconds=100)
    machine.answers = True
    machine.run(10)
    ((seconds, why),) = lost(machine.correct())
    assert (seconds, why) == (pytest.approx(330, abs=10), SLACK_WAS_AWAY)


def test_a_connection_that_is_replaced_costs_nothing_and_nobodys_time_ends_meanwhile(machine):
    machine.connected = False
    machine.run(5)
    assert machine.clocks.settled() is None
    machine.connected = True
    machine.run(1)
    assert machine.clocks.settled() is not None
    assert machine.correct() is None


@pytest.mark.parametrize("seconds", [3600, -3600, 86_400 * 9000])
def test_a_clock_that_is_set_is_followed_only_when_that_is_stored(machine, seconds):
    machine.wall += seconds
    assert machine.clocks.now() == NOON + timedelta(seconds=100)
    assert machine.clocks.settled() is None
    correction = machine.correct()
    assert (correction.clock_set, correction.unserved) == (timedelta(seconds=seconds), ())
    assert machine.clocks.now() == correction.now == NOON + timedelta(seconds=100 + seconds)
    machine.run(100)
    assert machine.correct() is None


def test_a_clock_that_is_corrected_slowly_is_followed_in_steps(machine):
    steps = []
    for _ in range(100):
        machine.run(1)
        machine.wall += 0.1
        if (correction := machine.correct()) is not None:
            steps.append(correction.clock_set.total_seconds())
    assert sum(steps) == pytest.approx(10, abs=2)
    assert abs(machine.clocks.now().timestamp() - machine.wall) <= 2


def test_a_clock_that_was_set_while_the_machine_was_suspended(machine):
    machine.suspend(600)
    machine.wall += 7200
    correction = machine.correct()
    assert correction.clock_set == timedelta(hours=2)
    assert lost(correction) == [(600, BOT_WAS_SUSPENDED)]
    assert correction.unserved[0].until == correction.now == NOON + timedelta(seconds=700, hours=2)


def test_a_correction_that_could_not_be_stored_comes_again(machine):
    machine.suspend(600)
    first = machine.clocks.correction()
    machine.run(30)
    second = machine.correct()
    assert second.unserved == first.unserved
    assert machine.clocks.now() == NOON + timedelta(seconds=730)
