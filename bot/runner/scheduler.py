"""What happens by the clock: APScheduler calls it, on threads of its own, while the bot runs.

Nothing is kept here over a restart: deadlines are columns of the database, which :mod:`bot.study.sweep` reads.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

_THREADS = 4


def next_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The first moment after ``now`` that is this time of day in a zone, in UTC.

    Where clocks are set back it is the first of the two; where they skip it, it comes as much later as they skip.
    """
    return min(each for each in _around(at, zone, now) if each > now)


def last_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The last moment, ``now`` included, that was this time of day in a zone, in UTC."""
    return max(each for each in _around(at, zone, now) if each <= now)


def _around(at: time, zone: ZoneInfo, now: datetime) -> list[datetime]:
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=each) for each in (-1, 0, 1))
    return [datetime.combine(day, at, zone).astimezone(UTC) for day in days]


class Scheduler:
    """Calls functions again and again, once a day, or when something is due. A function that fails is called again.

    Args:
        on_error: Is told of an error, and what was being done, in a few words.
    """

    def __init__(self, on_error: Callable[[Exception, str], object]) -> None:
        self._on_error = on_error
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(_THREADS)},
            # What comes late is still to be done; ten late calls are one.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin to call."""
        self._scheduler.start()

    def close(self) -> None:
        """Wait for what is being done, and call no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def every(self, seconds: float, doing: str, do: Callable[[], object]) -> None:
        """Call a function again and again.

        Args:
            seconds: From one call to the next. A call that takes longer delays the next one.
            doing: What it does, in a few words, for the report of an error.
            do: The function.
        """
        self._scheduler.add_job(self._guarded(doing, do), "interval", seconds=seconds)

    def when_due(self, seconds: float, doing: str, do: Callable[[], datetime | None]) -> None:
        """Call a function again and again, and besides at the moment at which it says that something will be due.

        Args:
            seconds: From one call to the next.
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

        Every call sets the next one: APScheduler's own cron trigger calls without end within the hour that a zone
        repeats in autumn.
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
