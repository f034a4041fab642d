"""Alarms ring when they are due, wait while nobody runs, and say nothing of what was moved or removed."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.runner.scheduler import Alarm, Clock
from storage.database import Store

HOUR = timedelta(hours=1)


class Bell:
    """Hears the alarms."""

    def __init__(self) -> None:
        self.rang: list[tuple[int, Alarm]] = []
        self._news = threading.Condition()

    def __call__(self, session: int, alarm: Alarm) -> None:
        with self._news:
            self.rang.append((session, alarm))
            self._news.notify_all()

    def wait_for(self, *alarms: tuple[int, Alarm]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: len(self.rang) >= len(alarms), 20), self.rang
            assert self.rang == list(alarms)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def start(store):
    """Start a clock, and stop it at the end if nobody has."""
    clocks = []

    def start_one() -> tuple[Clock, Bell]:
        bell = Bell()
        clock = Clock(store.engine, bell)
        clock.start()
        clocks.append(clock)
        return clock, bell

    yield start_one
    for clock in clocks:
        clock.close()


def soon(seconds=0.3):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_warnings_ring_before_the_deadline(start):
    clock, bell = start()
    deadline = soon(0.6)
    clock.set_alarms(7, deadline, [timedelta(seconds=0.3), HOUR], datetime.now(UTC))
    bell.wait_for((7, Alarm.WARNING), (7, Alarm.DEADLINE))


def test_an_alarm_that_was_moved_does_not_ring_at_the_old_time(start):
    clock, bell = start()
    clock.set_alarms(7, soon(), [], datetime.now(UTC))
    clock.set_alarms(7, soon() + HOUR, [], datetime.now(UTC))
    clock.set_alarms(8, soon(0.6), [], datetime.now(UTC))
    bell.wait_for((8, Alarm.DEADLINE))


def test_the_grace_period_takes_the_place_of_the_deadline(start):
    clock, bell = start()
    clock.set_alarms(7, soon() + HOUR, [timedelta(minutes=1)], datetime.now(UTC))
    clock.set_grace(7, soon())
    bell.wait_for((7, Alarm.GRACE))


def test_alarms_of_a_session_that_is_over_are_removed_and_no_others(start):
    clock, bell = start()
    clock.set_alarms(1, soon(), [], datetime.now(UTC))
    clock.set_alarms(11, soon(), [], datetime.now(UTC))
    clock.clear_alarms(1)
    clock.clear_alarms(1)
    bell.wait_for((11, Alarm.DEADLINE))


def test_an_alarm_that_was_due_while_nobody_ran_rings_at_the_next_start(start):
    clock, bell = start()
    clock.set_alarms(7, soon(0.5), [], datetime.now(UTC))
    clock.close()
    threading.Event().wait(0.7)
    assert bell.rang == []
    _, next_bell = start()
    next_bell.wait_for((7, Alarm.DEADLINE))


def test_what_is_to_be_done_again_and_again_is_not_kept(start):
    clock, _ = start()
    beaten = threading.Event()
    clock.every(0.1, beaten.set)
    assert beaten.wait(20)
    clock.close()
    beaten.clear()
    start()
    assert not beaten.wait(0.4)


def test_what_is_to_be_done_daily_is_done_at_the_time_of_day_of_its_zone(start):
    clock, _ = start()
    zone, rung = ZoneInfo("Asia/Kathmandu"), threading.Semaphore(0)
    at = (datetime.now(zone) + timedelta(seconds=1)).time()
    clock.daily(at, zone, rung.release)
    assert rung.acquire(timeout=20)
    assert datetime.now(zone).time() >= at
    assert not rung.acquire(timeout=0.5)  # the next time is tomorrow
    (tomorrow,) = [each.next_run_time for each in clock._scheduler.get_jobs()]
    assert tomorrow.astimezone(zone) == datetime.combine(datetime.now(zone).date() + timedelta(days=1), at, zone)
