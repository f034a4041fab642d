"""Watches the free space on the disks: a full disk stops the study, so admins are warned before."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.admin.alert_kinds import AlertKind

log = logging.getLogger(__name__)

CHECK_SECONDS = 180.0
NEARLY_FULL_BYTES = 2 * 1024**3
"""A disk with less free space than this is nearly full."""

_GIGABYTE = 1024**3


class DiskWatch:
    """Checks how much space is free.

    It raises an alert when a disk is nearly full, and again each time when half of the remaining space is used. After
    there was enough space, it starts from the beginning.

    Args:
        folders: The folders to watch, by what they contain, in a few words.
        raise_alert: Takes the kind of an alert and a sentence about it.
        free: Returns the free bytes on the disk of a folder.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        raise_alert: Callable[[str, str], None],
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folders = folders
        self._raise_alert = raise_alert
        self._free = free
        self._reported: dict[int, int] = {}  # the free bytes at the last alert, by the disk

    def check(self) -> None:
        """Check every disk, and raise alerts. A folder that cannot be read is left out."""
        disks: dict[int, list[str]] = {}
        left: dict[int, int] = {}
        for name, folder in self._folders.items():
            existing = _existing(folder)
            try:
                device = existing.stat().st_dev
                left[device] = self._free(existing)
            except OSError as error:
                log.warning("cannot see how full the disk of %s is: %s", name, error)
                continue
            disks.setdefault(device, []).append(name)
        for device, names in disks.items():
            self._judge(device, " and ".join(names), left[device])

    def _judge(self, device: int, what: str, free: int) -> None:
        if free >= NEARLY_FULL_BYTES:
            self._reported.pop(device, None)
            return
        if free > self._reported.get(device, NEARLY_FULL_BYTES * 2) / 2:
            return
        self._reported[device] = free
        threshold = NEARLY_FULL_BYTES / _GIGABYTE
        self._raise_alert(
            AlertKind.DISK_NEARLY_FULL,
            f"The disk with {what} has {free / _GIGABYTE:.2f} GB left. It is nearly full: less than {threshold:g} GB. "
            "When it is full, nothing can be trained or stored any more.",
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest folder above it that exists."""
    return next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
