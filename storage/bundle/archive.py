"""A bundle is a zip file. The same study always gives the same bytes; a file from elsewhere is read within bounds."""

import csv
import hashlib
import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any, Self

from storage.bundle.cells import LONGEST_CELL, TYPED_BY_PEOPLE, Column
from storage.bundle.reading.problems import BundleRefused, Problem
from storage.bundle.table import Table
from storage.bundle.writing.texts import Redaction

MOST_BYTES = 8 * 2**30
"""Of all files of a bundle together, unpacked. (A thousand participants with all batch losses have some 2^29.)"""

MOST_TIMES = 100
"""How many times as large as packed a bundle may be unpacked. (Batch losses are twice, other tables ten times.)"""

ANY_RATIO = 2**26
"""Bytes that a bundle may have unpacked, however small it is."""

MOST_TEXT = 2**18
"""Bytes of a file that is read whole."""

MOST_FILES = 1000
MOST_LISTED = 2**20
"""Bytes of the list of files, which is read whole."""

_LONGEST_LINE = LONGEST_CELL + 2**12
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can tell
_PIECE = 2**16


@dataclass(frozen=True)
class WrittenFile:
    """A file in the archive.

    Attributes:
        rows: Of a table, without its heading.
        size: In bytes, unpacked.
    """

    name: str
    rows: int
    size: int
    sha256: str


class ArchiveWriter:
    """Writes the files of a bundle one after another.

    Args:
        path: Where the zip file is to be.
        redact: What every text goes through.
    """

    def __init__(self, path: Path, redact: Redaction) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._redact = redact
        self.written: list[WrittenFile] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @contextmanager
    def table(self, table: Table) -> Iterator["TableWriter"]:
        """Write a table, row by row."""
        with self._zip.open(_entry(table.file), "w", force_zip64=True) as file:
            writer = TableWriter(file, table, self._redact)
            yield writer
            writer.flush()
        self.written.append(WrittenFile(table.file, writer.rows, writer.size, writer.digest.hexdigest()))

    def text(self, name: str, content: str) -> None:
        """Write a text as it is."""
        encoded = content.encode()
        self._zip.writestr(_entry(name), encoded)
        self.written.append(WrittenFile(name, 0, len(encoded), hashlib.sha256(encoded).hexdigest()))


