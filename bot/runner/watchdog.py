"""Sees to it that the threads of the bot live and go on (:mod:`bot.slack.background_tasks` has a table of them).

A thread that has died is started again, where that is safe. What has not gone on for long, is told. When neither helps,
the bot stops with a sentence, and whoever runs it (systemd, Kubernetes) starts it again: all that it knows is stored.
"""

import logging
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.runner.scheduler import Pulse
from bot.slack.lasting_thread import LastingThread

log = logging.getLogger(__name__)

TURN_SECONDS = 1.0
"""The time from one look to the next."""

MOST_RESTARTS, RESTARTS_WITHIN = 5, 600.0
"""A thread that dies more often than this within so many seconds is not started again: the bot stops."""

GIVE_UP_AFTER = 600.0
"""Seconds after which the bot stops when something that it needs has not gone on, or no thread can be started."""


@dataclass(frozen=True)
class Threads:
    """What the watchdog watches.

    Attributes:
        lasting: The threads that may be started again.
        pulses: What has to go on: how often each part has done its work, by a name for the admins.
        needed: The names of those without which the bot is of no use.
        others: Threads that cannot be started again, by a name for the admins: whether each lives.
    """

    lasting: Callable[[], Iterable[LastingThread]]
    pulses: Callable[[], Mapping[str, Pulse]]
    needed: frozenset[str]
    others: Callable[[], Mapping[str, bool]]


class Watchdog:
    """Looks after the threads, on a thread of its own.

    Args:
        threads: What to watch.
        tell: Tells the admins a sentence. It must not wait.
        stop: Stops the bot because of what the sentence says.
        each_turn: Called after each look.

    Attributes:
        thread: The thread of the watchdog itself.
    """

    def __init__(
        self,
        threads: Threads,
        *,
        tell: Callable[[str], object],
        stop: Callable[[str], object],
        each_turn: Callable[[], object] = lambda: None,
    ) -> None:
        self._threads = threads
        self._tell = tell
        self._stop = stop
        self._each_turn = each_turn
        self._closing = threading.Event()
        self._turns = 0
        self._seen: dict[str, tuple[int, int]] = {}  # the count, and the turn in which it was new
        self._stuck: set[str] = set()
        self._restarts: dict[str, deque[int]] = {}
        self._dead_since: dict[str, int] = {}
        self._gave_up = False
        self.thread = LastingThread("watchdog", self._run)

    @property
    def troubles(self) -> tuple[str, ...]:
        """The names of what is dead or does not go on."""
        return tuple(sorted({*self._dead_since, *self._stuck}))

    def start(self) -> None:
        """Begin to watch. When the watchdog itself has died, it goes on."""
        self.thread.start()

    def close(self) -> None:
        """Watch no more."""
        self._closing.set()
        self.thread.join(2 * TURN_SECONDS)

    def look(self) -> None:
        """Look once. It counts its own turns, not the time: nothing goes on while the process is suspended."""
        self._turns += 1
        for thread in self._threads.lasting():
            self._look_after(thread)
        for name, lives in self._threads.others().items():
            if not lives:
                self._dead_since.setdefault(name, self._turns)
                self._give_up(f"{name} has ended, and cannot be started again while the bot runs")
        for name, pulse in self._threads.pulses().items():
            self._feel(name, pulse)

    def _run(self) -> None:
        while not self._closing.wait(TURN_SECONDS):
            try:
                self.look()
                self._each_turn()
            except Exception:  # the next look may succeed
                log.exception("the watchdog met an error")

    def _look_after(self, thread: LastingThread) -> None:
        name = f"the thread {thread.name}"
        if not thread.has_died:
            self._dead_since.pop(name, None)
            return
        since = self._dead_since.setdefault(name, self._turns)
        restarts = self._restarts.setdefault(name, deque())
        while restarts and (self._turns - restarts[0]) * TURN_SECONDS > RESTARTS_WITHIN:
            restarts.popleft()
        if len(restarts) >= MOST_RESTARTS:
            self._give_up(f"{name} has ended {len(restarts) + 1} times within {RESTARTS_WITHIN / 60:.0f} minutes")
            return
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            if since == self._turns:
                self._report(f"{name} has ended, and the machine can start no thread now ({error}). It is tried again.")
            if (self._turns - since) * TURN_SECONDS >= GIVE_UP_AFTER:
                self._give_up(f"{name} has ended, and the machine can start no thread")
            return
        restarts.append(self._turns)
        self._report(f"{name} had ended, and was started again. The log says why.")

    def _feel(self, name: str, pulse: Pulse) -> None:
        count, turn = self._seen.get(name, (-1, self._turns))
        if count != pulse.count:
            self._seen[name] = pulse.count, self._turns
            if name in self._stuck:
                self._stuck.discard(name)
                log.warning("goes on again: %s", name)
            return
        seconds = (self._turns - turn) * TURN_SECONDS
        if seconds < pulse.seconds:
            return
        if name not in self._stuck:
            self._stuck.add(name)
            log.error("what every thread does now:\n%s", _stacks())
            self._report(f"{name} has not gone on for {seconds:.0f} s. The log says what every thread does.")
        if name in self._threads.needed and seconds >= GIVE_UP_AFTER:
            self._give_up(f"{name} has not gone on for {seconds:.0f} s")

    def _report(self, sentence: str) -> None:
        sentence = sentence[0].upper() + sentence[1:]
        log.error("%s", sentence)
        self._tell(sentence)

    def _give_up(self, reason: str) -> None:
        if self._gave_up:
            return
        self._gave_up = True
        self._stop(
            f"This bot has stopped so that it can be started again, because {reason}. What was stored is kept, and "
            "people get the time back."
        )


def _stacks() -> str:
    """Where every thread is now. A line of code names nobody."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - documented in sys
    )
