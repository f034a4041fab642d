"""Reports errors of the bot: the person is told that nothing is lost, and the log and the admins get a code."""

import logging
import secrets
from collections.abc import Callable
from typing import Protocol

from slack_sdk.errors import SlackApiError

from bot.slack.rate_limiter import CallNotMade, ShareUsedUp

log = logging.getLogger(__name__)


TOO_BUSY = "That took too long just now. What you entered and trained is kept. Please try again in a moment."
"""What the person reads when a call did not get its turn in time."""

TOO_MANY = (
    "You were quicker than I am, so I left out some of what you pressed or wrote just now. "
    "What you entered and trained is kept. Please wait a moment, and go on from what you see here."
)
"""What somebody reads who presses or writes more than one person can be answered."""


REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Slack's errors for a message whose blocks it does not accept."""

_PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack's errors after which another try may succeed."""


def may_pass(error: Exception) -> bool:
    """Whether another try may succeed: false if Slack has refused the call and will refuse it again."""
    if not isinstance(error, SlackApiError):
        return True
    return error.response.status_code >= 429 or error.response.get("error") in _PASSING


def name_of(error: Exception) -> str:
    """The name of an error, for the log: Slack's own one, or its type. An error's text may contain names."""
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__


def apology(code: str) -> str:
    """What the person reads when something failed."""
    return (
        f"Something went wrong on our side. What you entered and trained is kept. Please try again. "
        f"If it happens again, tell the researchers this code: {code}."
    )


class Alarms(Protocol):
    """Tells the admins. Its methods must not wait: the listener that failed may not have acknowledged yet."""

    def error(self, doing: str, error: str, code: str) -> None:
        """Something failed with this kind of error; the log has the details under the code."""

    def too_slow(self, doing: str, reason: str) -> None:
        """A call was not made, because there were more calls at once than Slack's limits allow."""


class ErrorReporter:
    """Reports errors under a code.

    Args:
        alarms: Tells the admins.
    """

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    def report(self, error: BaseException, doing: str, *, tell: Callable[[str], object] | None = None) -> str:
        """Log an error, tell the admins, and tell the person who waited for the answer.

        Args:
            error: The error. Its text goes only into the log, because it may contain names.
            doing: What the bot did, in a few words without anybody's name.
            tell: Gives a text to the person.

        Returns:
            The code.
        """
        code = secrets.token_hex(3).upper()
        log.error("%s while %s", code, doing, exc_info=error)
        if tell is not None:
            _attempt(tell, apology(code))
        self._alarms.error(doing, type(error).__name__, code)
        return code

    def too_slow(self, error: CallNotMade, doing: str, *, tell: Callable[[str], object] | None = None) -> None:
        """Report a call that did not get its turn within Slack's limits. It can be tried again.

        Args:
            error: The error. Its text names the call and no person.
            doing: What the bot did, as in :meth:`report`.
            tell: Gives a text to the person who waited for it.
        """
        log.warning("while %s: %s", doing, error)
        is_own_doing = isinstance(error, ShareUsedUp)
        if tell is not None:
            _attempt(tell, TOO_MANY if is_own_doing else TOO_BUSY)
        if not is_own_doing:
            self._alarms.too_slow(doing, str(error))


def _attempt(tell: Callable[[str], object], text: str) -> None:
    try:
        tell(text)
    except (SlackApiError, CallNotMade, OSError):
        log.exception("a person could not be told: %s", text)
