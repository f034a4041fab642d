"""Tasks that run after a listener has acknowledged, on threads of their own: no acknowledgement waits for them."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.slack.error_reporting import ErrorReporter
from bot.slack.rate_limiter import CallNotMade

log = logging.getLogger(__name__)


class BackgroundTasks:
    """Runs tasks soon, and reports those that fail. Safe from any thread.

    Args:
        errors: Reports errors.
        threads: How many tasks run at once.
    """

    def __init__(self, errors: ErrorReporter, threads: int = 16) -> None:
        self._errors = errors
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="background-task")
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the bot is being stopped."""
        return self._closed

    def run(self, doing: str, task: Callable[[], Any], *, tell: Callable[[str], object] | None = None) -> None:
        """Run a task soon, and report it if it fails. After :meth:`close`, no task runs.

        Args:
            doing: What the task does, in a few words, for the report.
            task: The task.
            tell: Gives a text to the person who waits for the task.
        """
        if not self._closed:
            self._pool.submit(self._run, doing, task, tell)

    def close(self) -> None:
        """Finish the tasks that were given, and accept no more."""
        self._closed = True
        self._pool.shutdown(wait=True)

    def _run(self, doing: str, task: Callable[[], Any], tell: Callable[[str], object] | None) -> None:
        try:
            task()
        except CallNotMade as error:
            if not self._closed:
                self._errors.too_slow(error, doing, tell=tell)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must be told
            if self._closed:
                log.info("not finished, because the bot is closing: %s (%s)", doing, error)
            else:
                self._errors.report(error, doing, tell=tell)
