"""Decoded images in one file: made once per machine, checked at every opening, memory-mapped by all slots.

The file: a header of 4,096 bytes (JSON), the pixels (uint8, N×S×S×3), the labels (little-endian uint16, N). It is
written beside its final name and renamed when it is whole, so a half-written one never has that name.
"""

import errno
import fcntl
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

log = logging.getLogger(__name__)

_VERSION = 1
_HEADER_BYTES = 4096
_LABEL = np.dtype("<u2")
_AT_ONCE = 64
"""Images that a process decodes before it writes them."""

_WORTH_A_PROCESS = 500
"""Images that take about as long to decode as another process takes to start."""

_MOST_PROCESSES = 16
"""More of them would wait for the disk."""


Report = Callable[[int, int], None]
"""Is told how many images are decoded, of how many; first with 0."""


class CacheError(Exception):
    """The cache cannot be made. ``str(error)`` says why, what was kept and what to do."""


class NoImages(ValueError):
    """The image files are not there at all."""


class _Damaged(Exception):
    """The file is not a whole cache of these images; its text says why."""


@dataclass(frozen=True)
class Listing:
    """The image files of a data set, in their order.

    Attributes:
        root: The folder they are in; names are remembered relative to it.
        files: All of them.
        labels: The class of each, from 0.
    """

    root: Path
    files: tuple[Path, ...]
    labels: tuple[int, ...]

    @property
    def classes(self) -> int:
        """The number of classes that have an image."""
        return len(set(self.labels))

    def fingerprint(self) -> str:
        """SHA-256 over names, classes, sizes and times of change: other files have another one.

        Raises:
            CacheError: A file is gone; it is named.
        """
        digest = hashlib.sha256()
        for file, label in zip(self.files, self.labels, strict=True):
            try:
                found = file.stat()
            except OSError as error:
                raise _unreadable(file, error) from error
            name = file.relative_to(self.root).as_posix()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\0{label}\n".encode())
        return digest.hexdigest()


Find = Callable[[bool], Listing]
"""Lists a data set's files; fetches them first where that is allowed and they are not there.

Raises :class:`NoImages` when none are there, another ``ValueError`` when they are not those that the rules describe."""


@dataclass(frozen=True)
class Pixels:
    """An open cache.

    Attributes:
        path: The file.
        images: uint8, N×S×S×3; a private memory map: pages are shared until they are written to, and nobody does.
        labels: uint16, N.
    """

    path: Path
    images: NDArray[np.uint8]
    labels: NDArray[np.uint16]


@dataclass(frozen=True)
class _Header:
    version: int
    count: int
    size: int
    source: str
    sha256: str

    @property
    def pixel_bytes(self) -> int:
        return self.count * self.size * self.size * 3

    @property
    def file_bytes(self) -> int:
        return _HEADER_BYTES + self.pixel_bytes + self.count * _LABEL.itemsize


def open_or_build(folder: Path, name: str, size: int, find: Find, report: Report) -> Pixels:
    """Open the cache of some image files, and make it first when it is missing, damaged, or of other files.

    When the image files are gone altogether, a cache that is whole is enough.

    Args:
        folder: Where caches are.
        name: Of the data set, for the file's name.
        size: Height and width of the decoded images, in pixels.
        find: Lists the files: to build, or to see whether the cache is of these files.
        report: Is told how far the work is.

    Raises:
        CacheError: An image cannot be read (it is named), or the disk is full.
        ValueError: There are image files, and they are not those that ``find`` expects.
    """
    path = folder / f"{name}-{size}px.images"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(path):
            return _open_or_build(path, size, find, report)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _open_or_build(path: Path, size: int, find: Find, report: Report) -> Pixels:
    whole: tuple[_Header, Pixels] | None = None
    try:
        whole = _open(path, size)
    except FileNotFoundError:
        log.info("There is no cache %s yet.", path)
    except _Damaged as error:
        log.warning("The cache %s cannot be used (%s) and is made again.", path, error)
    if whole is not None and not _changed(whole[0], find):
        return whole[1]
    _build(path, size, find(True), report)
    return _open(path, size)[1]


def _changed(header: _Header, find: Find) -> bool:
    """Whether the files are others than those in the cache. The cache is used without them when all are gone."""
    try:
        listing = find(False)
    except NoImages as error:
        log.info("The cache is used without its image files: %s", error)
        return False
    changed = listing.fingerprint() != header.source
    if changed:
        log.warning("The image files in %s have changed: their cache is made again.", listing.root)
    return changed


