"""Makes the faults of a plan happen."""

import os
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot.sandbox.state.faults import Faults
from tests.soak.books import Books
from tests.soak.bot_process import BotProcess
from tests.soak.plan import Fault, Planned
from tests.soak.workspace import WorkspaceProcess

_SLOW_SECONDS = 4.0
_ERROR_SHARE = 0.5
_REPEAT_SHARE = 0.5
_DELAY_SECONDS = 2.0

_WHILE_STARTING = 0.1
"""The share of kills that do not wait until the bot is up."""

_LEAST_UP, _MORE_UP = 3.0, 6.0
"""Seconds for which a bot is up before it is killed: at least, and how many more at most."""

_USUAL_START = 7.0
"""Seconds that a bot needs to start on a machine with two processors that does nothing else."""

_LOOK_SECONDS = 0.1


class Saboteur:
    """Makes faults happen, each on a thread of its own. :meth:`close` ends those that last.

    Args:
        bot: The bot.
        workspace: The workspace.
        database: The bot's database, an SQLite file.
        books: Get every fault.
    """

    def __init__(self, bot: BotProcess, workspace: WorkspaceProcess, database: Path, books: Books) -> None:
        self._bot, self._workspace, self._database, self._books = bot, workspace, database, books
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock, self._killing = threading.Lock(), threading.Lock()
        self._active: dict[Planned, Faults] = {}
        self.errors: list[Exception] = []
        self._do: Mapping[Fault, Callable[[Planned], None]] = {
            Fault.KILL_BOT: self._kill_bot,
            Fault.KILL_WORKER: self._kill_worker,
            Fault.STOP_BOT: self._stop_bot,
            Fault.STOP_WORKER: self._stop_worker,
            Fault.STARVE_WORKER: self._starve_worker,
            Fault.DROP: self._drop,
            Fault.REFRESH: self._refresh,
            Fault.REPEAT: self._misbehave,
            Fault.ERRORS: self._misbehave,
            Fault.LIMITED: self._misbehave,
            Fault.SLOW: self._misbehave,
            Fault.LOCK: self._lock_database,
            Fault.DISK_FULL: self._fill_disk,
        }

    def run(self, planned: Sequence[Planned], stopped: threading.Event) -> None:
        """Follow a plan to its end, or until the run is stopped."""
        begun = time.monotonic()
        for each in planned:
            if stopped.wait(max(0.0, begun + each.at - time.monotonic())):
                return
            thread = threading.Thread(target=self._guarded, args=(each,), name=each.fault, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """End all faults, and wait until everything works again."""
        self._over.set()
        for each in self._threads:
            each.join()

    def _guarded(self, planned: Planned) -> None:
        try:
            self._do[planned.fault](planned)
        except ProcessLookupError:
            pass  # another fault had ended it a moment before
        except Exception as error:  # noqa: BLE001 - the run fails at its end
            self.errors.append(error)

    # The bot and its workers

    def _kill_bot(self, planned: Planned) -> None:
        """Kill the bot, most times when it has been up for some seconds: else it would never come to do anything."""
        if not self._killing.acquire(blocking=False):
            return
        try:
            while planned.pick >= _WHILE_STARTING and self._bot.seconds_up < self._wanted(planned):
                if self._over.wait(_LOOK_SECONDS):
                    return
            if self._bot.kill():
                self._books.count(planned.fault)
        finally:
            self._killing.release()

    def _wanted(self, planned: Planned) -> float:
        """How long the bot is up before it is killed: a machine that is busy with other things gets more time."""
        slowness = max(1.0, self._bot.starts[-1] / _USUAL_START)
        return slowness * (_LEAST_UP + _MORE_UP * planned.pick)

    def _kill_worker(self, planned: Planned) -> None:
        while (pid := self._worker(planned)) is None:
            if self._over.wait(_LOOK_SECONDS):
                return
        if not self._over.wait(_LOOK_SECONDS + planned.pick * _MORE_UP / 2):
            begun = time.time()
            os.kill(pid, signal.SIGKILL)
            self._books.count(planned.fault)
            self._books.out(planned.fault, begun, begun)

    def _stop_bot(self, planned: Planned) -> None:
        with self._books.outage(planned.fault):
            pid = self._bot.send(signal.SIGSTOP)
            self._over.wait(planned.seconds)
            os.kill(pid, signal.SIGCONT)

    def _stop_worker(self, planned: Planned) -> None:
        if (pid := self._worker(planned)) is not None:
            with self._books.outage(planned.fault):
                os.kill(pid, signal.SIGSTOP)
                self._over.wait(planned.seconds)
                os.kill(pid, signal.SIGCONT)

    def _starve_worker(self, planned: Planned) -> None:
        """Let a worker have no more memory than it has now."""
        if (pid := self._worker(planned)) is not None:
            with self._books.outage(planned.fault):
                _, most = resource.prlimit(pid, resource.RLIMIT_AS)
                resource.prlimit(pid, resource.RLIMIT_AS, (_memory(pid), most))
                self._over.wait(planned.seconds)
                resource.prlimit(pid, resource.RLIMIT_AS, (most, most))

    def _worker(self, planned: Planned) -> int | None:
        found = self._bot.workers()
        return found[int(planned.pick * len(found))] if found else None

    # Slack

    def _drop(self, planned: Planned) -> None:
        self._books.count(planned.fault)
        begun = time.time()
        self._workspace.drop()
        while self._workspace.connections() == 0 and self._bot.is_up and not self._over.wait(0.1):
            pass
        self._books.out(planned.fault, begun, time.time())

    def _refresh(self, planned: Planned) -> None:
        self._books.count(planned.fault)
        reason = "warning" if planned.pick < 0.3 else "refresh_requested"
        for _ in range(2 if planned.pick > 0.7 else 1):
            self._workspace.refresh(reason)

    def _misbehave(self, planned: Planned) -> None:
        faults = {
            Fault.REPEAT: Faults(repeats=_REPEAT_SHARE, delay_seconds=_DELAY_SECONDS),
            Fault.ERRORS: Faults(errors=_ERROR_SHARE),
            Fault.LIMITED: Faults(retry_after=max(1, round(planned.seconds))),
            Fault.SLOW: Faults(answer_seconds=_SLOW_SECONDS),
        }
        with self._books.outage(planned.fault):
            self._switch(planned, faults[planned.fault])
            self._over.wait(planned.seconds)
            self._switch(planned, None)

    def _switch(self, planned: Planned, faults: Faults | None) -> None:
        with self._lock:
            if faults is None:
                del self._active[planned]
            else:
                self._active[planned] = faults
            active = list(self._active.values())
            self._workspace.misbehave(
                Faults(
                    errors=max((each.errors for each in active), default=0.0),
                    retry_after=max((each.retry_after for each in active), default=0),
                    answer_seconds=max((each.answer_seconds for each in active), default=0.0),
                    repeats=max((each.repeats for each in active), default=0.0),
                    delay_seconds=max((each.delay_seconds for each in active), default=0.0),
                )
            )

    # The database

    def _lock_database(self, planned: Planned) -> None:
        connection = sqlite3.connect(self._database, timeout=30.0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            with self._books.outage(planned.fault):
                self._over.wait(planned.seconds)
                connection.execute("ROLLBACK")
        finally:
            connection.close()

    def _fill_disk(self, planned: Planned) -> None:
        """Let no file of the bot grow: SQLite is told so when it writes, as on a disk that is full."""
        pid = self._bot.pid
        with self._books.outage(planned.fault):
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
            self._over.wait(planned.seconds)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def _memory(pid: int) -> int:
    """The address space that a process has, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
