"""When something of ours breaks: the person is told that nothing is lost, the log and the admins get the code."""

import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.admin.alert_kinds import Kind, error_while
from bot.slack.rate_limiter import PacingError

log = logging.getLogger(__name__)


TOO_BUSY = "That took too long just now; what you entered and trained is kept. Please try again in a moment."
"""What the person reads when a call did not get its turn in time."""


def apology(code: str) -> str:
    """What the person reads."""
    return (
        f"Something went wrong on our side; what you entered and trained is kept. Please try again. "
        f"If it happens again, tell the researchers this code: {code}."
    )


class Trouble:
    """Reports errors under a code.

    Args:
        alert: Tells the admins; takes a kind and a sentence. Must not wait: who failed has yet to acknowledge.
    """

    def __init__(self, alert: Callable[[str, str], None]) -> None:
        self._alert = alert

    def report(self, error: BaseException, doing: str, *, tell: Callable[[str], None] | None = None) -> str:
        """Log an error, tell the admins, and whoever waited for the answer.

        Args:
            error: What happened. Its text goes into the log alone: it may hold anything.
            doing: During what, in a few words without anybody's name.
            tell: Gives a text to the person.

        Returns:
            The code.
        """
        code = secrets.token_hex(3).upper()
        log.error("%s while %s", code, doing, exc_info=error)
        if tell is not None:
            self._attempt(tell, apology(code))
        self._alert(error_while(doing), f"{type(error).__name__}, code {code}. The log has the details.")
        return code

    def too_busy(self, error: PacingError, doing: str, *, tell: Callable[[str], None] | None = None) -> None:
        """Say that a call did not get its turn within Slack's limits: nothing is broken, and it can be tried again.

        Args:
            error: Which call; its text names nobody.
            doing: During what, as in :meth:`report`.
            tell: Gives a text to the person who waited for it.
        """
        log.warning("while %s: %s", doing, error)
        if tell is not None:
            self._attempt(tell, TOO_BUSY)
        self._alert(Kind.TOO_SLOW, f"More was to be done at once than can be, while {doing}: {error}")

    @staticmethod
    def _attempt(tell: Callable[[str], object], text: str) -> None:
        try:
            tell(text)
        except (SlackApiError, PacingError, OSError):
            log.exception("could not tell: %s", text)


class Errands:
    """What is done after a listener has acknowledged: on threads of its own, so that no acknowledgement waits for it.

    Args:
        trouble: Is told what goes wrong.
        threads: How many errands are run at once.
    """

    def __init__(self, trouble: Trouble, threads: int = 16) -> None:
        self._trouble = trouble
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="errand")
        self._closed = False

    def run(self, doing: str, errand: Callable[[], Any], *, tell: Callable[[str], None] | None = None) -> None:
        """Do something soon, and report it if it fails.

        Args:
            doing: What it is, in a few words, for the report.
            errand: Does it.
            tell: Gives a text to the person who waits for it.
        """
        if not self._closed:
            self._pool.submit(self._run, doing, errand, tell)

    def close(self) -> None:
        """Finish what was begun, and take nothing more."""
        self._closed = True
        self._pool.shutdown(wait=True)

    def _run(self, doing: str, errand: Callable[[], Any], tell: Callable[[str], None] | None) -> None:
        try:
            errand()
        except PacingError as error:
            if not self._closed:
                self._trouble.too_busy(error, doing, tell=tell)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must be told
            if self._closed:
                log.info("closing: did not finish %s (%s)", doing, error)
            else:
                self._trouble.report(error, doing, tell=tell)
