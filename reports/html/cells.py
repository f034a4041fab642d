"""A table as the page shows it: numbers rounded, empty columns left out."""

from dataclasses import dataclass

from reports.tables.columns import Heading, Row, Sheet
from reports.wording import SMALLEST_P, called, number, typographic

MOST_ROWS = 60
"""A longer table is not on the page, but in its CSV file."""

LONGEST_WORDS = 36
"""A longer text may take several lines."""


@dataclass(frozen=True)
class ShownCell:
    """A cell: what is read, and what it is sorted by."""

    text: str
    order: str
    is_number: bool

    @property
    def is_long(self) -> bool:
        """Whether it is a sentence, which may take several lines."""
        return len(self.text) > LONGEST_WORDS


@dataclass(frozen=True)
class ShownTable:
    """A table of the page.

    Attributes:
        rows: None of a table that is too long to be shown.
        length: How many rows there are in the CSV.
    """

    name: str
    title: str
    note: str
    head: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[ShownCell, ...], ...] | None
    length: int
    is_sortable: bool


def show(sheet: Sheet) -> ShownTable:
    """The table for the page.

    A column that is empty, or says “both” readings throughout, is left out; an interval's bounds become one column.
    """
    columns = [
        _shown(sheet, position)
        for position in range(len(sheet.headings))
        if not _says_nothing(sheet, position) and not _is_high(sheet, position)
    ]
    too_long = len(sheet.rows) > MOST_ROWS
    return ShownTable(
        name=sheet.name,
        title=typographic(sheet.title),
        note=typographic(sheet.note),
        head=tuple((column.label, column.is_number) for column in columns),
        rows=None if too_long else tuple(tuple(column.cell(row) for column in columns) for row in sheet.rows),
        length=len(sheet.rows),
        is_sortable=sheet.is_sortable,
    )


@dataclass(frozen=True)
class _ShownColumn:
    """A column, or the two columns of an interval."""

    column: Heading
    position: int
    is_number: bool
    is_interval: bool

    @property
    def label(self) -> str:
        return "95 % CI" if self.is_interval else self.column.label

    def cell(self, row: Row) -> ShownCell:
        value = row[self.position]
        if value is None:
            return ShownCell("", "", self.is_number)
        if isinstance(value, str):
            text = called(value) if self.column.name == "group" else typographic(value)
            return ShownCell(text, value, self.is_number)
        text = _rounded(self.column, value)
        high = row[self.position + 1] if self.is_interval else None
        if isinstance(high, (int, float)):
            text = f"{text} to {_rounded(self.column, high)}"
        return ShownCell(text, f"{value:.12g}", self.is_number)


def _shown(sheet: Sheet, position: int) -> _ShownColumn:
    values = [row[position] for row in sheet.rows if row[position] is not None]
    numeric = bool(values) and all(isinstance(value, (int, float)) for value in values)
    is_interval = position + 1 < len(sheet.headings) and _is_high(sheet, position + 1)
    return _ShownColumn(sheet.headings[position], position, numeric, is_interval)


def _is_high(sheet: Sheet, position: int) -> bool:
    """Whether this is the upper bound of the column before it."""
    low, high = sheet.headings[position - 1].name, sheet.headings[position].name
    return position > 0 and low.endswith("low") and high == f"{low.removesuffix('low')}high"


def _says_nothing(sheet: Sheet, position: int) -> bool:
    values = {row[position] for row in sheet.rows}
    return values <= {None} or (sheet.headings[position].name == "reading" and values == {"both"})


def _rounded(column: Heading, value: float) -> str:
    if column.is_p and value < SMALLEST_P:
        return f"< {SMALLEST_P:g}"
    digits = column.digits
    if digits is None:
        digits = 0 if isinstance(value, int) or value.is_integer() else 1
    return number(value, digits)
