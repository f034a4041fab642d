"""Numbers as people type them: ``1e-4``, ``.001``, ``0,001``, `` 3e-4 ``.

A form field is text, because Slack's number input takes no scientific notation. People from half the
world write a decimal comma, so a comma is read where it can only mean one thing, and asked about where
it could mean two.
"""

import math
import re
import struct
import unicodedata

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?P<mark>[, _'])\d{3}(?:(?P=mark)\d{3})*(\.\d*)?")
_THOUSANDS_DOTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?")
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}[,.]\d{3}")
_LONGEST_QUOTE = 20


LARGEST_COUNT = 2**31 - 1
"""The largest whole number that a database keeps in four bytes."""

_POSITIONAL_BELOW = 1e16
"""From here on a whole number has more digits than a double tells apart."""


class NotANumber(ValueError):
    """The text is no number, or could be two. ``str(error)`` is one sentence for the person who typed it."""


def quote(text: str) -> str:
    """The text as a person typed it, shortened to 20 characters, for use in an error message."""
    shown = " ".join(text.split())
    if len(shown) > _LONGEST_QUOTE:
        shown = shown[: _LONGEST_QUOTE - 1] + "…"
    return f"“{shown}”"


def parse_real(text: str) -> float:
    """Read a real number.

    Args:
        text: What was typed, with any white space around it.

    Returns:
        A finite number.

    Raises:
        NotANumber: The text is not a number, is not finite, is closer to 0 than a double can be, or could mean two
            numbers (``1,000``).
    """
    number = _tidy(text)
    if _ONE_GROUP.fullmatch(number) and "," in number:
        raise NotANumber(_two_readings(text, number))
    return _read(text, number)


def parse_integer(text: str) -> int:
    """Read a whole number; ``1e2`` and ``10.0`` are whole numbers too.

    Raises:
        NotANumber: As for :func:`parse_real`; also when the number is not whole, and for ``1.000``,
            which is 1 to some and 1000 to others.
    """
    number = _tidy(text)
    if _ONE_GROUP.fullmatch(number):
        raise NotANumber(_two_readings(text, number))
    value = _read(text, number)
    if not value.is_integer():
        raise NotANumber(f"Please enter a whole number: {quote(text)} is not one.")
    return int(value)


def format_number(value: float) -> str:
    """A number as a person would write it: ``0.001``, ``3e-06``, ``1e+20``. It reads back as the same number."""
    if float(value).is_integer() and abs(value) < _POSITIONAL_BELOW:
        return str(int(value))
    positional = f"{value:.10f}".rstrip("0")
    return positional if 1e-5 <= abs(value) < _POSITIONAL_BELOW and float(positional) == value else repr(value)


def is_single(value: float) -> bool:
    """Whether a number of single precision, with which networks are trained, can stand for this number.

    It cannot where it would be infinite, or 0 for a number that is not 0.
    """
    try:
        (single,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return bool(single) == bool(value)


def about(count: int) -> str:
    """A number of images or the like in its first two digits, rounded down: ``12,000`` for 12,394.

    The numbers of images of a well-known data set name it. These do not.
    """
    unit = 10 ** max(len(str(count)) - 2, 0)
    return f"{count // unit * unit:,}"


def _tidy(text: str) -> str:
    """One way of writing: ASCII digits, one kind of minus and space, nothing around the number."""
    return unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").replace("’", "'").strip()


def _read(text: str, number: str) -> float:
    if not number:
        raise NotANumber("Please enter a number.")
    if _THOUSANDS.fullmatch(number):
        number = re.sub(r"[, _']", "", number)
    elif number.count(".") > 1 or ("." in number and "," in number):
        if not _THOUSANDS_DOTS.fullmatch(number):
            raise NotANumber(_no_number(text))
        number = number.replace(".", "").replace(",", ".")
    elif _DECIMAL_COMMA.fullmatch(number):
        number = number.replace(",", ".")
    if not _PLAIN.fullmatch(number):
        raise NotANumber(_no_number(text))
    value = float(number)
    if not math.isfinite(value):
        raise NotANumber(f"{quote(text)} is larger than any number a computer can hold.")
    if value == 0 and re.search("[1-9]", re.split("e", number, flags=re.IGNORECASE)[0]):
        raise NotANumber(f"{quote(text)} is closer to 0 than any number a computer can hold, except 0 itself.")
    return value


def _no_number(text: str) -> str:
    return f"Please enter a number, with a decimal point or an exponent (e) if you need it: {quote(text)} is not one."


def _two_readings(text: str, number: str) -> str:
    whole, thousandths = re.split("[,.]", number)
    small = f"{whole}.{thousandths}".rstrip("0")
    small = small + "0" if small.endswith(".") else small
    return f"{quote(text)} could mean {small} or {whole}{thousandths}: please write it one of these two ways."
