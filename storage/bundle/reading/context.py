"""What all parts of an import share: the bundle that it reads, and the database that it writes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from storage.bundle.archive import ArchiveReader
from storage.bundle.codebook import PARTICIPANTS, STUDY
from storage.bundle.reading.problems import Problems
from storage.bundle.reading.rows import Row, TableReader
from storage.bundle.table import Table
from storage.database import Transaction
from storage.schema import tables
from storage.schema.states import Background
from storage.study_rules import bounds_of
from training.bounds import Bounds
from training.hyperparameters import HYPERPARAMETERS, Configuration, InvalidConfiguration

AT_ONCE = 500
"""How many rows are written at once."""

_CHARACTERS_AT_ONCE = 2**21
"""How many characters rows that are written at once may have, but for the last of them."""

_LARGEST = 2**31 - 1


@dataclass
class Context:
    """One import.

    Attributes:
        start: When the study opened. Every session is imported as if it had begun then.
        rules: The rules of the study.
        written_as: The format in which the bundle was written.
        background: How much of what people told of themselves is in the bundle.
        rows: How many rows were read, by table.
        broken: The tables of which some rows could not be read.
        ended: How many sessions, trials and evaluations had not ended, and are imported as cancelled.
        beyond: The values that the study's form does not accept, by the file and the name of the hyperparameter.
        rows_beyond: How many rows have such values, by file.
    """

    transaction: Transaction
    archive: ArchiveReader
    problems: Problems
    start: datetime
    rules: Mapping[str, Any]
    written_as: int
    progress: Callable[[str], None]
    background: Background = Background.FULL
    study_id: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    ended: int = 0
    beyond: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    rows_beyond: Counter[str] = field(default_factory=Counter)
    _characters: int = 0

    def has(self, table: Table) -> bool:
        """Whether the bundle has this table."""
        return table.file in self.archive

    def table(self, table: Table) -> Iterator[Row]:
        """The rows of a table that can be read; no rows if the bundle does not have the table."""
        if not self.has(table):
            return
        self.progress(table.file)
        self.rows[table.name] = 0
        rules = self.rules if table is PARTICIPANTS else None
        reader = TableReader(self.archive, table, self.problems, rules=rules, written_as=self.written_as)
        for row in reader.rows():
            if self.rows[table.name] == table.most:
                self.problems.add(table.file, f"has more than {table.most:,} rows.")
                return
            self.rows[table.name] += 1
            self._characters += row.size
            yield row
        if not reader.whole:
            self.broken.add(table.name)

    def is_full(self, waiting: Sequence[Any]) -> bool:
        """Whether rows that wait to be written are to be written now."""
        if len(waiting) < AT_ONCE and self._characters < _CHARACTERS_AT_ONCE:
            return False
        self._characters = 0
        return True

    def problem(self, table: Table, sentence: str, row: Row, column: str | None = None) -> None:
        """Note what is wrong with a row."""
        self.problems.add(table.file, sentence, row.number, column)

    def missing(self, other: Table, table: Table, sentence: str, row: Row, column: str) -> None:
        """Note that a row refers to a row that is not in another table, if all rows of that table could be read."""
        if other.name not in self.broken:
            self.problem(table, sentence, row, column)

    def insert(self, table: type[tables.Table], rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows. After a problem nothing is written, since nothing will be kept."""
        if rows and not self.problems:
            self.transaction.connection().execute(insert(_core(table)), list(rows))

    def insert_numbered(self, table: type[tables.Table], rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Write rows, and return their keys in the same order."""
        if not rows or self.problems:
            return [0] * len(rows)
        core = _core(table)
        statement = insert(core).returning(core.c.id, sort_by_parameter_order=True)
        return list(self.transaction.connection().execute(statement, list(rows)).scalars())

    def moment(self, seconds: float | None) -> datetime | None:
        """The moment so many seconds after a session's start."""
        return None if seconds is None else self.start + timedelta(seconds=seconds)

    def rule(self, section: str, name: str, otherwise: float) -> float:
        """A number in the rules; ``otherwise`` if it is not there."""
        found = self.rules.get(section)
        value = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return otherwise
        return value if 0 <= value <= _LARGEST else otherwise

    def configuration(self, table: Table, row: Row) -> Configuration | None:
        """The 15 values of a row. If they cannot be used, that is noted, and this is ``None``.

        They may be any numbers. Those that the study's form does not accept are noted, too.
        """
        if row.wrong & _NAMES:
            return None
        try:
            configuration = Configuration.create({name: row[name] for name in _NAMES}, bounds=None)
        except InvalidConfiguration as invalid:
            for name, sentence in invalid.errors.items():
                self.problem(table, sentence, row, name)
            return None
        beyond = list(configuration.beyond(self.bounds))
        for hyperparameter, value in beyond:
            self.beyond.setdefault((table.file, hyperparameter.name), []).append(value)
        self.rows_beyond[table.file] += bool(beyond)
        return configuration

    @property
    def bounds(self) -> Bounds:
        """What the study's form accepts. Data that were not entered here are taken for those of a form like ours."""
        form = self.rules.get("form")
        is_said = isinstance(form, Mapping) and "bounds" in form
        return bounds_of(self.rules) if is_said or self.has(STUDY) else Bounds.OPTIMIZER


_NAMES = frozenset(each.name for each in HYPERPARAMETERS)


def _core(table: type[tables.Table]) -> Any:
    return tables.Table.metadata.tables[str(table.__tablename__)]
