"""What a table of the report is made of: columns, each of which says how its cell follows from what a row is about."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from reports.results.measures import Estimate, Interval, NotComputable, Reading

T = TypeVar("T")
S = TypeVar("S")

Cell = str | int | float | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Heading:
    """What stands above a column.

    Attributes:
        name: In the CSV's first line.
        label: What a reader of the page reads.
        digits: After the point, on the page; None for text and whole numbers.
        is_p: Whether the column holds p-values: the page does not tell small ones exactly.
    """

    name: str
    label: str
    digits: int | None = None
    is_p: bool = False


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column with its heading, see :class:`Heading`.

    Attributes:
        value: Its cell, from what a row is about.
        otherwise: Its cell where that cannot be computed.
    """

    name: str
    label: str
    value: Callable[[T], Cell]
    digits: int | None = None
    is_p: bool = False
    otherwise: Cell = None

    @property
    def heading(self) -> Heading:
        """What stands above it."""
        return Heading(self.name, self.label, self.digits, self.is_p)


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A row before it is laid out: its labels, such as a group, and the numbers, or why there are none."""

    labels: tuple[Cell, ...]
    numbers: T | NotComputable


def _no_note(_numbers: object) -> None:
    """Most rows with numbers need no note."""


@dataclass(frozen=True)
class Layout(Generic[T]):
    """The columns of a table.

    Attributes:
        labels: The headings of the entries' labels; these columns come first.
        columns: The columns of the numbers.
        has_note: Whether a last column says why there are no numbers; otherwise entries without numbers are left out.
        note: What that column says beside numbers.
    """

    labels: tuple[Heading, ...]
    columns: tuple[Column[T], ...]
    has_note: bool = True
    note: Callable[[T], str | None] = _no_note

    @property
    def headings(self) -> tuple[Heading, ...]:
        """Of all columns."""
        return (*self.labels, *(column.heading for column in self.columns), *((_NOTE,) if self.has_note else ()))

    def rows(self, entries: Iterable[Entry[T]]) -> tuple[Row, ...]:
        """The entries as rows, each as long as the headings."""
        return tuple(self._rows(entries))

    def _rows(self, entries: Iterable[Entry[T]]) -> Iterator[Row]:
        for entry in entries:
            numbers = entry.numbers
            if not isinstance(numbers, NotComputable):
                note = (self.note(numbers),) if self.has_note else ()
                yield (*entry.labels, *(column.value(numbers) for column in self.columns), *note)
            elif self.has_note:
                yield (*entry.labels, *(column.otherwise for column in self.columns), numbers.why)


@dataclass(frozen=True)
class Sheet:
    """A table, laid out.

    Attributes:
        name: Of its file: ``table-2``.
        rows: Each as long as ``headings``; None where there is no number.
        note: What a reader needs to know besides.
        is_sortable: Whether its rows make sense in another order.
    """

    name: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    note: str = ""
    is_sortable: bool = True

    @classmethod
    def of(cls, name: str, title: str, layout: Layout[T], entries: Iterable[Entry[T]], note: str = "") -> "Sheet":
        """A table of these entries."""
        return cls(name, title, layout.headings, layout.rows(entries), note)

    @classmethod
    def of_readings(
        cls, name: str, title: str, layout: Layout[T], reading: Reading[S], entries: Callable[[S], Iterable[Entry[T]]]
    ) -> "Sheet":
        """A table of both readings, with a first column that says which; each row once where the readings agree."""
        default, other = layout.rows(entries(reading.default)), layout.rows(entries(reading.alternative))
        named = {"both": default} if default == other else {"the paper’s": default, "the other": other}
        rows = tuple((of, *row) for of, rows in named.items() for row in rows)
        return cls(name, title, (Heading("reading", "reading"), *layout.headings), rows)

    def csv(self) -> bytes:
        """The table as CSV: UTF-8, commas, a line feed after each line, numbers with all their digits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(heading.name for heading in self.headings)
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue().encode()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


# --- what many tables have ------------------------------------------------------------------------------------------

_NOTE = Heading("note", "note")
GROUP = Heading("group", "group")
FROM, TO = "95 % CI from", "to"
"""Labels of an interval's bounds."""


def low(estimate: Estimate) -> float | None:
    """The lower bound of its interval; None where there is no interval."""
    return estimate.interval.low if isinstance(estimate.interval, Interval) else None


def high(estimate: Estimate) -> float | None:
    """The upper bound of its interval; None where there is no interval."""
    return estimate.interval.high if isinstance(estimate.interval, Interval) else None


def or_none(value: float | NotComputable) -> float | None:
    """The number, or nothing."""
    return None if isinstance(value, NotComputable) else value
