"""``blackmagic replay``: train a stored trial again, and compare every loss with the record, bit for bit."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.commands.study_file import DEFAULT, USAGE, StudyFile, read_settings
from bot.settings.settings import Settings, SettingsError
from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView, TrialView
from storage.schema.codes import spellings
from storage.schema.states import JobKind
from storage.schema.tables import Study
from storage.transitions import trials
from training.images.cache import CacheError
from training.images.files import MissingImages
from training.reproducibility.replay import Comparison, RecordedEpoch, compare
from training.tasks import Task, UnknownTask
from training.trial import Environment, TrialRequest

_DIFFERENT = 1
_INTERRUPTED = 130
_PLACE = re.compile(r"(?P<code>[A-Za-z]+\d+)/(?P<number>[1-9]\d*)")


class NotRecorded(LookupError):
    """The trial is not in the database, or not a loss of it; ``str(error)`` says which."""


@dataclass(frozen=True)
class _Recorded:
    """A trial of the past: what to train, and what came of it."""

    request: TrialRequest
    epochs: tuple[RecordedEpoch, ...]
    environment: Environment | None
    task: Task


def replay(
    trial: Annotated[str, typer.Option(metavar="P4071/4", help="The participant's code and the trial's number.")],
    study: StudyFile = DEFAULT,
    device: Annotated[str, typer.Option(help="Such as cpu or cuda:1; a slot's, unless another is named.")] = "",
) -> None:
    """Train a stored trial again, and say whether it gives the same losses to the last bit."""
    settings = read_settings(study)
    try:
        recorded = _find(settings, trial)
        found, differences = _replay(settings, recorded, device)
    except (NotRecorded, SettingsError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except (MissingImages, CacheError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_DIFFERENT) from None
    except KeyboardInterrupt:
        print("The replay was interrupted; the record is as it was.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    for difference in differences:
        print(f"This machine differs from the one the trial ran on (there and here) in its {difference}.")
    print(f"Trial {trial}: {_verdict(found)}")
    if found.difference is not None:
        raise typer.Exit(_DIFFERENT)


def _find(settings: Settings, trial: str) -> _Recorded:
    """Look a trial up.

    Raises:
        NotRecorded: It is not there, or has no losses.
        SettingsError: Two tasks have one name.
    """
    place = _PLACE.fullmatch(trial)
    if place is None:
        raise NotRecorded(f"--trial {trial}: write a participant's code and a trial's number, such as P4071/4.")
    store = Store(settings.machine.database)
    try:
        session, view = _look_up(store, settings.study.name, place["code"], int(place["number"]))
        epochs = tuple(
            RecordedEpoch(each.number, each.batch_losses, each.validation_accuracy)
            for each in history.epochs_of(store, JobKind.TRIAL, view.id)
        )
        kept = trials.get(store, view.id).environment
    except SQLAlchemyError as error:
        raise NotRecorded(f"The database cannot be read: {str(error).splitlines()[0]}") from error
    finally:
        store.close()
    if not any(len(each.batch_losses) for each in epochs):
        raise NotRecorded(f"Trial {trial} is {view.state} and has no losses to compare with.")
    try:
        task = settings.all_tasks()[session.task]
    except UnknownTask as error:
        raise NotRecorded(f"Trial {trial} cannot be trained again. {error}") from error
    request = TrialRequest(session.task, view.configuration, session.seed)
    return _Recorded(request, epochs, Environment(**kept) if kept else None, task)


def _look_up(store: Store, study: str, code: str, number: int) -> tuple[SessionView, TrialView]:
    meant = spellings(code)
    with store.read() as transaction:
        ids = transaction.exec(select(Study.id).where(col(Study.name) == study)).all()
    both = (history.sessions(store, key, searchers=searchers) for key in ids for searchers in (False, True))
    for session in (each for sessions in both for each in sessions):
        for view in session.trials:
            if session.participant in meant and view.number == number:
                return session, view
    raise NotRecorded(f"The study “{study}” has no trial {code.upper()}/{number}.")


def _replay(settings: Settings, recorded: _Recorded, device: str) -> tuple[Comparison, tuple[str, ...]]:
    """Train and compare. Returns what was found, and in what this machine differs from the one of then."""
    # Imported here: they bring torch, and a wrong code should be told at once.
    import torch

    from training.images.data import load
    from training.loop import train
    from training.reproducibility.environment import choose_device, prepare

    named = device or next(iter(settings.machine.devices), "")
    place = torch.device(named) if named else choose_device()
    here = prepare(place, settings.training.threads_per_slot)
    differences = recorded.environment.differences(here) if recorded.environment else ()
    items = train(recorded.request, load(recorded.task, place))
    return _follow(
        compare(recorded.epochs, items), sum(len(each.batch_losses) for each in recorded.epochs)
    ), differences


def _follow(comparisons: Iterator[Comparison], losses: int) -> Comparison:
    columns = (TextColumn("losses compared"), BarColumn(), MofNCompleteColumn())
    found = Comparison()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        shown = bar.add_task("replay", total=losses)
        for found in comparisons:
            bar.update(shown, completed=found.losses)
    return found


def _verdict(found: Comparison) -> str:
    if found.difference is None:
        return f"all {found.losses} recorded losses are the same to the last bit."
    first = found.difference
    if first.step is None:
        return (
            f"the losses of epoch {first.epoch} are the same, its validation accuracy is not: "
            f"{first.recorded} % then, {first.replayed} % now."
        )
    now = "it had ended before, now" if first.replayed is None else f"{first.replayed!r} now"
    return (
        f"{found.losses} losses are the same; the first that is not is at epoch {first.epoch}, "
        f"step {first.step + 1}: {first.recorded!r} then, {now}."
    )
