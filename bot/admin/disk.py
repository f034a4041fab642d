"""Whether there is room for what is kept: a full disk stops the study, so admins hear of it before."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.admin.alert_kinds import AlertKind

log = logging.getLogger(__name__)

CHECK_SECONDS = 180.0
NEARLY_FULL_BYTES = 2 * 1024**3
"""Less than this is nearly full."""

_GIGABYTE = 1024**3


class DiskWatch:
    """Looks how much room is left.

    It is told when there is too little, again each time half of that is gone, and again after there was enough.

    Args:
        folders: By what is kept there, in a few words.
        raise_alert: Takes a kind and a sentence about what broke.
        free: The bytes that are free where a folder is.
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
        self._told_below: dict[int, int] = {}

    def look(self) -> None:
        """See how much is left on each disk, and tell. A folder that cannot be looked at is left out."""
        disks: dict[int, list[str]] = {}
        left: dict[int, int] = {}
        for name, folder in self._folders.items():
            place = _existing(folder)
            try:
                device = place.stat().st_dev
                left[device] = self._free(place)
            except OSError as error:
                log.warning("cannot see how full the disk of %s is: %s", name, error)
                continue
            disks.setdefault(device, []).append(name)
        for device, names in disks.items():
            self._judge(device, " and ".join(names), left[device])

    def _judge(self, device: int, what: str, free: int) -> None:
        if free >= NEARLY_FULL_BYTES:
            self._told_below.pop(device, None)
            return
        if free > self._told_below.get(device, NEARLY_FULL_BYTES * 2) / 2:
            return
        self._told_below[device] = free
        threshold = NEARLY_FULL_BYTES / _GIGABYTE
        self._raise_alert(
            AlertKind.DISK_NEARLY_FULL,
            f"The disk with {what} has {free / _GIGABYTE:.2f} GB left, and less than {threshold:g} GB is nearly full. "
            "When it is full, nothing can be trained or kept any more.",
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
