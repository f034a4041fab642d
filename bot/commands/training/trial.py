"""``blackmagic trial``: one configuration, trained here and now. No Slack, no database, no worker.

The same command gives the same losses to the last bit on the same machine. On a CPU the last bits depend on the
number of threads, so it is 1 unless told otherwise, as in a study's slots.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.commands.study_file import DEFAULT, USAGE, StudyFile, find_task
from training.hyperparameters import BY_NAME, Configuration, InvalidConfiguration
from training.images.cache import CacheError
from training.images.files import MissingImages
from training.tasks import Task
from training.trial import BatchLosses, Ending, EpochEnd, Outcome, TrialRequest
from training.trial import Progress as Report

_PAPER_SEED = 10
"""Of all trials of the original study."""

_FAILED = 1
_INTERRUPTED = 130


def trial(
    task: Annotated[str, typer.Option(help="The task to train.")] = "digits-squeezenet",
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A hyperparameter; once for each, the mandatory four at least."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed of the weights, the order of the images and dropout.")
    ] = _PAPER_SEED,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads; results depend on it in the last bits.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON instead of a table.")] = False,
    study: StudyFile = DEFAULT,
) -> None:
    """Train one configuration here, and print its losses and its validation accuracy."""
    chosen = find_task(study, task)
    try:
        configuration = _read(values or (), chosen)
    except InvalidSetting as error:
        for sentence in error.args:
            print(sentence, file=sys.stderr)
        raise typer.Exit(USAGE) from None
    request = TrialRequest(task, configuration, seed)
    epoch_losses: list[float] = []
    try:
        outcome = _show(_train(request, chosen, threads), request, epoch_losses)
    except (MissingImages, CacheError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_FAILED) from None
    except KeyboardInterrupt:
        print("The trial was interrupted: nothing was kept.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        print(json.dumps(_as_plain_data(request, outcome, epoch_losses), allow_nan=False))
    else:
        Console().print(_as_table(outcome, epoch_losses))


class InvalidSetting(ValueError):
    """``--set`` cannot be used as given; each argument is one sentence for the person who typed it."""


def _read(settings: Sequence[str], task: Task) -> Configuration:
    """Make a configuration of ``name=value`` settings.

    Raises:
        InvalidSetting: With one sentence for every setting at fault.
    """
    given: dict[str, str] = {}
    errors: list[str] = []
    for setting in settings:
        name, separator, value = setting.partition("=")
        name = name.strip()
        if not separator:
            errors.append(f"--set {setting}: please write it as NAME=VALUE, such as epochs=2.")
        elif name not in BY_NAME:
            errors.append(f"--set {setting}: there is no hyperparameter {name!r}. There are: {', '.join(BY_NAME)}.")
        elif name in given:
            errors.append(f"--set {setting}: {name} is set twice; please set it once.")
        else:
            given[name] = value.strip()
    try:
        configuration = Configuration.create(given, training_images=task.facts.training_images)
    except InvalidConfiguration as error:
        errors += [f"--set {name}: {_sentence(name, text)}" for name, text in error.errors.items()]
    if errors:
        raise InvalidSetting(*errors)
    return configuration


def _sentence(name: str, text: str) -> str:
    """A form's error sentence, and for a choice the words that can be typed here (a form shows labels)."""
    choices = BY_NAME[name].choices
    return f"please choose one of: {', '.join(choices)}." if choices else text


def _train(request: TrialRequest, task: Task, threads: int) -> Iterator[Report | None]:
    # Imported here: they bring torch, and a typing error should be told at once.
    from training.images.data import load
    from training.loop import train
    from training.reproducibility.environment import choose_device, prepare

    device = choose_device()
    prepare(device, threads)
    yield from train(request, load(task, device))


def _show(items: Iterator[Report | None], request: TrialRequest, epoch_losses: list[float]) -> Outcome:
    """Follow a trial to its end with a progress bar on the standard error.

    ``epoch_losses`` gets the epochs' training losses, and at last, if it diverges, the batch loss it diverged with.
    """
    epochs = request.configuration.epochs
    outcome: Outcome | None = None
    last_loss = math.nan
    columns = (
        TextColumn("epoch {task.fields[epoch]}/{task.total:.0f}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        shown = bar.add_task("training", total=epochs, epoch=1, loss="–")
        for item in items:
            if isinstance(item, BatchLosses):
                last_loss = item.losses[-1]
                bar.update(shown, epoch=item.epoch, loss=f"{last_loss:.4g}")
            elif isinstance(item, EpochEnd):
                epoch_losses.append(item.training_loss)
                bar.update(shown, completed=item.epoch)
            elif isinstance(item, Outcome):
                outcome = item
                if item.ending is Ending.DIVERGED:
                    epoch_losses.append(last_loss)
    if outcome is None:
        raise RuntimeError("The trial ended without an outcome: this is an error in training.")
    return outcome


def _as_plain_data(request: TrialRequest, outcome: Outcome, epoch_losses: list[float]) -> dict[str, Any]:
    """The one JSON object; a number that JSON cannot hold is ``null``."""
    return {
        "state": str(outcome.ending),
        "validation_accuracy": outcome.accuracy,
        "epoch_losses": [loss if math.isfinite(loss) else None for loss in epoch_losses],
        "seconds": outcome.seconds,
        "images_per_second": outcome.images_per_second,
        "task": request.task,
        "seed": request.seed,
        "configuration": request.configuration.as_dict(),
        "environment": dataclasses.asdict(outcome.environment) if outcome.environment else None,
    }


def _as_table(outcome: Outcome, epoch_losses: list[float]) -> Table:
    table = Table(title="Trial", show_header=False)
    table.add_row("State", str(outcome.ending))
    if outcome.ending is Ending.COMPLETE and outcome.accuracy is not None:
        table.add_row("Validation accuracy", f"{outcome.accuracy:.2f} %")
    for epoch, loss in enumerate(epoch_losses, start=1):
        table.add_row(f"Loss of epoch {epoch}", f"{loss:.6g}")
    table.add_row("Time", f"{outcome.seconds:.1f} s")
    table.add_row("Speed", f"{outcome.images_per_second:,.0f} images per second")
    return table
