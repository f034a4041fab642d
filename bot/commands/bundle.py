"""``blackmagic export`` and ``blackmagic import``: a study as open data, and open data as a study."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.commands.database import Unusable, missing_file, opened, shown, study_base, told
from bot.commands.interim import INTERIM, look
from bot.commands.study_file import DEFAULT, read_settings
from storage.bundle import export_bundle, import_bundle
from storage.locks import locked
from storage.queries.results import hides_results
from storage.schema.states import Background
from storage.transitions import studies


def export(
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="The file to write.")],
    study: Annotated[Path | None, typer.Option(metavar="STUDY.TOML", help="The study file.")] = None,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The database, instead of a study file, such as sqlite:///study.db."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The study in the database; by default the newest.")] = None,
    background: Annotated[
        Background,
        typer.Option(
            help="How much of what people told of themselves is in it. full: all of it; standard: months of "
            "experience, education in bands; banded: the group instead of months, education in bands; none: nothing."
        ),
    ] = Background.STANDARD,
    batch_losses: Annotated[bool, typer.Option(help="Include the loss of every batch.")] = True,
    interim: Annotated[bool, typer.Option("--interim", help=INTERIM)] = False,
) -> None:
    """Write a study as a bundle of tables: codes instead of people, no time of day, a codebook."""
    with told(nothing="Nothing was written."):
        if study is not None and database is not None:
            raise Unusable("Give --study or --database, not both.")
        if not out.parent.is_dir():
            raise Unusable(f"There is no folder {out.parent} to write {out.name} to.")
        if out.exists() and not zipfile.is_zipfile(out):
            raise Unusable(f"{out} is there already and is no zip file, so it was left as it is. Choose another name.")
        if database is None:
            settings = read_settings(study or DEFAULT)
            database, name = settings.machine.database, name or settings.study.name
        with study_base(database) as store, _progress("Writing") as show:
            found = studies.newest_study(store) if name is None else studies.study_named(store, name)
            withheld = hides_results(found) and not interim
            if found is not None and not withheld:
                look(store, found.id, what="export", interim=interim)
            written = export_bundle(
                store,
                out,
                name=name,
                background=background,
                batch_losses=batch_losses,
                test_results=not withheld,
                progress=show,
            )
        print(f"The study “{written.study}” is in {out} ({_size(written.size)}): {_counts(written.rows)}.")
        print(*written.told(), sep="\n")
        if withheld:
            print("The study is not closed, so test results are not in it. --interim includes them, and is recorded.")
        print("Look through what people typed (the columns text_… of trials.csv) before you publish it.")


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The bundle to read.")],
    database: Annotated[str, typer.Option(metavar="URL", help="A new database, such as sqlite:///study.db.")],
) -> None:
    """Read a bundle into a fresh database, all or nothing; what is wrong is named with file, row and column."""
    with told(nothing="Nothing was imported."):
        made = missing_file(database)
        try:
            with opened(database) as store, locked(database), _progress("Reading") as show:
                found = import_bundle(store, file, progress=show)
        except BaseException:
            if made is not None:
                _remove(made)
            raise
        for sentence in found.assumed:
            print(sentence)
        print(f"The study “{found.study}” is in {shown(database)}: {_counts(found.rows)}.")


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[str], None]]:
    with Console(stderr=True).status(f"{doing} …") as status:
        yield lambda name: status.update(f"{doing} {name} …")


def _remove(file: Path) -> None:
    """Take a SQLite file that holds nothing away again, with the files beside it."""
    for each in (file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm", ".lock"))):
        each.unlink(missing_ok=True)


def _counts(rows: Mapping[str, int]) -> str:
    found = {name: rows.get(name, 0) for name in ("participants", "trials", "evaluations", "epochs")}
    return ", ".join(f"{count:,} {name.removesuffix('s') if count == 1 else name}" for name, count in found.items())


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.0f} KiB"
