"""Databases with the newest tables and nothing in them. The migrations run once in a process; the rest are copies."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from storage.database import Store

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.long))
"""For what both databases promise. On PostgreSQL the tests take three times as long, so `make test-long` runs those."""


def make_sqlite(path: Path) -> None:
    """Make such a database at a path where there is none."""
    shutil.copy(migrated(), path)


@cache
def migrated() -> Path:
    """The database that is copied."""
    folder = tempfile.TemporaryDirectory(prefix="migrated-")
    _folders.append(folder)
    path = Path(folder.name) / "study.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.scrub()  # all is in this one file
    store.close()
    return path


_folders: list[tempfile.TemporaryDirectory[str]] = []
"""They are deleted when the process ends."""
