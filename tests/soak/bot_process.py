"""``blackmagic run`` as a child process that is started again whenever it has ended, and its workers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

BLACKMAGIC = Path(sys.executable).with_name("blackmagic")

_LOOK_SECONDS = 0.1
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0


class BotProcess:
    """The bot. Safe from any thread.

    Args:
        study: Its study file.
        environment: Where Slack is, and the tokens.
        log: The file that gets what it says.
        serves: Whether the bot is connected to Slack.
        down: Called with two moments in Unix time: from when until when there was no connected bot.

    Attributes:
        exits: The exit codes of bots that ended although nobody had killed them.
        starts: For each start, how many seconds passed until the bot was connected.
    """

    def __init__(
        self,
        study: Path,
        environment: dict[str, str],
        log: Path,
        serves: Callable[[], bool],
        down: Callable[[float, float], None],
    ) -> None:
        self._command = [str(BLACKMAGIC), "run", "--study", str(study)]
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every start would compile the program anew
        self._log = log.open("ab")
        self._serves = serves
        self._down = down
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._killed = False
        self._down_since: float | None = time.time()
        self._started_at = self._up_since = 0.0
        self.exits: list[int] = []
        self.starts: list[float] = []
        self._process = self._launch()
        self._watch = threading.Thread(target=self._look_after, name="bot-process", daemon=True)
        self._watch.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process of now."""
        return self._process.pid

    @property
    def is_up(self) -> bool:
        """Whether the bot of now is, or was, connected."""
        return self._down_since is None

    @property
    def seconds_up(self) -> float:
        """How long ago the bot of now was connected first; 0 before."""
        return time.time() - self._up_since if self._down_since is None else 0.0

    def wait_until_up(self) -> None:
        """Wait until it is connected.

        Raises:
            TimeoutError: It was not in time.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_up:
            if time.monotonic() > deadline:
                raise TimeoutError("The bot did not connect.")
            time.sleep(_LOOK_SECONDS)

    def kill(self) -> bool:
        """Kill it. It is started again. Returns false if it had not been started yet."""
        with self._lock:
            if self._process.poll() is not None:
                return False
            self._killed = True
            self._down_since = self._down_since or time.time()
            self._process.kill()
            self._process.wait()
            return True

    def send(self, number: signal.Signals) -> int:
        """Send a signal to the bot of now, and get its pid."""
        with self._lock:
            self._process.send_signal(number)
            return self._process.pid

    def workers(self) -> list[int]:
        """The pids of its workers."""
        return children(self.pid)

    def stop(self) -> int:
        """Stop it in order, and for good. Returns its exit code."""
        self._closing.set()
        self._watch.join()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._log.close()

    def _launch(self) -> "subprocess.Popen[bytes]":
        self._started_at = time.time()
        process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._copy, args=(process,), name="bot-log", daemon=True).start()
        return process

    def _copy(self, process: "subprocess.Popen[bytes]") -> None:
        """Copy what it says. (It writes into no file itself, so that it may be kept from writing into files.)"""
        assert process.stdout is not None
        for line in process.stdout:
            if not self._log.closed:
                self._log.write(line)
                self._log.flush()

    def _look_after(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            with self._lock:
                code = self._process.poll()
                if code is not None:
                    if not self._killed:
                        self.exits.append(code)
                        self._closing.wait(1.0)
                    self._down_since = self._down_since or time.time()
                    self._killed = False
                    self._process = self._launch()
                    continue
                since, begun = self._down_since, self._started_at
            if since is not None and self._serves():
                with self._lock:
                    if self._started_at == begun and self._process.poll() is None:
                        now = time.time()
                        self._down_since, self._up_since = None, now
                        self.starts.append(now - begun)
                        self._down(since, now)


def children(pid: int) -> list[int]:
    """The pids of a process's children, in the order in which they were started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return sorted(child for child, parent in pairs if parent == pid)
