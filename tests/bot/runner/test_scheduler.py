"""Functions are called regularly, once a day, or when something is due. A function that fails is called again."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.runner.scheduler import Scheduler

PATIENCE = 20


@pytest.fixture
def errors():
    return []


@pytest.fixture
def scheduler(errors):
    started = Scheduler(lambda error, doing: errors.append((str(error), doing)))
    started.start()
    yield started
    started.close()


def test_a_function_is_called_again_and_again_until_the_scheduler_closes(scheduler):
    called = threading.Semaphore(0)
    scheduler.every(0.05, "calling", called.release)
    for _ in range(3):
        assert called.acquire(timeout=PATIENCE)
    scheduler.close()
    while called.acquire(blocking=False):
        pass
    assert not called.acquire(timeout=0.3)


def test_a_function_that_fails_is_reported_and_called_again(scheduler, errors):
    calls = threading.Semaphore(0)

    def fail():
        calls.release()
        raise RuntimeError("the database is locked")

    scheduler.every(0.05, "trying", fail)
    for _ in range(3):
        assert calls.acquire(timeout=PATIENCE)
    assert set(errors) == {("the database is locked", "trying")}


def test_a_due_function_is_called_at_its_moment_and_not_at_the_next_regular_call(scheduler):
    due, done = datetime.now(UTC) + timedelta(seconds=1), threading.Event()
    calls = []

    def sweep():
        calls.append(datetime.now(UTC))
        if calls[-1] >= due:
            done.set()
            return None
        return due

    scheduler.when_due(3600, "sweeping", sweep)  # the next regular call is in an hour
    assert done.wait(PATIENCE)
    assert calls[0] < due <= calls[-1]


def test_a_daily_function_is_called_at_the_time_of_day_of_its_zone(scheduler):
    zone, rung = ZoneInfo("Asia/Kathmandu"), threading.Semaphore(0)
    at = (datetime.now(zone) + timedelta(seconds=1)).time()
    scheduler.daily(at, zone, "telling the time", rung.release)
    assert rung.acquire(timeout=PATIENCE)
    assert datetime.now(zone).time() >= at
    assert not rung.acquire(timeout=0.5)  # the next time is tomorrow
    (tomorrow,) = [each.next_run_time for each in scheduler._scheduler.get_jobs()]
    assert tomorrow.astimezone(zone) == datetime.combine(datetime.now(zone).date() + timedelta(days=1), at, zone)
