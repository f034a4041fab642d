"""Posts everything that admins are told: one thread does it, in order, and tries again until Slack accepts it."""

import http.client
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from slack_sdk.errors import SlackApiError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.admin.alert_kinds import AlertKind, error_while
from bot.admin.alerts import Alerts
from bot.admin.announcements import Announcements
from bot.admin.baseline_results import BaselineResults
from bot.admin.digests import Digests
from bot.admin.disk import CHECK_SECONDS, DiskWatch
from bot.admin.final_report import FinalReports
from bot.admin.participant_results import ParticipantResults
from bot.admin.preregistrations import Preregistrations
from bot.admin.report_channel import ReportChannel
from bot.admin.views.announcements import alone_again, stopped
from bot.runner.scheduler import Scheduler
from bot.settings.settings import Settings
from bot.slack.block_kit import Message
from bot.slack.client import Slack
from bot.slack.lasting_thread import LastingThread
from bot.slack.rate_limiter import CallNotMade
from storage.database import Store
from storage.schema.states import JobKind
from storage.transitions.jobs import Job

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the event log is read."""

_LONGEST_PAUSE = 60.0
_CLOSING_SECONDS = 5.0

_AWAY = (CallNotMade, OSError, http.client.HTTPException, SQLAlchemyError)
"""Errors that mean: Slack or the database cannot be reached now."""


class AdminReporter:
    """Tells admins in the report channel. Without a channel, alerts are only counted. Safe from any thread.

    What it tells follows from the database, so a restart repeats nothing and loses nothing.

    Args:
        settings: The study's settings.
        store: The database.
        slack: The workspace.
        now: The time, aware.

    Attributes:
        alerts: The alerts.
        results: The results of participants.
    """

    def __init__(self, settings: Settings, store: Store, slack: Slack, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._store = store
        self._channel = ReportChannel(slack, store, settings.slack.report_channel)
        self.alerts = Alerts(store, self._channel, now, self.wake)
        self.results = ParticipantResults(store, self._channel, settings.groups)
        self._baseline_results = BaselineResults(store, self._channel)
        self._digests = Digests(settings, store, self._channel, now)
        self._announcements = Announcements(store, self._channel, self.alert, settings.machine.slots, now)
        self._preregistrations = Preregistrations(store, slack, self._channel)
        self._final_reports = FinalReports(settings, store, slack, self._channel, self.alert)
        self._disk = DiskWatch(_folders(settings), self.alert)
        self._lines: deque[Message] = deque()
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = LastingThread("admins", self._run)
        self._in_trouble: list[str] = []

    def begin(self) -> None:
        """Note what was told before. To be called before the recovery from a stop, so that the recovery is told."""
        self._announcements.begin()
        self.alerts.catch_up()
        self.results.catch_up()

    def start(self, scheduler: Scheduler) -> None:
        """Start to tell. The scheduler says when to check the disk, and when the day's digest is due."""
        if self._channel.id:
            self._thread.start()
        scheduler.every(CHECK_SECONDS, "checking how full the disk is", self._disk.check)
        slack = self._settings.slack
        scheduler.daily(slack.digest_at, slack.zone, "posting the digest", self._digest_is_due)
        self._disk.check()

    def close(self) -> None:
        """Tell the rest for a few seconds, then stop. What is left is told at the next start."""
        self._final_reports.close()
        self.alerts.close()
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)

    @property
    def threads(self) -> Sequence[LastingThread]:
        """The thread that tells, and the one that records alerts."""
        return self._thread, self.alerts.thread

    def wake(self) -> None:
        """Tell soon what is new. Waits for nothing."""
        self._woken.set()

    def alert(self, kind: str, text: str) -> None:
        """Raise an alert. Waits for nothing, and raises no exception.

        Args:
            kind: One of :mod:`bot.admin.alert_kinds`. Alerts of one kind are gathered in one post.
            text: One sentence about this occurrence, without anybody's name: an exception's text may contain one.
        """
        self.alerts.raise_alert(kind, text)

    def redraw_digest(self, ts: str) -> None:
        """Bring a digest up to date: a button under it was pressed. Waits for Slack."""
        self._digests.redraw(ts)

    # What the study tells (:class:`bot.study.protocols.Admins`)

    def evaluated(self, session_id: int) -> None:
        """An evaluation of a session's final choice has ended."""
        self.results.expect(session_id)
        self.wake()

    def take_back(self, ts: str) -> None:
        """A participant's data was deleted: this post must not show it. Waits for Slack."""
        if not self._digests.redraw(ts):
            self.results.take_back(ts)

    def worker_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again."""
        self.alert(
            AlertKind.WORKER_LOST,
            f"The worker in slot {job.slot} was lost with {job.key} of {job.participant}. The job runs again.",
        )

    def job_failed(self, job: Job, why: str) -> None:
        """A job ended with an error."""
        kind = AlertKind.EVALUATION_FAILED if job.kind is JobKind.EVALUATION else AlertKind.TRIAL_FAILED
        self.alert(kind, f"{job.key} of {job.participant} failed in slot {job.slot}: {why}.")

    def out_of_memory(self, job: Job, count: int) -> None:
        """Several trials within an hour needed more memory than there is; ``job`` was the last one."""
        last = f"the last was {job.key} of {job.participant}"
        text = f"{count} trials within an hour needed more memory than there is; {last}."
        self.alert(AlertKind.OUT_OF_MEMORY, text)

    def slot_unusable(self, reason: str) -> None:
        """A slot cannot be used."""
        self.alert(AlertKind.SLOT_UNUSABLE, reason)

    # What goes wrong (:class:`bot.slack.error_reporting.Alarms`)

    def error(self, doing: str, error: str, code: str) -> None:
        """Something failed with this kind of error; the log has the details under the code."""
        self.alert(error_while(doing), f"{error} while {doing}, code {code}. The log has the details.")

    def too_slow(self, doing: str, reason: str) -> None:
        """A call was not made, because there were more calls at once than Slack's limits allow."""
        self.alert(AlertKind.TOO_SLOW, f"More calls at once than Slack's limits allow, while {doing}: {reason}")

    def slack_limits(self, method: str, seconds: float) -> None:
        """Slack refused a call as one too many."""
        if not self._closing.is_set():
            self.alert(
                AlertKind.SLACK_LIMITS,
                f"Slack accepts no {method} for {seconds:g} s. Nothing is lost. Loss plots change less often.",
            )

    def another_bot(self, connections: int) -> None:
        """Another program is connected as the same Slack app.

        Args:
            connections: How many connections it has.
        """
        many = "1 more connection" if connections == 1 else f"{connections} more connections"
        self.alert(
            AlertKind.ANOTHER_BOT,
            f"My Slack app has {many}: another bot runs with the same tokens, perhaps on another machine. Slack sends "
            "each press to only one of us, so people get wrong answers or none. Stop the other bot.",
        )

    def part_stopped(self, sentence: str) -> None:
        """A thread that has to live has ended, or does not go on."""
        self.alert(AlertKind.PART_STOPPED, sentence)

    def alone_again(self) -> None:
        """The other program is gone."""
        self._lines.append(alone_again())
        self.wake()

    def stopped(self, why: str) -> None:
        """The bot stops by itself; ``why`` is a sentence."""
        self._lines.append(stopped(why))
        self.wake()

    def _digest_is_due(self, moment: datetime) -> None:
        self._digests.is_due(moment)
        self.wake()

    def _run(self) -> None:
        pause = LOOK_SECONDS
        while True:
            self._woken.clear()
            closing = self._closing.is_set()
            errors = self._tell()
            self._note(errors)
            if closing:
                return
            if errors:
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = LOOK_SECONDS
                self._woken.wait(LOOK_SECONDS)

    def _say_lines(self) -> None:
        while self._lines:
            self._channel.say(self._lines[0])
            self._lines.popleft()

    def _tell(self) -> list[Exception]:
        """Tell everything that is due. One error does not stop the others, unless Slack or the database is away."""
        errors: list[Exception] = []
        for tell in (
            self._announcements.tell,
            self._preregistrations.tell,
            self.results.tell,
            self._baseline_results.tell,
            self.alerts.tell,
            self._say_lines,
            self._digests.tell,
            self._final_reports.tell,
        ):
            try:
                tell()
            except _AWAY as error:
                return [*errors, error]
            except Exception as error:  # noqa: BLE001 - it is noted
                errors.append(error)
        return errors

    def _note(self, errors: list[Exception]) -> None:
        """Log every new error once. Errors of the bot itself are told to the admins, too."""
        trouble = [f"{type(error).__name__}: {error}" for error in errors]
        for error, text in zip(errors, trouble, strict=True):
            if text in self._in_trouble:
                continue
            if isinstance(error, SlackApiError):
                log.error("the report channel accepts no posts (they are kept): %s", error.response["error"])
            elif isinstance(error, _AWAY):
                log.warning("the report channel cannot be reached (posts are kept): %s", text)
            else:
                log.error("telling the admins", exc_info=error)
                self.alert(error_while("telling the admins"), f"{type(error).__name__}. The log has the details.")
        self._in_trouble = trouble


def _folders(settings: Settings) -> dict[str, Path]:
    folders = {"the images": settings.folder / settings.machine.data}
    database = make_url(settings.machine.database)
    if database.get_backend_name() == "sqlite" and database.database:
        folders["the database"] = Path(database.database).parent
    return folders
