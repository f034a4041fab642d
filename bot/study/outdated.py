"""What old messages and forms carry. Those of another version of the bot may carry what this one cannot read."""

from collections.abc import Iterator
from contextlib import contextmanager

from storage.refusals import Reason, Refused

OLD_BUTTON = (
    "This does not work any more. What it is about has ended, or it is from an older version of the bot or from "
    "somebody else's session, so nothing was changed."
)
_OLD_FORM = (
    "This form is from an older version of the bot, so nothing was changed. Please close it, and press the button that "
    "opened it again."
)

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What reading raises that expects something else. A reader does nothing but read."""


@contextmanager
def reading_button() -> Iterator[None]:
    """Read what a button carries.

    Raises:
        Refused: It cannot be read.
    """
    try:
        yield
    except _UNREADABLE as error:
        raise Refused(Reason.UNKNOWN, OLD_BUTTON) from error


@contextmanager
def reading_form() -> Iterator[None]:
    """Read what a form carries.

    Raises:
        Refused: It cannot be read.
    """
    try:
        yield
    except _UNREADABLE as error:
        raise Refused(Reason.UNKNOWN, _OLD_FORM) from error
