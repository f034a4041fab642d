"""The time limit. Deadlines are columns in the database; the alarms here only wake us up.

Alarms are APScheduler jobs in the same database, so they survive a restart. An alarm carries no decision:
whoever is woken looks at the session's deadline and does what is due by then.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

log = logging.getLogger(__name__)

_PERSISTENT = "default"
_VOLATILE = "volatile"


class Alarm(StrEnum):
    """Why we were woken."""

    WARNING = "warning"
    DEADLINE = "deadline"
    GRACE = "grace"


Wake = Callable[[int, Alarm], None]


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


_running: "Clock | None" = None


def ring(session: int, alarm: str) -> None:
    """What a stored alarm calls: APScheduler keeps its name, not the function."""
    if _running is not None:
        _running.wake(session, Alarm(alarm))


class Clock:
    """Sets alarms for sessions, and keeps them over restarts. One runs in a process.

    Args:
        engine: The database of the study.
        wake: Called on a thread of the scheduler with the session's id and the kind of alarm.
    """

    def __init__(self, engine: Engine, wake: Wake) -> None:
        self.wake = wake
        self._scheduler = BackgroundScheduler(
            jobstores={
                _PERSISTENT: SQLAlchemyJobStore(engine=engine, tablename="alarm"),
                _VOLATILE: MemoryJobStore(),
            },
            executors={"default": ThreadPoolExecutor(4)},
            # An alarm that comes late is still an alarm; ten late ones are one.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin to ring; alarms that were due while nobody ran ring at once."""
        global _running
        _running = self
        self._scheduler.start()

    def close(self) -> None:
        """Stop ringing; stored alarms stay."""
        global _running
        if self._scheduler.running:
            # An alarm that rings in this moment is removed before the scheduler stops: APScheduler's thread breaks
            # when it is stopped in between, and the alarm would ring again at the next start.
            self._scheduler.pause()
            self._scheduler.get_jobs()  # waits for the thread
            self._scheduler.shutdown(wait=True)
        if _running is self:
            _running = None

    def set_alarms(self, session: int, deadline: datetime, warnings: Sequence[timedelta], now: datetime) -> None:
        """Set, or move, the alarms of a session that is running: its warnings and its deadline."""
        self.clear_alarms(session)
        for number, before in enumerate(warnings):
            if deadline - before > now:
                self._set(session, Alarm.WARNING, deadline - before, f"{number}")
        self._set(session, Alarm.DEADLINE, deadline)

    def set_grace(self, session: int, ends: datetime) -> None:
        """Set the alarm for the end of the grace period."""
        self.clear_alarms(session)
        self._set(session, Alarm.GRACE, ends)

    def clear_alarms(self, session: int) -> None:
        """Remove the alarms of a session, if it has any."""
        for job in self._scheduler.get_jobs(_PERSISTENT):
            if job.args and job.args[0] == session:
                try:
                    self._scheduler.remove_job(job.id, _PERSISTENT)
                except JobLookupError:
                    log.debug("alarm %s rang while it was being removed", job.id)

    def every(self, seconds: float, do: Callable[[], None]) -> None:
        """Call a function again and again while the clock runs."""
        self._scheduler.add_job(do, "interval", seconds=seconds, jobstore=_VOLATILE)

    def daily(self, at: time, zone: ZoneInfo, do: Callable[[], None]) -> None:
        """Call a function once a day at this time of day while the clock runs. It is told of no day before the start.

        Every ring sets the next one: APScheduler's own cron trigger rings without end within the hour that a zone
        repeats in autumn.
        """

        def ring() -> None:
            set_next()
            do()

        def set_next() -> None:
            self._scheduler.add_job(ring, "date", run_date=next_time(at, zone, datetime.now(UTC)), jobstore=_VOLATILE)

        set_next()

    def _set(self, session: int, alarm: Alarm, at: datetime, suffix: str = "") -> None:
        self._scheduler.add_job(
            ring,
            "date",
            run_date=at,
            args=[session, str(alarm)],
            id=f"session:{session}:{alarm}{suffix}",
            jobstore=_PERSISTENT,
            replace_existing=True,
        )
