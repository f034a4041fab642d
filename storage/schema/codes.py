"""Participants' codes. They are drawn at random, so they do not tell in which order people were invited."""

import re
import secrets
from collections.abc import Collection

_DIGITS = 4
_FREE = 10
"""There are so many times as many codes as people, so that a code is not guessed from the others."""

_LONGEST = 12
"""Digits."""


def draw(taken: Collection[str], unlike: Collection[str] = ()) -> str:
    """A code that nobody has, such as ``P4071``; with more digits where a study has a thousand people.

    Args:
        taken: The codes of all people of the study. A code that differs from one only in leading zeros is taken too.
        unlike: Other codes that it must not be mistaken for.
    """
    numbers = {int(code[1:]) for code in taken}
    digits = max(_DIGITS, len(str(_FREE * len(numbers))))
    numbers |= {int(code[1:]) for code in unlike}
    while (number := 1 + secrets.randbelow(10**digits - 1)) in numbers:
        pass
    return f"P{number:0{digits}}"


def is_drawn(code: str) -> bool:
    """Whether a code looks like one of a person: an imported study may have others."""
    return re.fullmatch(r"P\d{3,}", code) is not None


def spellings(written: str) -> list[str]:
    """The codes that somebody may mean who wrote this: ``p7`` is P7, P007 or P0007; ``t1-01`` is T1-01."""
    written = written.strip().upper()
    number = written.removeprefix("P").lstrip("0")
    if not (written.startswith("P") and number.isascii() and number.isdecimal()):
        return [written]
    return [f"P{number:0>{digits}}" for digits in range(len(number), _LONGEST + 1)]
