"""A thread that has to live as long as the bot, and that can be started again when an error has ended it."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class LastingThread:
    """Runs a loop until the loop returns. Safe from any thread.

    Args:
        name: Its name.
        loop: The loop. It must be safe to begin it again after an error has ended it.
    """

    def __init__(self, name: str, loop: Callable[[], object]) -> None:
        self.name = name
        self._loop = loop
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_over = False

    @property
    def has_died(self) -> bool:
        """Whether it was started, and an error has ended it."""
        with self._lock:
            # In this order: a loop that returns says so before its thread ends.
            return self._thread is not None and not self._thread.is_alive() and not self._is_over

    @property
    def ident(self) -> int | None:
        """The identifier of the thread that runs now; none if none does."""
        with self._lock:
            return self._thread.ident if self._thread is not None and self._thread.is_alive() else None

    def start(self) -> None:
        """Begin the loop, or begin it again. While it runs, or after it has returned, nothing happens.

        Raises:
            RuntimeError, MemoryError: The machine can start no thread now.
        """
        with self._lock:
            if self._is_over or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            thread.start()
            self._thread = thread

    def is_alive(self) -> bool:
        """Whether the loop runs."""
        return self.ident is not None

    def join(self, timeout: float | None = None) -> None:
        """Wait until the loop does not run any more, but at most so many seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException:  # the thread ends here in any case
            log.exception("the thread %s has ended", self.name)
        else:
            self._is_over = True
