"""One bot for each database: a lock that the system frees when its process ends, also when it is killed.

Beside an SQLite file it is a lock of the operating system on ``<file>.lock``, which stays there. On PostgreSQL it is an
advisory lock of a connection that is used for nothing else, so the server frees it when that connection is lost.
"""

import json
import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, Self

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from storage.private_files import make_folder

log = logging.getLogger(__name__)

_POSTGRESQL_KEY = 7_620_319  # any number; the advisory lock's name in its database

_SILENT = {"keepalives_idle": 10, "keepalives_interval": 10, "keepalives_count": 3}
"""A connection whose other end has been silent for 40 seconds is lost, here and on the server."""

_NAME = re.compile(r"black-magic (\d+) on (.+)")

_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_IS_OURS = text("""
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key AND objsubid = 1
    AND pid = pg_backend_pid()
""")
_HOLDER = text("""
    SELECT application_name, backend_start FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, as far as that is known.

    Attributes:
        process: The number of the process; 0 if unknown.
        machine: The name of its machine; empty if unknown.
        since: The time at which it took the lock, for a reader; empty if unknown.
        note: What the process says of itself.
    """

    process: int = 0
    machine: str = ""
    since: str = ""
    note: str = ""

    @classmethod
    def this_process(cls, note: str = "") -> Self:
        """This process, from now on."""
        return cls(os.getpid(), socket.gethostname(), _shown(datetime.now().astimezone()), note)

    @classmethod
    def read(cls, written: str) -> Self:
        """What :meth:`written` has written."""
        try:
            return cls(**json.loads(written))
        except (ValueError, TypeError):  # it is being written, or another version has written it
            return cls()

    def written(self) -> str:
        """All of it in one line."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        who = f"process {self.process}" if self.process else "another process"
        where = f" on {self.machine}" if self.machine else ""
        return f"{who}{where}"


class Taken(Exception):
    """Another process holds the lock.

    Attributes:
        holder: That process.
    """

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        super().__init__(f"{holder} holds the lock")


class Lock(Protocol):
    """A lock that one process holds at a time."""

    def take(self) -> None:
        """Take the lock.

        Raises:
            Taken: Another process holds it.
            OSError, SQLAlchemyError: It cannot be taken for another reason.
        """

    def check(self) -> None:
        """Take the lock again if it was lost.

        Raises:
            Taken: Another process has taken it meanwhile.
            OSError, SQLAlchemyError: It cannot be known now whether it is held.
        """

    def release(self) -> None:
        """Give the lock back. A second call does nothing."""


class FileLock:
    """A :class:`Lock` on a file. Processes that are started meanwhile do not inherit it.

    Args:
        path: The file. It is made if it is not there, it is never deleted, and it says who holds the lock.
        note: What this process says of itself.
    """

    def __init__(self, path: Path, note: str = "") -> None:
        self._path = path
        self._note = note
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock."""
        import fcntl  # Windows does not have it, and needs it only where it cannot run the bot anyway

        file = _open(self._path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            written = file.read()
            file.close()
            if isinstance(error, BlockingIOError):
                raise Taken(Holder.read(written)) from None
            raise
        self._file = file
        self._write(Holder.this_process(self._note).written())

    def check(self) -> None:
        """Take the lock again if somebody has deleted or replaced the file."""
        with suppress(FileNotFoundError):
            if self._file is not None and os.path.samestat(os.fstat(self._file.fileno()), self._path.stat()):
                return
        log.warning("somebody has deleted %s; the lock is taken again", self._path.name)
        self.release()
        self.take()

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._write("")
            self._file.close()
            self._file = None

    def _write(self, content: str) -> None:
        if self._file is not None and self._file.writable():
            self._file.truncate(0)
            self._file.write(content)
            self._file.flush()


class PostgreSQLLock:
    """A :class:`Lock` in a PostgreSQL database, of a connection that is used for nothing else.

    Args:
        url: The database.
    """

    def __init__(self, url: str) -> None:
        here = Holder.this_process()
        options = {
            **_SILENT,
            "connect_timeout": 10,
            "application_name": f"black-magic {here.process} on {here.machine}",
        }
        self._engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=options, hide_parameters=True
        )
        self._connection: Connection | None = None

    def take(self) -> None:
        """Take the lock."""
        connection = self._engine.connect()
        for name, seconds in _SILENT.items():
            connection.execute(text(f"SET tcp_{name} = {seconds}"))
        if connection.scalar(_TAKE, {"key": _POSTGRESQL_KEY}):
            self._connection = connection
            return
        holder = _holder(connection)
        connection.close()
        raise Taken(holder)

    def check(self) -> None:
        """Take the lock again if its connection was lost."""
        if self._connection is not None:
            try:
                if self._connection.scalar(_IS_OURS, {"key": _POSTGRESQL_KEY}):
                    return
            except DBAPIError as error:
                log.warning(
                    "the connection that holds the lock of the database was lost: %s", type(error.orig).__name__
                )
            self.release()
        self.take()
        log.warning("the lock of the database is taken again")

    def release(self) -> None:
        """Give the lock back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()  # nothing pools it, so the server frees the lock


def lock_of(url: str) -> Lock | None:
    """The lock of a database; none for an SQLite database in memory, which no other process can use.

    Args:
        url: As for :class:`storage.database.Store`.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return PostgreSQLLock(url)
    if not parsed.database or parsed.database == ":memory:":
        return None
    path = Path(parsed.database).resolve()
    make_folder(path.parent)
    return FileLock(path.with_name(f"{path.name}.lock"))


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the lock of a database.

    Raises:
        Taken: Another process holds it.
        OSError, SQLAlchemyError: It cannot be taken for another reason.
    """
    lock = lock_of(url)
    if lock is None:
        yield
        return
    lock.take()
    try:
        yield
    finally:
        lock.release()


def _open(path: Path) -> IO[str]:
    try:
        return path.open("a+", encoding="utf-8")
    except PermissionError:  # it is another user's file; the lock on it is everybody's
        return path.open(encoding="utf-8")


def _holder(connection: Connection) -> Holder:
    """Who holds the lock. The server does not show every user who the others are."""
    found = connection.execute(_HOLDER, {"key": _POSTGRESQL_KEY}).first()
    if found is None or found[1] is None:
        return Holder()
    name = _NAME.fullmatch(found[0] or "")
    process, machine = (int(name[1]), name[2]) if name is not None else (0, "")
    return Holder(process, machine, _shown(found[1].astimezone()))


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z")
