"""Reads a table of a bundle row by row, and checks every cell."""

import csv
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.bundle.archive import ArchiveReader, Unreadable
from storage.bundle.cells import LONGEST_CELL, TYPED_BY_PEOPLE, Column
from storage.bundle.codebook import ANSWER, FORMAT, answer_columns
from storage.bundle.formulas import renewed
from storage.bundle.reading.problems import Problems, shown
from storage.bundle.table import Table

_MOST_QUOTED = 40
_MOST_COLUMNS = 300
_LONGEST_HEADING = 2**16
_ANSWERED = re.compile(rf"{ANSWER}[A-Za-z0-9_]{{1,60}}")


_Reader = tuple[str, Callable[[str], Any], bool]
"""A column's name, what reads its cells, and whether none may be empty."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        number: The number of the row in a spreadsheet: the heading is row 1.
        values: The values by column; ``None`` if the cell is empty, or the column is not there.
        wrong: The columns whose cells cannot be read; their values are ``None`` too.
        size: The characters of all its cells.
    """

    number: int
    values: dict[str, Any]
    wrong: frozenset[str] = frozenset()
    size: int = 0

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


class TableReader:
    """Reads one table of a bundle, and notes what is wrong and where.

    Args:
        rules: The rules of the study, for a table that may have columns ``answer_…``.
        written_as: The format in which the bundle was written.

    Attributes:
        whole: Whether every row could be read. If not, other tables may rightly refer to a row that is not known.
    """

    def __init__(
        self,
        archive: ArchiveReader,
        table: Table,
        problems: Problems,
        *,
        rules: Mapping[str, Any] | None = None,
        written_as: int = FORMAT,
    ) -> None:
        self._archive, self._table, self._problems, self._rules = archive, table, problems, rules
        self._written_as = written_as
        self._known = {each.name: each for each in table.columns}
        self.whole = True

    def rows(self) -> Iterator[Row]:
        """The rows, with the cells that could be read. There are no rows if the heading is wrong.

        Raises:
            BundleRefused: There are too many problems.
        """
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
        file = self._table.file
        lines = _Lines(self._archive.lines(file), _LONGEST_HEADING)
        records = csv.reader(lines, strict=True)
        try:
            heading = next(records, None)
            columns = self._columns(heading)
            readers = [(each.name, self._reader(each), each.empty is None) for each in columns or ()]
            if columns is None or heading is None:
                self.whole = False
                return
            lines.most = _LONGEST_HEADING + sum(2 * each.most_characters + 3 for each in columns)
            absent = dict.fromkeys(self._known.keys() - set(heading))
            for number, record in enumerate(records, start=2):
                lines.length = 0
                if not record:
                    continue
                if len(record) != len(columns):
                    self.whole = False
                    self._problems.add(file, f"has {len(record)} cells, and the heading {len(columns)}.", number)
                    continue
                yield self._row(number, readers, record, absent)
        except Unreadable as error:
            self.whole = False
            self._problems.add(file, str(error))
        except csv.Error as error:
            self.whole = False
            self._problems.add(
                file, f"is not a table of comma-separated values after line {records.line_num}: {error}."
            )

    def _reader(self, column: Column) -> Callable[[str], Any]:
        read = column.read
        if self._written_as > 1 or column.kind not in TYPED_BY_PEOPLE:
            return read
        return lambda cell: read(renewed(cell))

    def _columns(self, heading: Sequence[str] | None) -> list[Column] | None:
        """The columns in the file's order; ``None`` when they cannot be used."""
        file, problems = self._table.file, self._problems
        if not heading:
            problems.add(file, "is empty: it needs a heading at least.")
            return None
        if self._rules is not None:
            answered = [each.removeprefix(ANSWER) for each in heading if _ANSWERED.fullmatch(each)]
            self._known |= {each.name: each for each in answer_columns(self._rules, answered)}
        if len(heading) == 1 and (";" in heading[0] or "\t" in heading[0]):
            problems.add(file, "has other separators: write it with commas.", 1)
            return None
        if len(heading) > _MOST_COLUMNS:
            problems.add(file, f"has {len(heading):,} columns; {_MOST_COLUMNS} are the most.", 1)
            return None
        sound = True
        for name, count in Counter(heading).items():
            if count > 1:
                problems.add(file, "is there twice.", 1, name)
                sound = False
            if name not in self._known:
                problems.add(file, f"is not known.{self._hint(name)}", 1, _quoted(name))
                sound = False
        for column in self._table.columns:
            if column.required and column.name not in heading:
                problems.add(file, "is missing, and is required.", 1, column.name)
                sound = False
        return [self._known[name] for name in heading] if sound else None

    def _hint(self, name: str) -> str:
        near = difflib.get_close_matches(name[:_MOST_QUOTED].strip().lower(), list(self._known), n=1)
        if near:
            return f" Is it {near[0]}?"
        if self._rules is not None:
            return f" The answer to a question of your own goes into a column such as {ANSWER}question."
        return " The codebook names the columns."

    def _row(self, number: int, readers: Sequence[_Reader], record: Sequence[str], absent: dict[str, Any]) -> Row:
        values = dict(absent)
        wrong: list[str] = []
        for (name, read, filled), cell in zip(readers, record, strict=True):
            if not cell and not filled:
                values[name] = None
                continue
            try:
                values[name] = read(cell)
                if filled and values[name] is None:
                    raise _EmptyCell
            except ValueError as error:
                values[name] = None
                wrong.append(name)
                self.whole = self.whole and name not in self._table.key
                what = "is empty." if isinstance(error, _EmptyCell) else f"{_quoted(cell)} {error}."
                self._problems.add(self._table.file, what, number, name)
        return Row(number, values, frozenset(wrong), sum(map(len, record)))


class _EmptyCell(ValueError):
    """A cell that may not be empty is."""


class _Lines:
    """Lines, of which those of one row have a bounded length together.

    Attributes:
        most: How many characters a row may have.
        length: How many the present row has so far.
    """

    def __init__(self, lines: Iterator[str], most: int) -> None:
        self._lines, self.most, self.length = lines, most, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.length += len(line)
        if self.length > self.most:
            raise csv.Error("a row is longer than its columns can be")
        return line


def _quoted(cell: str) -> str:
    return f"“{shown(cell, _MOST_QUOTED)}”"
