"""Texts as cells that no spreadsheet takes for formulas, whatever it takes for the end of a cell."""

import re

_BEGINS = r"[=+\-@\t\r＝＋－＠]"
"""What a formula begins with; a spreadsheet may take tabs and carriage returns away."""

_SKIPPED = r"[ \"']*"
"""What a spreadsheet may take away before it looks for a formula."""

_GUARDED_BEFORE = re.compile(r"\A'(?='*[=+\-@\t\r\n＝＋－＠])")
"""In a bundle of format 1: only what begins like a formula was guarded, and only at the beginning of the text."""

# A program that splits at semicolons or tabs sees no quotation marks in the middle of a line, and begins a cell after
# each of these and after a line break. What is inserted is none of them, so both patterns look at the same places.
_INNER = r"(?<=[;\t\r\n])"

_FORMULA = re.compile(rf"\A(?={_SKIPPED}(?:{_BEGINS}|\n))|{_INNER}(?={_SKIPPED}{_BEGINS})")
_GUARDED = re.compile(rf"\A'(?={_SKIPPED}(?:{_BEGINS}|\n))|{_INNER}'(?={_SKIPPED}{_BEGINS})")


def guard(text: str) -> str:
    """The text with a ``'`` before everything that a spreadsheet would take for a formula.

    These are the text itself, and what comes after a semicolon, a tab or a line break in it.
    """
    return _FORMULA.sub("'", text)


def renewed(cell: str) -> str:
    """A cell of a bundle of format 1, as it is written now."""
    return guard(_GUARDED_BEFORE.sub("", cell))


def unguard(cell: str) -> str:
    """The text that :func:`guard` was given, exactly."""
    return _GUARDED.sub("", cell)