class TableWriter:
    """Writes rows as CSV (RFC 4180, but lines end with a line feed), in UTF-8."""

    def __init__(self, file: IO[bytes], table: Table, redact: Redaction) -> None:
        self._file, self._redact = file, redact
        self._text = io.StringIO()
        self._csv = csv.writer(self._text, lineterminator="\n")
        self._columns = [(each.name, self._writer(each)) for each in table.columns]
        self._csv.writerow([name for name, _ in self._columns])
        self.rows = self.size = 0
        self.digest = hashlib.sha256()

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one row; a column that it does not have is empty."""
        given = row.get
        self._csv.writerow(["" if (value := given(name)) is None else write(value) for name, write in self._columns])
        self.rows += 1
        if self._text.tell() > _PIECE:
            self.flush()

    def _writer(self, column: Column) -> Callable[[Any], str]:
        if column.kind not in TYPED_BY_PEOPLE:
            return column.write
        write, redact = column.write, self._redact
        return lambda value: write(redact(value) if isinstance(value, str) else value)

    def flush(self) -> None:
        """Hand on what was written so far."""
        piece = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        self._file.write(piece)
        self.digest.update(piece)
        self.size += len(piece)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _NO_TIME)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    return entry


class Unreadable(Exception):
    """A file of a bundle cannot be read; ``str(error)`` says why, to go on after its name."""


class ArchiveReader:
    """Reads the files of a bundle that may be damaged or meant to do harm.

    Raises:
        BundleRefused: It cannot be opened, or is larger than can be read.
        OSError: The file itself cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if _size_of_list(path) > MOST_LISTED:
            raise BundleRefused([Problem(path.name, f"holds too many files; {MOST_FILES} is the most.")])
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error):
            raise BundleRefused([Problem(path.name, "is not a zip file, or is damaged.")]) from None
        try:
            self._entries = _entries(self._zip, path)
        except BundleRefused:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, sorted."""
        return tuple(sorted(self._entries))

    def text(self, name: str) -> str:
        """A file as a whole.

        Raises:
            Unreadable: It cannot be unpacked, is too large, or is not UTF-8.
        """
        if self._entries[name].file_size > MOST_TEXT:
            raise Unreadable(f"is too large: {MOST_TEXT // 2**10} KiB is the most.")
        with self._open(name) as file:
            content = file.read(MOST_TEXT)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Unreadable("is not UTF-8: save it with that encoding.") from None

    def lines(self, name: str) -> Iterator[str]:
        """The lines of a table, with their ends.

        Raises:
            Unreadable: It cannot be unpacked to its end, is not UTF-8, or has a line that is longer than every cell.
        """
        with self._open(name) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            for number in itertools.count(1):
                try:
                    line = text.readline(_LONGEST_LINE + 1)
                except UnicodeDecodeError as error:
                    byte = error.object[error.start]
                    where = f"byte 0x{byte:02x}, about line {number}"
                    raise Unreadable(f"is not UTF-8 ({where}): save it as “CSV UTF-8”.") from None
                if not line:
                    return
                if len(line) > _LONGEST_LINE:
                    raise Unreadable(f"does not look like a table: line {number} has no end.")
                yield line

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._zip.open(self._entries[name]) as file:
                yield file
        except (zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise Unreadable("is damaged: it cannot be unpacked.") from error
        except (RuntimeError, NotImplementedError) as error:
            raise Unreadable("is encrypted, or packed in a way that is not known here.") from error


def _size_of_list(path: Path) -> int:
    """Bytes of the list of files in a zip file, as its end says; 0 where that cannot be found.

    ``zipfile`` reads as much, and makes an object of some 500 bytes of every 46.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - 2**16 - 22, 0))
        end = file.read()
        place = end.rfind(b"PK\x05\x06")
        if place < 0 or len(end) - place < 22:
            return 0
        listed = int(struct.unpack_from("<L", end, place + 12)[0])
        locator = end[place - 20 : place] if place >= 20 else b""
        if not locator.startswith(b"PK\x06\x07"):
            return listed
        file.seek(min(struct.unpack_from("<Q", locator, 8)[0], size))
        record = file.read(56)
        if len(record) == 56 and record.startswith(b"PK\x06\x06"):
            listed = int(struct.unpack_from("<Q", record, 40)[0])
        return listed


def _entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files by name. A folder that all are in, as some programs make one, is taken away."""
    bundle = path.name
    found = [each for each in archive.infolist() if not each.is_dir() and not _is_litter(each.filename)]
    if len(found) > MOST_FILES:
        raise BundleRefused([Problem(bundle, f"holds {len(found)} files; {MOST_FILES} is the most.")])
    unpacked = sum(each.file_size for each in found)
    if unpacked > MOST_BYTES:
        raise BundleRefused([Problem(bundle, f"is larger than {MOST_BYTES // 2**30} GiB when it is unpacked.")])
    if unpacked > max(ANY_RATIO, MOST_TIMES * path.stat().st_size):
        said = f"is more than {MOST_TIMES} times as large when it is unpacked, as no study is."
        raise BundleRefused([Problem(bundle, said)])
    folders = {PurePosixPath(each.filename).parts[:-1] for each in found}
    shared = len(folders.pop()) if len(folders) == 1 else 0
    entries: dict[str, zipfile.ZipInfo] = {}
    for each in found:
        name = "/".join(PurePosixPath(each.filename).parts[shared:])
        if name in entries:
            raise BundleRefused([Problem(name, "is in the bundle twice.")])
        entries[name] = each
    return entries


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or parts[0] == "__MACOSX" or parts[-1] in {".DS_Store", "Thumbs.db", "desktop.ini"}