def _open(path: Path, size: int) -> tuple[_Header, Pixels]:
    with path.open("rb") as file:
        header = _read_header(file.read(_HEADER_BYTES))
        found = os.fstat(file.fileno()).st_size
        if header.version != _VERSION or header.size != size or found != header.file_bytes:
            raise _Damaged(f"{found} bytes, version {header.version}, {header.size} px")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != header.sha256:
        raise _Damaged("its checksum is wrong")
    shape = (header.count, size, size, 3)
    images = np.memmap(path, np.uint8, "c", _HEADER_BYTES, shape)
    labels = np.fromfile(path, _LABEL, header.count, offset=_HEADER_BYTES + header.pixel_bytes)
    return header, Pixels(path, images, labels)


def _read_header(start: bytes) -> _Header:
    try:
        return _Header(**json.loads(start))
    except (ValueError, TypeError) as error:
        raise _Damaged("its header cannot be read") from error


def _build(path: Path, size: int, listing: Listing, report: Report) -> None:
    source = listing.fingerprint()
    half = path.with_suffix(".half-written")
    try:
        with half.open("wb") as file:
            file.write(bytes(_HEADER_BYTES))
            file.flush()
            digest = hashlib.sha256()
            for chunk in _decoded(listing, size, half, report):
                digest.update(chunk)
            file.seek(0, os.SEEK_END)
            labels = np.asarray(listing.labels, _LABEL).tobytes()
            file.write(labels)
            digest.update(labels)
            header = _Header(_VERSION, len(listing.files), size, source, digest.hexdigest())
            file.seek(0)
            file.write(json.dumps(asdict(header)).encode().ljust(_HEADER_BYTES))
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        half.replace(path)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def _decoded(listing: Listing, size: int, file: Path, report: Report) -> Iterator[memoryview]:
    """Decode into the file, behind its header; the pixels in the files' order, as they are there."""
    total = len(listing.files)
    report(0, total)
    # Pillow holds Python's lock while it decodes, so threads would take turns. Fresh interpreters, because this process
    # may have threads and a GPU, neither of which survives a fork. They write by themselves: pixels that travelled
    # through a pipe would cost as much as decoding them.
    processes = max(1, min(os.cpu_count() or 1, _MOST_PROCESSES, total // _WORTH_A_PROCESS))
    starts = range(0, total, _AT_ONCE)
    parts = [listing.files[start : start + _AT_ONCE] for start in starts]
    with (
        file.open("rb") as written,
        ProcessPoolExecutor(processes, get_context("spawn"), initializer=_end_with_parent) as pool,
    ):
        try:
            written.seek(_HEADER_BYTES)
            for start, part, _ in zip(
                starts, parts, pool.map(partial(_decode_into, file, size), starts, parts), strict=True
            ):
                yield memoryview(written.read(len(part) * size * size * 3))
                report(start + len(part), total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _decode_into(file: Path, size: int, start: int, files: Sequence[Path]) -> None:
    """Decode some images to where they belong in the file."""
    pixels = np.stack([decode(each, size) for each in files])
    with file.open("r+b") as whole:
        whole.seek(_HEADER_BYTES + start * size * size * 3)
        whole.write(pixels.data)


def _end_with_parent() -> None:
    """End this process when the one that started it is killed: nothing else would tell it."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def decode(file: Path, size: int) -> NDArray[np.uint8]:
    """One image, resized bilinearly to ``size`` × ``size`` as ``torchvision.transforms.Resize`` does: uint8, S×S×3.

    Raises:
        CacheError: It cannot be read; it is named.
    """
    try:
        with Image.open(file) as image:
            small = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError) as error:  # a damaged PNG raises SyntaxError
        raise _unreadable(file, error) from error
    return np.asarray(small)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """All slots of a machine start at once: one builds, the others wait for it."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the system when the process dies
        yield


def _unreadable(file: Path, error: Exception) -> CacheError:
    what = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
    return CacheError(f"The image {file} {what}. No cache was written. Put the file back, or fetch the data set anew.")


def _unwritable(folder: Path, error: OSError) -> CacheError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return CacheError(
            f"The disk with {folder} is full. What was written of the cache is deleted. Free some space, or set "
            "machine.data in study.toml to a folder on another disk, and start again."
        )
    return CacheError(f"The cache in {folder} cannot be used ({error}). Make the folder readable and writable.")
