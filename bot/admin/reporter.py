"""What admins are told: one thread posts it all, in order, and tries again for as long as Slack does not take it."""

import http.client
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from slack_sdk.errors import SlackApiError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.admin.alert_kinds import Kind, error_while
from bot.admin.alerts import Alerts
from bot.admin.announcements import Story
from bot.admin.digests import Digests
from bot.admin.disk import CHECK_SECONDS, DiskWatch
from bot.admin.final_report import Final
from bot.admin.participant_results import Results
from bot.admin.report_channel import Channel
from bot.admin.views.participant_results import bot_started
from bot.runner.scheduler import Clock
from bot.settings.settings import Settings
from bot.slack.client import Slack
from bot.slack.rate_limiter import PacingError
from storage.database import Store
from storage.transitions import studies

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the event log is looked at."""

_LONGEST_PAUSE = 60.0
_CLOSING_SECONDS = 5.0

_AWAY = (PacingError, OSError, http.client.HTTPException, SQLAlchemyError)
"""Slack, or the database, cannot be reached now."""


class Admins:
    """Tells admins in the report channel; where there is none, alerts are counted all the same. Safe from any thread.

    What is told follows from what is kept, so a restart repeats nothing and leaves nothing out.

    Args:
        settings: The study.
        store: What happened.
        slack: The workspace.
        now: The time, aware.

    Attributes:
        alerts: What broke.
        results: What participants came to.
    """

    def __init__(self, settings: Settings, store: Store, slack: Slack, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._store = store
        self._channel = Channel(slack, store, settings.slack.report_channel)
        self.alerts = Alerts(store, self._channel, now, self.look)
        self.results = Results(store, self._channel, settings.groups)
        self._digests = Digests(settings, store, self._channel, now)
        self._story = Story(store, self._channel, self.alert)
        self._final = Final(settings, store, slack, self._channel, self.alert)
        self._disk = DiskWatch(_folders(settings), self.alert)
        self._greeted = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="admins", daemon=True)
        self._in_trouble: list[str] = []

    def begin(self) -> None:
        """Note what was told before. To be called before what a stop left behind is set right, so that this is told."""
        self._story.begin()
        self.alerts.catch_up()
        self.results.catch_up()

    def tell(self, clock: Clock) -> None:
        """Begin to tell; the clock says when to look at the disk, and when the day's digest is due."""
        if self._channel.id:
            self._thread.start()
        clock.every(CHECK_SECONDS, self._disk.look)
        clock.daily(self._settings.slack.digest_at, self._settings.slack.zone, self._ring)
        self._disk.look()

    def close(self) -> None:
        """Tell what was begun, for a moment, and no more. What is left is told at the next start."""
        self._final.close()
        self.alerts.close()
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)

    def look(self) -> None:
        """Something may be to tell: look soon. Waits for nothing."""
        self._wake.set()

    def alert(self, kind: str, text: str) -> None:
        """Something broke. Waits for nothing, and raises nothing.

        Args:
            kind: One of :mod:`bot.admin.alert_kinds`: what is of one kind is gathered in one post.
            text: One sentence about this time, without anybody's name; so no text of an exception, which may hold one.
        """
        self.alerts.raise_alert(kind, text)

    def evaluated(self, session_id: int) -> None:
        """An evaluation of a session's final choice has ended."""
        self.results.expect(session_id)
        self.look()

    def slack_limits(self, method: str, seconds: float) -> None:
        """Slack refused a call as one too many."""
        if not self._closing.is_set():
            self.alert(
                Kind.SLACK_LIMITS, f"Slack takes no {method} for {seconds:g} s. Nothing is lost; frames come slower."
            )

    def _ring(self) -> None:
        self._digests.ring()
        self.look()

    def _run(self) -> None:
        pause = LOOK_SECONDS
        while True:
            self._wake.clear()
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
                self._wake.wait(LOOK_SECONDS)

    def _greet(self) -> None:
        study = None if self._greeted else studies.newest_study(self._store)
        if study is not None:
            self._channel.say(bot_started(study.name, study.state, study.rules_hash, self._settings.machine.slots))
        self._greeted = True

    def _tell(self) -> list[Exception]:
        """Tell what is to be told. What one has trouble with does not hold up the others, unless Slack is away."""
        errors: list[Exception] = []
        for tell in (
            self._greet,
            self._story.tell,
            self.results.tell,
            self.alerts.tell,
            self._digests.tell,
            self._final.tell,
        ):
            try:
                tell()
            except _AWAY as error:
                return [*errors, error]
            except Exception as error:  # noqa: BLE001 - it is noted
                errors.append(error)
        return errors

    def _note(self, errors: list[Exception]) -> None:
        """Log what is new about our trouble, once; admins hear of it if it is our fault."""
        trouble = [f"{type(each).__name__}: {each}" for each in errors]
        for error, text in zip(errors, trouble, strict=True):
            if text in self._in_trouble:
                continue
            if isinstance(error, SlackApiError):
                log.error("the report channel takes no posts (they are kept): %s", error.response["error"])
            elif isinstance(error, _AWAY):
                log.warning("the report channel is not reached, what is to be told is kept: %s", text)
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
