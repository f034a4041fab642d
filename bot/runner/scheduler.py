"""Calls functions at certain times, on threads of APScheduler, while the bot runs.

It keeps nothing over a restart: deadlines are in the database, and :mod:`bot.study.sweep` reads them.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

_THREADS = 6
"""Two of the functions may wait for Slack or for a database that does not answer. The others must not wait for them."""


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


class Scheduler:
    """Calls functions regularly, once a day, or when something is due. A function that fails is called again.

    Args:
        on_error: Called with an error and with what was being done, in a few words.
    """

    def __init__(self, on_error: Callable[[Exception, str], object]) -> None:
        self._on_error = on_error
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(_THREADS)},
            # A late call is still made, but several late calls of one function are made once.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )

    def start(self) -> None:
        """Start to call the functions."""
        self._scheduler.start()

    def close(self) -> None:
        """Wait for the functions that run, and call no more."""
        if self._scheduler.running:
            # APScheduler's thread fails when it is stopped while it removes a job that has run.
            self._scheduler.pause()
            self._scheduler.get_jobs()  # waits until the thread removes nothing
            self._scheduler.shutdown(wait=True)

    def every(self, seconds: float, doing: str, do: Callable[[], object]) -> None:
        """Call a function regularly.

        Args:
            seconds: The time from one call to the next. A call that takes longer delays the next one.
            doing: What it does, in a few words, for the report of an error.
            do: The function.
        """
        self._scheduler.add_job(self._guarded(doing, do), "interval", seconds=seconds)

    def when_due(self, seconds: float, doing: str, do: Callable[[], datetime | None]) -> None:
        """Call a function regularly, and also at the moment when, as it says, something will be due.

        Args:
            seconds: The time from one call to the next.
            doing: What it does, in a few words, for the report of an error.
            do: The function. It returns the next moment at which something is due, or none.
        """
        due = f"due: {doing}"

        def call() -> None:
            moment = do()
            if moment is not None and moment < datetime.now(UTC) + timedelta(seconds=seconds):
                self._scheduler.add_job(guarded, "date", run_date=moment, id=due, replace_existing=True)

        guarded = self._guarded(doing, call)
        self._scheduler.add_job(guarded, "interval", seconds=seconds, next_run_time=datetime.now(UTC))

    def daily(self, at: time, zone: ZoneInfo, doing: str, do: Callable[[], object]) -> None:
        """Call a function once a day at this time of day, from the next time on.

        Every call sets the next one. APScheduler's own cron trigger would call without end within the hour that a time
        zone repeats in autumn.
        """
        guarded = self._guarded(doing, do)

        def call() -> None:
            set_next()
            guarded()

        def set_next() -> None:
            self._scheduler.add_job(call, "date", run_date=next_time(at, zone, datetime.now(UTC)))

        set_next()

    def _guarded(self, doing: str, do: Callable[[], object]) -> Callable[[], None]:
        def call() -> None:
            try:
                do()
            except Exception as error:  # noqa: BLE001 - the scheduler would only log it
                self._on_error(error, doing)

        return call
