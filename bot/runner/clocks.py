"""The time of the bot, and whether people are served.

The wall clock tells people and the database what time it is, and anybody may set it. Another clock counts the seconds
that have passed, also while the machine is suspended. From the two follows whether the wall clock was set. When the bot
has not looked at them for long, its process was suspended; when Slack is not heard, nothing that people do arrives.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.transitions.recovery import BOT_WAS_SUSPENDED, SLACK_WAS_AWAY, Unserved

LOOK_SECONDS = 1.0
"""How often :meth:`Clocks.look` has to be called."""

SUSPENDED_SECONDS = 30.0
"""A process that has not looked for so long was suspended. On a machine with too much to do, some seconds pass."""

SILENT_SECONDS = 30.0
"""The SDK asks every two seconds whether Slack is there, and opens a new connection after ten without an answer
(:mod:`bot.slack.bolt`). When none of that has helped for so long, Slack is not there."""

AWAY_SECONDS = 30.0
"""A shorter time without Slack is not given back: Slack replaces connections, and presses are sent again."""

_CLOCK_WAS_SET = 2.0
"""The wall clock was set when the two clocks differ by so many seconds. A slow correction is followed in such steps."""


def boot_seconds() -> float:
    """Seconds that only grow, also while the machine is suspended, where it can tell (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True)
class Correction:
    """What is to be stored about the time.

    Attributes:
        now: The time, as the wall clock shows it now.
        unserved: The times in which nobody was served.
        clock_set: How much the wall clock was set forward; negative if it was set back.
        frozen: How many of the unserved seconds the process was suspended.
    """

    now: datetime
    unserved: tuple[Unserved, ...]
    clock_set: timedelta
    frozen: float


class Clocks:
    """Compares the clocks. Safe from any thread.

    Args:
        heard: Something else each time when Slack was heard; none while there is no connection.
        wall: The wall clock, in seconds since 1970.
        passed: Seconds that only grow, also while the machine is suspended.
    """

    def __init__(
        self,
        heard: Callable[[], Hashable | None],
        wall: Callable[[], float] = time.time,
        passed: Callable[[], float] = boot_seconds,
    ) -> None:
        self._heard = heard
        self._wall = wall
        self._passed = passed
        self._lock = threading.Lock()
        self._measures = False
        self._lead = wall() - passed()
        self._looked_at = self._heard_at = self._found_at = passed()
        self._last_heard: Hashable | None = None
        self._unserved_since: float | None = None
        self._was_suspended = False
        self._frozen = 0.0
        self._unserved: list[tuple[float, float, str]] = []

    def begin(self) -> None:
        """Measure from now on whether people are served."""
        with self._lock:
            self._measures = True
            self._lead = self._wall() - self._passed()
            self._looked_at = self._heard_at = self._found_at = self._passed()

    def end(self) -> None:
        """Measure no more: the bot is being closed."""
        with self._lock:
            self._measures = False

    def now(self) -> datetime:
        """The time, aware.

        It stands still while the process is suspended, and follows a wall clock that was set, only when that is stored:
        so what is under way has the time that it had, at every moment.
        """
        with self._lock:
            self._look()
            return self._moment(self._looked_at - self._frozen)

    def look(self) -> None:
        """Look at the clocks, and whether Slack was heard. To be called every :data:`LOOK_SECONDS`."""
        with self._lock:
            self._look()

    @property
    def served_until(self) -> datetime | None:
        """Until when people were served; none if they are served now."""
        with self._lock:
            return None if self._unserved_since is None else self._moment(self._unserved_since)

    def settled(self) -> datetime | None:
        """The time, aware; none if people are not served now, or if a correction is still to be stored."""
        with self._lock:
            self._look()
            if self._unserved_since is not None or self._unserved or self._clock_set():
                return None
            return self._moment(self._looked_at)

    def correction(self) -> Correction | None:
        """What is to be stored now; none if that is nothing, or while people are not served."""
        with self._lock:
            self._look()
            clock_set = self._clock_set()
            if self._unserved_since is not None or not (self._unserved or clock_set):
                return None
            unserved = tuple(
                Unserved(self._moment(since + clock_set), self._moment(until + clock_set), why)
                for since, until, why in self._unserved
            )
            now = self._moment(self._looked_at + clock_set)
            return Correction(now, unserved, timedelta(seconds=clock_set), self._frozen)

    def corrected(self, correction: Correction) -> None:
        """Note that a correction is stored."""
        with self._lock:
            self._lead += correction.clock_set.total_seconds()
            self._frozen -= correction.frozen
            del self._unserved[: len(correction.unserved)]

    def _moment(self, at: float) -> datetime:
        return datetime.fromtimestamp(self._lead + at, UTC)

    def _clock_set(self) -> float:
        """How many seconds the wall clock was set forward; 0 if it was not set."""
        if not self._measures:
            return 0.0
        moved = self._wall() - self._passed() - self._lead
        return moved if abs(moved) >= _CLOCK_WAS_SET else 0.0

    def _look(self) -> None:
        before, at = self._looked_at, self._passed()
        self._looked_at = at
        if not self._measures:
            return
        if at - before >= SUSPENDED_SECONDS:
            self._frozen += at - before
            self._was_suspended = True
            self._lose(before)
        heard = self._heard()
        if heard is not None and heard != self._last_heard:
            self._last_heard, self._heard_at = heard, at
        if heard is None or at - self._heard_at >= SILENT_SECONDS:
            self._lose(self._heard_at)
        elif self._unserved_since is not None:
            self._find(at)

    def _lose(self, since: float) -> None:
        """People are not served from this moment on, if they were served until then."""
        if self._unserved_since is None:
            self._unserved_since = max(since, self._found_at)

    def _find(self, at: float) -> None:
        """People are served from this moment on."""
        since = at if self._unserved_since is None else self._unserved_since
        self._unserved_since, self._found_at = None, at
        if self._was_suspended or at - since >= AWAY_SECONDS:
            self._unserved.append((since, at, BOT_WAS_SUSPENDED if self._was_suspended else SLACK_WAS_AWAY))
        self._was_suspended = False
