"""The database: one engine, one way to read, one way to write, and all that is peculiar to SQLite or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import sqlmodel
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url

from storage.refusals import Reason, Refused
from storage.schema.tables import Table

BUSY_SECONDS = 30.0
"""How long a writer waits for the one before it. Every transition takes milliseconds."""

_WRITING = "black_magic_writing"
_POSTGRESQL_WRITERS = 7_620_318  # any number; the advisory lock's name

_alembic = Lock()  # its commands work on modules' globals

Row = TypeVar("Row", bound=Table)


class UnknownSchema(Exception):
    """The database was made by a newer version of the program, or is damaged. Nothing was changed."""


class Transaction(sqlmodel.Session):
    """One transaction. Rows that leave it stay readable."""

    def need(self, kind: type[Row], key: int) -> Row:
        """The row with this primary key.

        Raises:
            Refused: There is none (``UNKNOWN``).
        """
        row = self.get(kind, key)
        if row is None:
            raise Refused(Reason.UNKNOWN, f"There is no {kind.__tablename__} with the number {key}.")
        return row


class Store:
    """A database of studies.

    Writers go one after another, on SQLite (``BEGIN IMMEDIATE``) as on PostgreSQL (an advisory lock): a transition
    that has read a state can rely on it until it commits. Readers never wait, and see one moment.

    Args:
        url: ``sqlite:///path/to/file.db`` or ``postgresql+psycopg://…``. A SQLite file's folder is made.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            options["connect_args"] = {"timeout": BUSY_SECONDS}
        self.engine: Engine = create_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
        event.listen(self.engine, "begin", _begin)
        self._writing = self.engine.execution_options(**{_WRITING: True})
        self._reading = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )

    def __repr__(self) -> str:
        return f"Store({self.engine.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one moment and changes nothing."""
        with Transaction(self._reading, expire_on_commit=False, autoflush=False) as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that nobody else writes beside; committed at the end, undone by any exception.

        Not to be nested: the inner one would wait for the outer one.
        """
        with Transaction(self._writing, expire_on_commit=False) as transaction, transaction.begin():
            yield transaction

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to this version's; does nothing when they are. Everything or nothing is applied.

        Args:
            to: The version; the newest, unless a test wants an older one.

        Raises:
            UnknownSchema: The database is newer than the program, or damaged.
        """
        config = Config()
        config.set_main_option("script_location", "storage.schema:migrations")
        with _alembic, self._writing.connect() as connection, _keys_unchecked(connection), connection.begin():
            config.attributes["connection"] = connection
            before = MigrationContext.configure(connection).get_current_revision()
            try:
                command.upgrade(config, to)
            except CommandError as error:
                raise UnknownSchema(
                    f"The database {self.engine.url.render_as_string(hide_password=True)} was made by another version "
                    f"of Black Magic ({error}). Nothing was changed. Update Black Magic, or use another database."
                ) from error
            if self.is_sqlite and MigrationContext.configure(connection).get_current_revision() != before:
                _check_keys(connection)

    def scrub(self) -> None:
        """Overwrite what was deleted on SQLite, also in its log. Best effort: a reader that is busy now delays it."""
        if not self.is_sqlite:
            return
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _check_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise UnknownSchema(
            f"The database is damaged: {len(broken)} rows, such as one of the table {broken[0][0]}, point to rows "
            "that are not there. Nothing was changed. Restore a copy of it, or use another database."
        )


@contextmanager
def _keys_unchecked(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, while others still point to it. Within a transaction it is too late."""
    raw = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys = ON")


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin
    cursor = connection.cursor()
    # The mode is a property of the file. Changing it waits for nobody; whoever is refused has another changing it now.
    with suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # A person who withdraws is not to be found in the file's free pages.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    if connection.dialect.name == "sqlite":
        # A deferred transaction that reads first and writes later fails when another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
    elif writing:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_WRITERS})")
