"""The database: one engine, one way to read, one way to write, and what is special about SQLite and PostgreSQL."""

import logging
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
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url

from storage.private_files import make_file, make_folder
from storage.refusals import Reason, Refused
from storage.schema.tables import Table

BUSY_SECONDS = 30.0
"""How long a writer waits for another one. A transition takes milliseconds."""

_KEYS_END = 2**63
"""A row's number is below. The database takes no larger one."""

_WRITING = "black_magic_writing"
_POSTGRESQL_WRITERS = 7_620_318  # any number; the advisory lock's name

_ABOUT_VALUES = ("22", "23")
"""How PostgreSQL's codes begin of errors whose texts may quote values: data exceptions, violated constraints."""

log = logging.getLogger(__name__)

_alembic = Lock()  # Alembic's commands use global variables

Row = TypeVar("Row", bound=Table)


class UnknownSchema(Exception):
    """The database was made by another version of the program, or is damaged. Nothing was changed."""


class Transaction(sqlmodel.Session):
    """One transaction. Rows that leave it stay readable."""

    def need(self, kind: type[Row], key: int) -> Row:
        """The row with this primary key.

        Raises:
            Refused: There is none (``UNKNOWN``).
        """
        row = self.get(kind, key) if abs(key) < _KEYS_END else None
        if row is None:
            raise Refused(Reason.UNKNOWN, f"There is no {kind.__tablename__} with the number {key}.")
        return row


class Store:
    """A database of studies.

    There is one writer at a time, on SQLite (``BEGIN IMMEDIATE``) and on PostgreSQL (an advisory lock). So a transition
    that has read a state can rely on it until it commits. A reader never waits, and sees the database at one moment.

    Args:
        url: ``sqlite:///path/to/file.db`` or ``postgresql+psycopg://…``. An SQLite file and its folder are made for
            their owner alone.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"hide_parameters": True}  # an error's text must not have a Slack ID
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                _make_private(Path(parsed.database))
            options["connect_args"] = {"timeout": BUSY_SECONDS}
        self.engine: Engine = create_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
        event.listen(self.engine, "begin", _begin)
        event.listen(self.engine, "handle_error", _hide_values)
        self._scrubbing = Lock()
        self._needs_scrub = False
        self._writing = self.engine.execution_options(**{_WRITING: True})
        self._reading = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )

    def __repr__(self) -> str:
        return f"Store({self.engine.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees the database at one moment. It is never committed."""
        with Transaction(self._reading, expire_on_commit=False, autoflush=False) as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """The only transaction that writes. It is committed at the end, and undone by any exception.

        It must not be nested: the inner one would wait for the outer one.
        """
        with Transaction(self._writing, expire_on_commit=False) as transaction, transaction.begin():
            yield transaction

    def is_current(self) -> bool:
        """Whether the tables are those of this version of the program."""
        with self.engine.connect() as connection:
            at = MigrationContext.configure(connection).get_current_revision()
        return at == ScriptDirectory.from_config(_alembic_config()).get_current_head()

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to the version of this program. Either all changes are made or none.

        Args:
            to: The version of the tables. Only tests want an older one than the newest.

        Raises:
            UnknownSchema: The database was made by another version of the program, or is damaged.
        """
        config = _alembic_config()
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

    def scrub(self) -> bool:
        """On SQLite, remove what was deleted from the write-ahead log too. It waits for nobody, and nobody for it.

        Returns:
            Whether that is done. A reader or writer that is busy now prevents it; :meth:`scrub_again` is to be called
            then until it is done.
        """
        if not self.is_sqlite:
            return True
        with self._scrubbing:
            self._needs_scrub = True
            self._needs_scrub = not self._truncate_log()
            return not self._needs_scrub

    def scrub_again(self) -> bool:
        """Do what :meth:`scrub` could not do before. Returns whether nothing of it is left to be done."""
        return not self._needs_scrub or self.scrub()

    def _truncate_log(self) -> bool:
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            # A checkpoint that waits for readers holds up all writers meanwhile.
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                busy, in_log, checkpointed = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:  # another connection checkpoints or writes at this moment
                log.info("the write-ahead log is to be emptied later: %s", error)
                return False
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
            return not busy and in_log == checkpointed
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _make_private(file: Path) -> None:
    """Make an SQLite file. SQLite gives the files beside it the same permissions."""
    make_folder(file.parent)
    with suppress(OSError):  # SQLite says better why the file cannot be used
        make_file(file)


def _hide_values(context: ExceptionContext) -> None:
    """Take values out of PostgreSQL's errors: “Key (slack_user)=(U0123456789) already exists.”"""
    original = context.original_exception
    state = getattr(original, "sqlstate", None)
    if not isinstance(state, str) or not state.startswith(_ABOUT_VALUES):
        return
    known = getattr(original, "diag", None)
    about = [getattr(known, name, None) for name in ("table_name", "column_name", "constraint_name")]
    text = f"{type(original).__name__} (SQLSTATE {state}): {', '.join(filter(None, about)) or 'a value'}"
    original.args = (text,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (text,)


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", "storage.schema:migrations")
    return config


def _check_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise UnknownSchema(
            f"The database is damaged: {len(broken)} rows, such as one of the table {broken[0][0]}, point to rows "
            "that are not there. Nothing was changed. Restore a copy of it, or use another database."
        )


@contextmanager
def _keys_unchecked(connection: Connection) -> Iterator[None]:
    """Switch foreign keys off on SQLite, which makes a changed table anew. This has no effect within a transaction."""
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
    # The mode is a property of the file. If this is refused, another connection is setting it at this moment.
    with suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Nothing of a person who withdraws may stay in free pages of the file.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    if connection.dialect.name == "sqlite":
        # A deferred transaction that reads first and writes later fails when another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
    elif writing:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_WRITERS})")
