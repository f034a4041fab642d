"""Packs a written report as one archive."""

import zipfile
from pathlib import Path

from reports.write import Report
from storage.private_files import make_anew


def pack(report: Report, archive: Path, *, folder: str | None = None) -> Path:
    """Pack the files of a report as a zip, under their paths in the report's folder.

    Args:
        archive: The file that is written; an earlier one is replaced.
        folder: ``figures`` or ``tables`` for these alone; every file when not given.

    Returns:
        ``archive``.

    Raises:
        OSError: It cannot be written.
    """
    make_anew(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in report.files:
            inside = each.path.relative_to(report.folder)
            if folder is None or inside.parts[0] == folder:
                packed.write(each.path, inside)
    return archive
