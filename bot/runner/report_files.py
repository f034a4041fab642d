"""The report and the open data as files in a folder, made by :mod:`bot.runner.subprocess_job`."""

from dataclasses import dataclass
from pathlib import Path

from bot.runner.subprocess_job import NotMade
from storage.bundle import export_bundle
from storage.database import Store
from storage.schema.states import Background
from storage.transitions import studies


@dataclass(frozen=True)
class MadeFile:
    """A file that is there now.

    Attributes:
        path: Where it is.
        alt_text: What a picture shows.
        about: What its reader has to know of it, in lines.
    """

    path: Path
    alt_text: str = ""
    about: tuple[str, ...] = ()


def open_data(database: str, study: str, path: Path, background: Background, test_results: bool = True) -> MadeFile:
    """Write a study as a bundle of tables under codes.

    Args:
        database: Where it is.
        study: Its name.
        path: The file.
        background: How much of what people told of themselves is in it.
        test_results: Whether evaluations of final choices are in it.

    Raises:
        Refused: There is no such study.
    """
    store = Store(database)
    try:
        exported = export_bundle(store, path, name=study, background=background, test_results=test_results)
    finally:
        store.close()
    return MadeFile(path, about=exported.told())


def report(database: str, study: str, folder: Path, name: str, only: str | None = None) -> list[MadeFile]:
    """Compute a study's report and write it.

    Args:
        database: Where the study is.
        study: Its name.
        folder: An empty one.
        name: What the archive of the whole report is called, without its suffix.
        only: The name of a figure or a table; ``figures`` and ``tables`` are all of a kind; none is everything.

    Returns:
        Of everything: the page, and an archive of all files. Of all of a kind: an archive. Of one: its files.

    Raises:
        NotMade: There is no such figure or table.
        Refused: There is no such study.
    """
    from reports.pack import pack  # these bring the statistics, which nobody else here needs
    from reports.write import PAGE, UnknownPart, write_report

    store = Store(database)
    try:
        found = studies.study_named(store, study)
        one = None if only in ("figures", "tables") else only
        written = write_report(store, folder, study_id=None if found is None else found.id, only=one)
    except UnknownPart as error:
        raise NotMade(str(error)) from error
    finally:
        store.close()
    if one is not None:
        wanted = (".png", ".pdf", ".csv")
        return [MadeFile(each.path, each.alt) for each in written.files if each.path.suffix in wanted]
    archive = pack(written, folder / f"{name}{f'-{only}' if only else ''}.zip", folder=only)
    return [MadeFile(archive)] if only else [MadeFile(folder / PAGE), MadeFile(archive)]
