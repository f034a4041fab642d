"""``blackmagic report``: what a study found, as a page, figures, tables and numbers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bot.commands.database import Unusable, told
from bot.commands.interim import INTERIM, look
from bot.commands.study_source import study_source

if TYPE_CHECKING:
    from reports.write import Report


def report(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder that the report is written to.")],
    study: Annotated[Path | None, typer.Option(metavar="STUDY.TOML", help="Whose study.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Another database, such as sqlite:///study.db.")
    ] = None,
    bundle: Annotated[Path | None, typer.Option(metavar="FILE.zip", help="A bundle, instead of a database.")] = None,
    name: Annotated[str | None, typer.Option(help="Which study of the database; the newest, unless named.")] = None,
    only: Annotated[str | None, typer.Option(metavar="NAME", help="One figure or table, such as figure-4.")] = None,
    interim: Annotated[bool, typer.Option("--interim", help=INTERIM)] = False,
) -> None:
    """Write a study's report: every figure and table of the paper, and the statistics it lacked."""
    # Imported here: these bring matplotlib and scipy, and a mistake in what was typed should be told at once.
    with told(nothing="What was written before is kept."):
        if out.exists() and not out.is_dir():
            raise Unusable(f"{out} is a file, so no report can be written into it. Choose a folder.")
        with study_source(study, database, bundle, name) as (store, study_id):
            look(store, study_id, what=f"report {only or ''}".strip(), interim=interim)
            from reports.write import UnknownPart, write_report

            try:
                with _progress() as show:
                    written = write_report(store, out, study_id=study_id, only=only, progress=show)
            except UnknownPart as error:
                raise Unusable(str(error)) from None
        print(_what_was_written(written, only))


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)


def _what_was_written(written: "Report", only: str | None) -> str:
    if only is not None:
        return "\n".join(str(each.path) for each in written.files)
    figures, tables = len(written.paths(".png")), len(written.paths(".csv"))
    return (
        f"The report of the study “{written.results.study.name}” is in {written.folder}: open report.html there. "
        f"Beside it are {figures} figures (PNG, SVG, PDF), {tables} tables (CSV), and results.json with every number."
        + (f"\n{left_out}" if (left_out := written.results.study.left_out) else "")
    )
