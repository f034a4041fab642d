"""Functions are called regularly, once a day, or when something is due. A function that fails is called again."""

import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers import base

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


def test_a_function_whose_clock_is_late_is_called_in_peace_until_its_moment_has_come(scheduler):
    late, done = timedelta(seconds=1), threading.Event()
    due = datetime.now(UTC)
    calls = []

    def sweep():
        calls.append(datetime.now(UTC) - late)
        if calls[-1] >= due:
            done.set()
            return None
        return due

    scheduler.when_due(3600, "sweeping", sweep)
    assert done.wait(PATIENCE)
    assert len(calls) <= 12


def test_a_daily_function_is_called_at_the_time_of_day_of_its_zone(scheduler):
    zone, rung = ZoneInfo("Asia/Kathmandu"), threading.Semaphore(0)
    at = (datetime.now(zone) + timedelta(seconds=1)).time()
    scheduler.daily(at, zone, "telling the time", lambda _moment: rung.release())
    assert rung.acquire(timeout=PATIENCE)
    assert datetime.now(zone).time() >= at
    assert not rung.acquire(timeout=0.5)  # the next time is tomorrow


class WallClock:
    """A wall clock that can be set, for the scheduler and for APScheduler."""

    def __init__(self, monkeypatch):
        self.ahead = timedelta(0)
        clock = self

        class Set(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + clock.ahead

        monkeypatch.setattr(base, "datetime", Set)

    def now(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def wall_clock(monkeypatch):
    return WallClock(monkeypatch)


@pytest.fixture
def on_wall_clock(wall_clock, errors):
    started = Scheduler(lambda error, doing: errors.append((str(error), doing)), wall_clock.now)
    started.start()
    yield started
    started.close()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_an_error_on_the_thread_of_apscheduler_is_told_once_and_the_clock_goes_on(
    scheduler, errors, monkeypatch, error
):
    called, failed = threading.Semaphore(0), threading.Semaphore(0)
    store = scheduler._scheduler._jobstores["default"]
    works = store.update_job

    def fail(_job):
        failed.release()
        raise error

    monkeypatch.setattr(store, "update_job", fail)
    scheduler.every(0.05, "calling", called.release)
    for _ in range(3):
        assert failed.acquire(timeout=PATIENCE)
    monkeypatch.setattr(store, "update_job", works)
    while called.acquire(blocking=False):
        pass
    for _ in range(3):
        assert called.acquire(timeout=PATIENCE)
    assert errors == [(str(error), "looking what to call")]


def test_a_thread_of_apscheduler_that_has_died_can_be_started_again(scheduler, monkeypatch):
    called, works = threading.Semaphore(0), scheduler._scheduler._look

    def die():
        raise SystemExit

    monkeypatch.setattr(scheduler._scheduler, "_look", die)
    scheduler.thread.join(PATIENCE)
    assert scheduler.thread.has_died
    monkeypatch.setattr(scheduler._scheduler, "_look", works)
    scheduler.every(0.05, "calling", called.release)
    scheduler.thread.start()
    assert called.acquire(timeout=PATIENCE)
    assert not scheduler.thread.has_died


def test_a_daily_function_that_could_not_be_started_at_its_time_is_called_a_little_later(
    on_wall_clock, wall_clock, monkeypatch
):
    zone, rung, refused = ZoneInfo("UTC"), threading.Semaphore(0), threading.Semaphore(0)
    pool = on_wall_clock._scheduler._executors["default"]._pool
    works = pool.submit

    def refuse(*_, **__):
        refused.release()
        raise RuntimeError("can't start new thread")

    at = (datetime.now(zone) + timedelta(seconds=1)).time()
    on_wall_clock.daily(at, zone, "telling the time", lambda _moment: rung.release())
    monkeypatch.setattr(pool, "submit", refuse)
    assert refused.acquire(timeout=PATIENCE)
    monkeypatch.setattr(pool, "submit", works)
    for job in on_wall_clock._scheduler.get_jobs():  # a minute later
        job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=1))
    assert rung.acquire(timeout=PATIENCE)


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(hours=3), timedelta(days=9_000)])
def test_functions_are_called_as_often_as_before_when_the_wall_clock_is_set(on_wall_clock, wall_clock, ahead):
    called = threading.Semaphore(0)
    on_wall_clock.every(0.1, "calling", called.release)
    assert called.acquire(timeout=PATIENCE)
    wall_clock.ahead = ahead
    set_at = time.monotonic()
    for _ in range(5):
        assert called.acquire(timeout=PATIENCE)
    assert time.monotonic() - set_at > 0.2
    assert not on_wall_clock.thread.has_died


def test_the_scheduler_says_how_often_each_function_was_called_to_its_end(scheduler):
    begun, go_on = threading.Event(), threading.Event()

    def hang():
        begun.set()
        go_on.wait(PATIENCE)

    done = threading.Semaphore(0)
    scheduler.every(0.05, "hanging", hang)
    scheduler.every(0.05, "going on", done.release)
    assert begun.wait(PATIENCE)
    for _ in range(4):
        assert done.acquire(timeout=PATIENCE)
    pulses = scheduler.pulses()
    assert pulses["hanging"].count == 0
    assert pulses["going on"].count >= 3
    assert pulses["the scheduler"].count > 0
    go_on.set()


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(days=9_000)])
def test_the_wall_clock_may_be_set_while_it_is_looked_what_is_due(on_wall_clock, wall_clock, monkeypatch, ahead):
    follow, called = on_wall_clock._scheduler._follow_the_wall_clock, threading.Semaphore(0)
    looks = itertools.count()

    def be_set_afterwards():
        follow()
        if next(looks) == 5:
            wall_clock.ahead = ahead

    monkeypatch.setattr(on_wall_clock._scheduler, "_follow_the_wall_clock", be_set_afterwards)
    on_wall_clock.every(0.1, "calling", called.release)
    for _ in range(5):
        assert called.acquire(timeout=PATIENCE)
    assert wall_clock.ahead == ahead
