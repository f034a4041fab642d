"""Alerts: counted in the database, and shown in one post for each kind until somebody acknowledges it."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from bot.admin.report_channel import ReportChannel
from bot.admin.views.alerts import alert_post, unrecorded_alert
from bot.slack.lasting_thread import LastingThread
from storage import alerts
from storage.database import Store
from storage.refusals import Refused
from storage.schema.tables import Alert

log = logging.getLogger(__name__)

SECONDS_BETWEEN_UPDATES = 10.0
"""The shortest time between two changes of an alert's post."""

_MOST_KINDS_UNRECORDED = 20


class Alerts:
    """Raises alerts and shows them. Safe from any thread.

    Args:
        store: Counts them.
        channel: Where they are shown.
        now: The time, aware.
        changed: Is called when there is something to show.

    Attributes:
        thread: The thread that records alerts; the first one starts it. It may be started again when it has died.
    """

    def __init__(
        self, store: Store, channel: ReportChannel, now: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        self._store = store
        self._channel = channel
        self._now = now
        self._changed = changed
        # Nobody who raises an alert waits for the database.
        self._raised: queue.SimpleQueue[tuple[str, str, datetime] | None] = queue.SimpleQueue()
        self._closed = False
        self.thread = LastingThread("alerts", self._record_all)
        self._lock = threading.Lock()
        self._to_show: set[int] = set()
        self._shown_at: dict[int, float] = {}
        self._unrecorded: dict[str, str] = {}
        self._said_unrecorded: set[str] = set()

    def catch_up(self) -> None:
        """Show the alerts that were raised before the last stop and that nobody has acknowledged."""
        with self._lock:
            self._to_show |= {alert.id for alert in alerts.unacknowledged(self._store)}

    def raise_alert(self, kind: str, text: str) -> None:
        """Count one more alert of a kind, and show it soon. Waits for nothing and raises no exception.

        Args:
            kind: One of :mod:`bot.admin.alert_kinds`.
            text: One sentence about this occurrence, without anybody's name.
        """
        if self._closed:
            log.warning("an alert is not shown, because the bot is closing: %s: %s", kind, text)
            return
        self._raised.put((kind, text, self._now()))
        try:
            self.thread.start()
        except (RuntimeError, MemoryError):  # the machine can start no thread now; the next alert tries again
            log.warning("an alert waits to be shown: %s: %s", kind, text)

    def acknowledge(self, alert_id: int, actor: str) -> Alert:
        """Note that an admin has seen an alert; its post says so.

        Raises:
            Refused: Somebody has acknowledged it already, or there is no such alert.
        """
        try:
            return alerts.acknowledge(self._store, alert_id, actor=actor, now=self._now())
        finally:
            with self._lock:
                self._to_show.add(alert_id)
                self._shown_at.pop(alert_id, None)
            self._changed()

    def close(self) -> None:
        """Record the alerts that were raised, and accept no more."""
        self._closed = True
        self._raised.put(None)
        self.thread.join()

    def tell(self) -> None:
        """Show the newest text of every alert whose post may change now. The others wait for the next call.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. Alerts that were not shown stay
                due.
        """
        self._say_unrecorded()
        with self._lock:
            to_show = sorted(self._to_show)
        for number in to_show:
            shown_at = self._shown_at.get(number)
            if shown_at is None or time.monotonic() - shown_at >= SECONDS_BETWEEN_UPDATES:
                self._show(number)

    def _show(self, number: int) -> None:
        with self._lock:
            self._to_show.discard(number)  # an alert that is raised from here on must be shown again
        try:
            alert = alerts.get(self._store, number)
            self._channel.show(alert.subject, alert_post(alert))
        except Refused as refused:
            log.warning("an alert is not shown: %s", refused)
        except Exception:
            with self._lock:
                self._to_show.add(number)
            raise
        self._shown_at[number] = time.monotonic()

    def _say_unrecorded(self) -> None:
        with self._lock:
            waiting = list(self._unrecorded.items())
        for kind, text in waiting:
            self._channel.say(unrecorded_alert(kind, text))
            with self._lock:
                self._unrecorded.pop(kind, None)
                self._said_unrecorded.add(kind)

    def _record_all(self) -> None:
        while (raised := self._raised.get()) is not None:
            self._record(*raised)

    def _record(self, kind: str, text: str, now: datetime) -> None:
        try:
            alert = alerts.raise_alert(self._store, kind=kind, text=text, now=now)
        except SQLAlchemyError as error:
            log.warning("an alert (%s: %s) cannot be recorded: %s", kind, text, error)
            with self._lock:
                if kind not in self._said_unrecorded and len(self._unrecorded) < _MOST_KINDS_UNRECORDED:
                    self._unrecorded[kind] = text
        else:
            with self._lock:
                self._to_show.add(alert.id)
                self._said_unrecorded.clear()
        self._changed()
