"""Calls functions at certain times, on threads of APScheduler, while the bot runs.

It keeps nothing over a restart: deadlines are in the database, and :mod:`bot.study.sweep` reads them. No function may
wait for Slack.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.slack.lasting_thread import LastingThread

log = logging.getLogger(__name__)

_THREADS = 10
"""As many as there are functions: one that waits for a database that does not answer must not keep the others."""

_LONGEST_WAIT = 1.0
"""Seconds after which APScheduler's thread looks again, although nothing is due: it compares the clocks, and beats."""

_CLOCK_WAS_SET = 1.0
"""The wall clock was set when it has moved by so many seconds more, or less, than the time that has passed."""

_BREATH = timedelta(seconds=0.1)
"""From one call of a function to the next, where it says that something is due already."""

_DAILY_LOOK_SECONDS = 60.0
"""How often a daily function looks whether its time of day has come; one more look is made at that time."""


def next_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The first moment after ``now`` that is this time of day in a zone, in UTC.

    When clocks are set back and the time comes twice, it is the first one. When clocks skip the time, it is later by as
    much as they skip.
    """
    return min(moment for moment in _around(at, zone, now) if moment > now)


def last_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The last moment, including ``now``, that was this time of day in a zone, in UTC."""
    return max(moment for moment in _around(at, zone, now) if moment <= now)


def _around(at: time, zone: ZoneInfo, now: datetime) -> list[datetime]:
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=offset) for offset in (-1, 0, 1))
    return [datetime.combine(day, at, zone).astimezone(UTC) for day in days]


@dataclass(frozen=True)
class Pulse:
    """How often something has been done.

    Attributes:
        count: It grows with each time. What does not grow for long, is stuck.
        seconds: How long it may stay the same.
    """

    count: int
    seconds: float


