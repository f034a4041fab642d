"""The status of the running bot in a file, for ``blackmagic health`` on the same machine.

The file's time says when the bot was last alive. The heartbeat in the database says something else: until when people
were served, and Slack may be away while the bot is well.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError
from sqlalchemy import make_url

WRITE_SECONDS = 5.0


class Status(BaseModel, frozen=True):
    """How the bot is.

    Attributes:
        process: Its process.
        slots, slots_ready: How many slots it has, and how many of them have a worker that is ready.
        troubles: What is dead or does not go on, by name.
        unserved_since: Since when Slack cannot be reached; none if it can.
    """

    process: int = 0
    slots: int
    slots_ready: int
    troubles: tuple[str, ...]
    unserved_since: datetime | None


class StatusFile:
    """The file of the bot on a database.

    Args:
        database: The URL of the database.
        clock: Seconds that only grow.
    """

    def __init__(self, database: str, clock: Callable[[], float] = time.monotonic) -> None:
        name = hashlib.sha256(_full(database).encode()).hexdigest()[:32]
        self.path = Path(tempfile.gettempdir()) / f"black-magic-{os.getuid()}-{name}.status"
        self._clock = clock
        self._written_at = float("-inf")

    def write_now_and_then(self, status: Status) -> None:
        """Write a status, but no more often than every :data:`WRITE_SECONDS`. On a full disk, only the time is new."""
        if self._clock() - self._written_at < WRITE_SECONDS:
            return
        self._written_at = self._clock()
        new = self.path.with_suffix(f".{os.getpid()}")
        try:
            new.write_text(status.model_copy(update={"process": os.getpid()}).model_dump_json(), encoding="utf-8")
            new.replace(self.path)
        except OSError:
            with suppress(OSError):
                new.unlink(missing_ok=True)
                os.utime(self.path)

    def remove(self) -> None:
        """Delete the file, if this process has written it: the bot is being stopped."""
        status = self.read()
        if status is not None and status[0].process == os.getpid():
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def read(self) -> tuple[Status, datetime] | None:
        """The newest status, and when the bot was last alive; none if there is none on this machine."""
        try:
            status = Status.model_validate_json(self.path.read_text(encoding="utf-8"))
            return status, datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except (OSError, ValidationError):
            return None


def _full(database: str) -> str:
    """The URL of a database, with the whole path of its file: studies in two folders may name theirs alike."""
    url = make_url(database)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return database
    return f"sqlite:///{Path(url.database).resolve()}"
