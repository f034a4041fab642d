"""What is done after a listener has acknowledged: on threads of its own, so that no acknowledgement waits for it."""

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
        errors: Is told what goes wrong.
        threads: How many tasks run at once.
    """

    def __init__(self, errors: ErrorReporter, threads: int = 16) -> None:
        self._errors = errors
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="background-task")
        self._closed = False

    def run(self, doing: str, task: Callable[[], Any], *, tell: Callable[[str], None] | None = None) -> None:
        """Do something soon, and report it if it fails. After :meth:`close`, nothing is done.

        Args:
            doing: What it is, in a few words, for the report.
            task: Does it.
            tell: Gives a text to the person who waits for it.
        """
        if not self._closed:
            self._pool.submit(self._run, doing, task, tell)

    def close(self) -> None:
        """Finish what was begun, and take nothing more."""
        self._closed = True
        self._pool.shutdown(wait=True)

    def _run(self, doing: str, task: Callable[[], Any], tell: Callable[[str], None] | None) -> None:
        try:
            task()
        except CallNotMade as error:
            if not self._closed:
                self._errors.too_slow(error, doing, tell=tell)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must be told
            if self._closed:
                log.info("closing: did not finish %s (%s)", doing, error)
            else:
                self._errors.report(error, doing, tell=tell)
