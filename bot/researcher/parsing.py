"""What researchers type after ``/study``, read: lengths of time, counts, and the nearest word to a typo."""

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


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most looks like; none where nothing is near."""
    return next(iter(difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.55)), None)


def length_of(words: Sequence[str]) -> timedelta:
    """A length of time: ``10m``, ``1h``, ``90s``, ``1h30m``, ``1 h 30 min``.

    Raises:
        Misspelt: It is none, or too long.
    """
    text = "".join(words).lower()
    found = _LENGTH.fullmatch(text)
    given = (
        {_UNITS[unit]: float(value.replace(",", ".")) for unit, value in found.groupdict().items() if value}
        if (found)
        else {}
    )
    if not given:
        without_unit = " with its unit" if text.isdigit() else ""
        raise Misspelt(f"“{' '.join(words)}” is no length of time: write it{without_unit} as `10m`, `1h` or `1h30m`.")
    length = timedelta(**given)
    if not timedelta(0) < length <= LONGEST_EXTENSION:
        raise Misspelt("That is too long, or nothing: up to 24 hours can be given at a time.")
    return length


def count_of(word: str, most: int) -> int:
    """A whole number from 1 to ``most``.

    Raises:
        Misspelt: It is none.
    """
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:9]) <= most or len(word) > 9:
        raise Misspelt(f"“{word}” is no number from 1 to {most:,}.")
    return int(word)
