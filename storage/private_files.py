"""Files that only their owner may read: the database, the open data, reports.

On Windows, where permissions are another matter, files are made as usual and none is taken for exposed.
"""

import os
import shlex
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL

_FILE, _FOLDER = 0o600, 0o700
_OTHERS = 0o077
"""The permissions of the group and of everybody."""


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are not there, for their owner alone. What is there stays as it is."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=_FOLDER, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file for its owner alone, unless it is there.

    A file that is there is not even opened. On closing it, the system would take away all locks that this process holds
    on it; another process could then take itself for the last user of an SQLite database, and delete its log.

    Raises:
        OSError: It cannot be made.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE))


def make_anew(path: Path) -> None:
    """Make an empty file for its owner alone, in place of one that is there.

    Raises:
        OSError: It cannot be made.
    """
    path.unlink(missing_ok=True)
    make_file(path)


def exposed(url: URL) -> list[Path]:
    """Of the files of an SQLite database, those that others than their owner may read or change.

    Another database has none here.
    """
    path = url.database
    if url.get_backend_name() != "sqlite" or not path or path == ":memory:" or os.name == "nt":
        return []
    files = [Path(path + ending) for ending in ("", "-wal", "-shm")]
    return [each for each in files if each.exists() and each.stat().st_mode & _OTHERS]


def warning(files: list[Path]) -> str:
    """What is wrong with exposed files, and what to do."""
    names = " ".join(str(each) for each in files)
    return (
        f"Other users of this machine may read {names}: people’s links to Slack and what they told are in it. "
        f"Type: chmod 600 {shlex.join(map(str, files))}"
    )