class Scheduler:
    """Calls functions regularly, once a day, or when something is due. A function that fails is called again.

    No error ends APScheduler's thread, and nobody is called later, or more often, when the wall clock is set.

    Args:
        on_error: Called with an error and with what was being done, in a few words.
        now: The time, aware. APScheduler has its own.
        clock: Seconds that only grow.

    Attributes:
        thread: APScheduler's thread. It may be started again when it has died.
    """

    def __init__(
        self,
        on_error: Callable[[Exception, str], object],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._on_error = on_error
        self._now = now
        self._counts: dict[str, Pulse] = {}
        self._scheduler = _Loop(on_error, now, clock)
        self.thread = self._scheduler.thread

    def start(self) -> None:
        """Start to call the functions."""
        self._scheduler.start()

    def close(self, within: float | None = None) -> None:
        """Wait for the functions that run, but at most ``within`` seconds, and call no more."""
        if self._scheduler.running:
            closing = threading.Thread(target=self._shut_down, name="closing-scheduler", daemon=True)
            closing.start()
            closing.join(within)

    def _shut_down(self) -> None:
        # APScheduler's thread fails when it is stopped while it removes a job that has run.
        self._scheduler.pause()
        self._scheduler.get_jobs()  # waits until the thread removes nothing
        self._scheduler.shutdown()

    def pulses(self) -> dict[str, Pulse]:
        """How often APScheduler's thread has looked what is due, and how often each function was called to its end."""
        return {"the scheduler": Pulse(self._scheduler.looks, 60.0), **self._counts}

    def every(self, seconds: float, doing: str, do: Callable[[], object]) -> None:
        """Call a function regularly.

        Args:
            seconds: The time from one call to the next. A call that takes longer delays the next one.
            doing: What it does, in a few words, for the report of an error.
            do: The function.
        """
        self._scheduler.add_job(self._guarded(doing, do, seconds), _Regularly(seconds=seconds))

    def when_due(self, seconds: float, doing: str, do: Callable[[], datetime | None]) -> None:
        """Call a function regularly, and also at the moment when, as it says, something will be due.

        Args:
            seconds: The time from one call to the next.
            doing: What it does, in a few words, for the report of an error.
            do: The function. It returns the next moment at which something is due, or none. It may know another clock:
                where that is late, it is called until its moment has come there, too.
        """
        due = f"due: {doing}"

        def call() -> None:
            moment = do()
            if moment is not None and moment < self._now() + timedelta(seconds=seconds):
                # By the clock of the function it may be a little earlier than here: it is called again, but in peace.
                run_at = max(moment, self._now() + _BREATH)
                self._scheduler.add_job(guarded, "date", run_date=run_at, id=due, replace_existing=True)

        guarded = self._guarded(doing, call, seconds)
        self._scheduler.add_job(guarded, _Regularly(seconds=seconds), next_run_time=self._now())

    def daily(self, at: time, zone: ZoneInfo, doing: str, do: Callable[[datetime], object]) -> None:
        """Call a function once a day at this time of day, from the next time on. It is given the moment that has come.

        It looks itself whether the time has come. APScheduler's own cron trigger would call without end within the hour
        that a time zone repeats in autumn, and its job for one moment is gone when it cannot be started.
        """
        due_at = next_time(at, zone, self._now())
        looking = threading.Lock()

        def look() -> datetime:
            nonlocal due_at
            with looking:
                now = self._now()
                if now >= due_at:
                    do(due_at)
                due_at = next_time(at, zone, now)
                return due_at

        self.when_due(_DAILY_LOOK_SECONDS, doing, look)

    def _guarded(self, doing: str, do: Callable[[], object], seconds: float) -> Callable[[], None]:
        self._counts[doing] = Pulse(0, 2 * seconds + 120.0)

        def call() -> None:
            try:
                do()
            except Exception as error:  # noqa: BLE001 - the scheduler would only log it
                self._on_error(error, doing)
            finally:
                before = self._counts[doing]
                self._counts[doing] = Pulse(before.count + 1, before.seconds)

        return call


class _Regularly(IntervalTrigger):  # type: ignore[misc]
    """Of the calls that were missed, one is made, and none of the others is counted.

    APScheduler lists each call that was missed before it makes one of them. After years, that takes all memory.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds=seconds, timezone="UTC")

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        following: datetime = super().get_next_fire_time(previous_fire_time, now)
        return following if following > now else now + self.interval


class _Loop(BlockingScheduler):  # type: ignore[misc]
    """APScheduler on a thread that goes on after every error, and that sees when the wall clock is set.

    APScheduler knows only the wall clock. When that is set back by an hour, no function is called for an hour.
    """

    def __init__(
        self, on_error: Callable[[Exception, str], object], now: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        super().__init__(
            executors={"default": ThreadPoolExecutor(_THREADS)},
            # A late call is still made, but several late calls of one function are made once.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )
        self.looks = 0
        self.thread = LastingThread("scheduler", self._main_loop)
        self._on_error = on_error
        self._now_utc = now
        self._clock = clock
        self._lead = self._wall_clock_lead()
        self._in_trouble = False

    def start(self) -> None:
        self._event = threading.Event()
        super(BlockingScheduler, self).start()
        self.thread.start()

    def shutdown(self) -> None:
        super().shutdown(wait=True)
        self.thread.join()

    def _main_loop(self) -> None:
        while self.state != STATE_STOPPED:
            self.looks += 1
            wait = self._look()
            self._event.wait(_LONGEST_WAIT if wait is None else min(wait, _LONGEST_WAIT))
            self._event.clear()

    def _look(self) -> float | None:
        """Have called what is due. Returns the seconds until something will be; none if that is not known."""
        try:
            self._follow_the_wall_clock()
            wait: float | None = self._process_jobs()
        except Exception as error:  # noqa: BLE001 - the clock must go on
            if not self._in_trouble and self.state != STATE_STOPPED:
                self._in_trouble = True
                self._on_error(error, "looking what to call")
            return None
        self._in_trouble = False
        return wait

    def _wall_clock_lead(self) -> float:
        return self._now_utc().timestamp() - self._clock()

    def _follow_the_wall_clock(self) -> None:
        """When the wall clock was set, move what is called regularly by as much."""
        moved = self._wall_clock_lead() - self._lead
        if abs(moved) < _CLOCK_WAS_SET:
            return
        self._lead += moved
        for job in self.get_jobs():
            if isinstance(job.trigger, _Regularly) and job.next_run_time is not None:
                # APScheduler may have seen the new time first, and the next call be reckoned from it already.
                latest = self._now_utc() + job.trigger.interval
                job.modify(next_run_time=min(job.next_run_time + timedelta(seconds=moved), latest))
