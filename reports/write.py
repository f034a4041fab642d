"""Writes a report into a folder: the page, figures, tables, and every number."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from reports.compute import STEPS, compute
from reports.data.load import load
from reports.data.study_data import StudyData, natural
from reports.figures.catalogue import OTHER, plates, task_plates
from reports.figures.further import POOLED
from reports.figures.plate import Plate
from reports.figures.style import FORMATS, Format
from reports.html.render import render
from reports.naming import ending
from reports.results.as_json import to_json
from reports.results.study_results import StudyResults
from reports.tables.catalogue import POOLED_SHEETS, sheets, task_sheets
from reports.wording import listed
from storage.database import Store
from storage.private_files import make_anew, make_folder

T = TypeVar("T")

Progress = Callable[[float, str], None]
"""A function that is called with the share that is done, from 0 to 1, and the next step."""

PAGE = "report.html"
NUMBERS = "results.json"

_READING, _COMPUTING = 0.08, 0.55
"""The shares of the time after reading the study, and after computing."""


class UnknownPart(LookupError):
    """There is no figure or table of this name; ``str(error)`` lists the names."""


@dataclass(frozen=True)
class Written:
    """A file of the report.

    Attributes:
        name: Of the figure or table, such as ``figure-4``; the file's own for the page and the numbers.
        alt: A figure in words; the title of a table.
    """

    path: Path
    name: str
    title: str
    alt: str


@dataclass(frozen=True)
class Report:
    """A report that has been written: first the page and the numbers, then figures and tables."""

    folder: Path
    files: tuple[Written, ...]
    results: StudyResults

    def paths(self, suffix: str) -> tuple[Path, ...]:
        """The files that end so: ``.png``."""
        return tuple(each.path for each in self.files if each.path.suffix == suffix)


def write_report(
    store: Store,
    folder: Path,
    *,
    study_id: int | None = None,
    only: str | None = None,
    progress: Progress | None = None,
    written: date | None = None,
) -> Report:
    """Compute a study's report and write it.

    The same study gives the same bytes, but for one date on the page. Files of an earlier report of these names are
    replaced, each at once; a figure or table of an earlier report that this one does not have is removed.

    Args:
        folder: Is made where it is not there: ``report.html``, ``results.json``, ``figures/``, ``tables/``. All that is
            made is for its owner alone.
        study_id: The current or the newest study where none is named.
        only: The name of a figure, a table or both, such as ``figure-4``: nothing else is written. With several tasks
            it is written for each.
        progress: Is called at each step.
        written: The date on the page: today, in UTC, where none is given.

    Raises:
        Refused: There is no such study.
        UnknownPart: ``only`` names neither a figure nor a table.
        OSError: The folder cannot be written to.
    """
    tell = progress or _silent
    tell(0.0, "reading the study")
    data = load(store, study_id)
    return write_results(_compute(data, tell), folder, only=only, progress=tell, written=written)


def write_results(
    results: StudyResults,
    folder: Path,
    *,
    only: str | None = None,
    progress: Progress | None = None,
    written: date | None = None,
) -> Report:
    """Write a report from computed results; see :func:`write_report`."""
    tell = progress or _silent
    drawn, tables = plates(results), sheets(results)
    if only is not None:
        drawn, tables = _named(only, results, drawn), _named(only, results, tables)
        if not drawn and not tables:
            raise UnknownPart(_no_part(only, results))
    files: list[Written] = []
    svgs: dict[str, bytes] = {}
    for position, (name, plate) in enumerate(drawn.items()):
        tell(_COMPUTING + (1 - _COMPUTING) * position / len(drawn), f"drawing {name}")
        for path, content in _figure_files(folder, plate):
            files.append(_write(path, content, name, plate.title, plate.description))
            if path.suffix == ".svg":
                svgs[name] = content
    for name, sheet in tables.items():
        files.append(_write(folder / "tables" / f"{name}.csv", sheet.csv(), name, sheet.title, sheet.title))
    if only is None:
        page = render(results, svgs, written=written or datetime.now(UTC).date())
        title = f"Report of the study “{results.study.name}”"
        files.insert(0, _write(folder / PAGE, page, PAGE, title, title))
        files.insert(1, _write(folder / NUMBERS, to_json(results).encode(), NUMBERS, "Every number", "Every number"))
        _remove_others(folder, [each.path for each in files], results)
    tell(1.0, "done")
    return Report(folder, tuple(files), results)


def _compute(data: StudyData, tell: Progress) -> StudyResults:
    steps = len(STEPS) * max(len(data.tasks), 1)
    done = 0

    def step(what: str) -> None:
        nonlocal done
        tell(_READING + (_COMPUTING - _READING) * done / steps, f"computing {what}")
        done += 1

    return compute(data, step)


def _figure_files(folder: Path, plate: Plate) -> Iterator[tuple[Path, bytes]]:
    files: Mapping[Format, bytes] = plate.files()
    for kind in FORMATS:
        yield folder / "figures" / f"{plate.name}.{kind}", files[kind]


def _write(path: Path, content: bytes, name: str, title: str, alt: str) -> Written:
    """Write a file in one step: a reader finds the whole old file or the whole new one."""
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.part")
    make_anew(unfinished)
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return Written(path, name, title, alt)


def _remove_others(folder: Path, files: Iterable[Path], results: StudyResults) -> None:
    """Remove figures and tables that an earlier report in this folder had and this one has not."""
    kept = set(files)
    for base in _bases(results):
        for end in ("", *_ends(results)):
            for name in (f"{base}{end}", f"{base}-{OTHER}{end}"):
                paths = [
                    folder / "tables" / f"{name}.csv",
                    *(folder / "figures" / f"{name}.{kind}" for kind in FORMATS),
                ]
                for path in paths:
                    if path not in kept:
                        path.unlink(missing_ok=True)


def _bases(results: StudyResults) -> tuple[str, ...]:
    """Names of figures and tables without a task's, those of other readings left out."""
    found = {name for task in results.tasks for name in (*task_plates(task), *task_sheets(task))}
    return tuple(sorted(name for name in found | {POOLED, *POOLED_SHEETS} if not name.endswith(OTHER)))


def _ends(results: StudyResults) -> tuple[str, ...]:
    return tuple(ending(results, task.task) for task in results.tasks)


def _named(only: str, results: StudyResults, parts: Mapping[str, T]) -> dict[str, T]:
    names = {only, *(f"{only}{end}" for end in _ends(results))}
    return {name: part for name, part in parts.items() if name in names}


def _no_part(only: str, results: StudyResults) -> str:
    known = listed(sorted({*plates(results), *sheets(results)}, key=natural))
    return f"The report has no “{only}”. It has {known}."


def _silent(_share: float, _what: str) -> None:
    """Tell nobody."""
