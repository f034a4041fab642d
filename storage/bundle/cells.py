"""What a cell of a bundle's table can hold, and how it is written and read."""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np

from storage.bundle.formulas import guard, unguard
from storage.schema.losses import pack, unpack
from training.hyperparameters import format_value

MOST_BATCHES = 500_000
"""Batches of one epoch: ten times the training images of CIFAR-10, at a batch size of 1."""

LONGEST_CELL = -(-4 * MOST_BATCHES // 3) * 4
"""Characters: as many as the batch losses of the longest epoch, four bytes each, have in base64."""

LONGEST_RULES = 2**18
"""Characters of a study's rules."""

LONGEST_TEXT = 10_000
"""Characters of a text, where its column does not say fewer. (Slack lets people type 3,000.)"""

LONGEST_VALUE = 400
"""Characters of everything else. (No float has more than 330 digits in decimals.)"""

_LARGEST_INTEGER = 2**31 - 1
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


class Kind(StrEnum):
    """What a column's cells are.

    Attributes:
        TEXT: Any text of up to 10,000 characters, or as many as its column says.
        RULES: A text of up to 262,144 characters.
        CODE: A participant's or a baseline's.
        CHOICE: One of a few words.
        FLAG: yes or no.
        INTEGER, REAL: Numbers with a decimal point and without separators.
        LOSS: A real number, or inf, -inf, nan.
        ANSWER: A number, or a text.
        DAY: As 2030-03-31.
        SERIES: Up to 500,000 float32 numbers, little-endian, in base64.
    """

    TEXT = "text"
    RULES = "rules"
    CODE = "code"
    CHOICE = "choice"
    FLAG = "yes or no"
    INTEGER = "integer"
    REAL = "real"
    LOSS = "real, inf or nan"
    ANSWER = "number or text"
    DAY = "day"
    SERIES = "float32 series"


TYPED_BY_PEOPLE = frozenset({Kind.TEXT, Kind.RULES, Kind.ANSWER})
"""Kinds of cells that may name somebody."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its heading.
        kind: What its cells are.
        meaning: One or two sentences.
        unit: Of a number.
        low, high: The smallest and the largest number accepted, both inclusive.
        choices: The words of a choice, or what an answer was chosen from.
        required: Whether an imported table must have it.
        empty: What an empty cell means; ``None`` where no cell may be empty.
        bounds: The range in words, where ``low`` and ``high`` do not say it.
        refers: The table and the column whose values it takes.
        longest: The most characters of a text; 0 for as many as its kind may have.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    empty: str | None = None
    bounds: str = ""
    refers: tuple[str, str] | None = None
    longest: int = 0

    @property
    def most_characters(self) -> int:
        """The most characters that a value may have."""
        return self.longest or _LONGEST.get(self.kind, LONGEST_VALUE)

    @property
    def range(self) -> str:
        """The accepted values in words; empty if every value of its kind is accepted."""
        if self.bounds:
            return self.bounds
        if self.longest:
            return f"up to {self.longest:,} characters"
        if self.choices:
            return ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{format_value(self.low)} to {format_value(self.high)}"
        return f"{format_value(self.low)} or more" if self.low is not None else ""

    @property
    def write(self) -> Callable[[Any], str]:
        """A function that writes a value other than ``None`` as a cell."""
        return _WRITERS[self.kind]

    @property
    def read(self) -> Callable[[str], Any]:
        """A function that reads a cell as a value; ``None`` if it is empty.

        It raises a ``ValueError`` whose text goes on after the cell: "is not a number".
        """
        convert: Callable[[str], Any] = self._one_of_the_choices if self.kind is Kind.CHOICE else _READERS[self.kind]
        text, bounded = self.kind is Kind.TEXT, self.low is not None or self.high is not None
        most, typed = self.most_characters, self.kind in TYPED_BY_PEOPLE

        def read(cell: str) -> Any:
            if not cell or (not text and cell.isspace()):
                return None
            # Of a text, what guards it from being a formula does not count.
            if len(cell) > most and (not typed or len(unguard(cell)) > most):
                raise ValueError(self._too_long)
            value = convert(cell)
            if bounded:
                self._check(value)
            return value

        return read

    @property
    def _too_long(self) -> str:
        if self.kind is Kind.SERIES:
            return f"has more batches than an epoch can have: {MOST_BATCHES:,} are the most"
        return f"is too long: {self.most_characters:,} characters are the most"

    def _one_of_the_choices(self, cell: str) -> str:
        if cell.strip() not in self.choices:
            raise ValueError(f"is not one of: {self.range}")
        return cell.strip()

    def _check(self, value: float) -> None:
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ValueError(f"is out of range: {self.range}")


def _write_answer(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value)
    return guard(str(value))


def _write_series(packed: bytes) -> str:
    return base64.b64encode(unpack(packed).astype("<f4").tobytes()).decode("ascii")


_WRITERS: Mapping[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _write_answer,
    Kind.RULES: _write_answer,
    Kind.CODE: str,
    Kind.CHOICE: str,
    Kind.FLAG: lambda value: "yes" if value else "no",
    Kind.INTEGER: repr,
    Kind.REAL: repr,
    Kind.LOSS: repr,
    Kind.ANSWER: _write_answer,
    Kind.DAY: date.isoformat,
    Kind.SERIES: _write_series,
}

_LONGEST: Mapping[Kind, int] = {
    Kind.TEXT: LONGEST_TEXT,
    Kind.RULES: LONGEST_RULES,
    Kind.ANSWER: LONGEST_TEXT,
    Kind.SERIES: LONGEST_CELL,
}

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"([+-]?[0-9]{1,18})(?:\.0*)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_LIKE_SLACK = re.compile(r"[UW][A-Z0-9]{8,}")


def _read_text(cell: str) -> str:
    if "\0" in cell:
        raise ValueError("has a null character in it")
    return unguard(cell)


def _read_code(cell: str) -> str:
    if not _CODE.fullmatch(cell):
        raise ValueError("is no code: up to 32 letters, digits, dots and dashes")
    if _LIKE_SLACK.fullmatch(cell):
        raise ValueError("looks like somebody's Slack ID; a bundle holds codes only")
    return cell


def _read_flag(cell: str) -> bool:
    if cell.strip() not in {"yes", "no"}:
        raise ValueError("is neither yes nor no")
    return cell.strip() == "yes"


def _read_integer(cell: str) -> int:
    found = _INTEGER.fullmatch(cell.strip())
    if found is None:
        raise ValueError("is not a whole number")
    value = int(found[1])
    if abs(value) > _LARGEST_INTEGER:
        raise ValueError("is too large a number")
    return value


def _read_real(cell: str) -> float:
    if not _NUMBER.fullmatch(cell.strip()):
        comma = " (decimals are written with a point)" if _NUMBER.fullmatch(cell.strip().replace(",", ".")) else ""
        raise ValueError(f"is not a number{comma}")
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError("is too large a number")
    return value


def _read_loss(cell: str) -> float:
    return float(cell) if cell.strip() in {"inf", "-inf", "nan"} else _read_real(cell)


def _read_answer(cell: str) -> str | int | float:
    if _WHOLE.fullmatch(cell):
        return int(cell)
    is_number = len(cell) <= LONGEST_VALUE and _NUMBER.fullmatch(cell)
    return _read_real(cell) if is_number else _read_text(cell)


def _read_day(cell: str) -> date:
    if not _DAY.fullmatch(cell.strip()):
        raise ValueError("is no day such as 2030-03-31")
    try:
        day = date.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"is out of range: {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


def _read_series(cell: str) -> bytes:
    try:
        content = base64.b64decode(cell, validate=True)
        return pack(np.frombuffer(content, dtype="<f4"))
    except (binascii.Error, ValueError):
        raise ValueError("is no series of float32 numbers in base64") from None


_READERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.TEXT: _read_text,
    Kind.RULES: _read_text,
    Kind.CODE: _read_code,
    Kind.FLAG: _read_flag,
    Kind.INTEGER: _read_integer,
    Kind.REAL: _read_real,
    Kind.LOSS: _read_loss,
    Kind.ANSWER: _read_answer,
    Kind.DAY: _read_day,
    Kind.SERIES: _read_series,
}
