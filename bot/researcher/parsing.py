"""Reads what researchers type after ``/study``: lengths of time, counts, and the nearest word to a typo."""

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

LONGEST_EXTENSION = timedelta(hours=24)

_UNITS = {"h": "hours", "m": "minutes", "s": "seconds"}
_LENGTH = re.compile(
    r"(?:(?P<h>\d{1,6}(?:[.,]\d{1,3})?)h(?:ours?)?)?(?:(?P<m>\d{1,6}(?:[.,]\d{1,3})?)m(?:in(?:utes?)?)?)?"
    r"(?:(?P<s>\d{1,6}(?:[.,]\d{1,3})?)s(?:ec(?:onds?)?)?)?"
)


class Misspelt(Exception):
    """A command that cannot be understood; ``str(error)`` says what is wrong with it, in a sentence."""


def too_much(words: Sequence[str]) -> str:
    """The sentence about words that a command does not take."""
    return f"This command does not take “{' '.join(words)}”."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like a misspelt one; none when no known word is like it."""
    return next(iter(difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.55)), None)


def length_of(words: Sequence[str]) -> timedelta:
    """A length of time: ``10m``, ``1h``, ``90s``, ``1h30m``, ``1 h 30 min``.

    Raises:
        Misspelt: The words are not a length of time, or it is zero, or longer than ``LONGEST_EXTENSION``.
    """
    text = "".join(words).lower()
    match = _LENGTH.fullmatch(text)
    units = (
        {_UNITS[unit]: float(value.replace(",", ".")) for unit, value in match.groupdict().items() if value}
        if match is not None
        else {}
    )
    if not units:
        with_unit = " with its unit" if text.isdigit() else ""
        raise Misspelt(f"“{' '.join(words)}” is not a length of time. Write it{with_unit}, such as `10m` or `1h30m`.")
    length = timedelta(**units)
    if not timedelta(0) < length <= LONGEST_EXTENSION:
        raise Misspelt("You can add more than 0 seconds, and at most 24 hours at a time.")
    return length


def count_of(word: str, most: int) -> int:
    """A whole number from 1 to ``most``.

    Raises:
        Misspelt: The word is not such a number.
    """
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:9]) <= most or len(word) > 9:
        raise Misspelt(f"“{word}” is not a whole number from 1 to {most:,}.")
    return int(word)
