"""``blackmagic data prepare``: fetch and decode a task's images ahead of time, so that no worker has to."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.commands.study_file import DEFAULT, StudyFile, find_task, read_settings
from training.images.cache import CacheError
from training.images.files import MissingImages, PreparedSource
from training.tasks import Task

_FAILED = 1
_INTERRUPTED = 130

app = typer.Typer(help="The images that are trained on.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """The images that are trained on."""


@app.command()
def prepare(
    task: Annotated[str | None, typer.Option(help="The task to prepare; by default all tasks of the study.")] = None,
    study: StudyFile = DEFAULT,
) -> None:
    """Fetch a task's images where needed, and decode them once into the cache that all slots share."""
    for name in [task] if task else read_settings(study).study.task:
        _prepare(find_task(study, name))


def _prepare(chosen: Task) -> None:
    if not isinstance(chosen.source, PreparedSource):
        print(f"{chosen.name} comes with a package: there is nothing to prepare.")
        return
    columns = (TextColumn("decoding images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            shown = bar.add_task("decoding", total=chosen.facts.training_images, visible=False)
            path = chosen.source.prepare(
                lambda done, total: bar.update(shown, completed=done, total=total, visible=True)
            )
    except (MissingImages, CacheError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_FAILED) from None
    except KeyboardInterrupt:
        print("Preparing was interrupted: no cache was written. What was downloaded is kept.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    print(f"The images of {chosen.name} are ready in {path} ({path.stat().st_size / 2**20:.0f} MiB).")
