"""``blackmagic pilot``: whether a task is fit to measure skill, from trials of a spread of settings."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.commands.database import Unusable, told
from bot.commands.study_file import DEFAULT, STUDY, StudyFile, find_task, here_or_template, read_settings
from bot.settings.settings import Settings
from training.hyperparameters import Configuration
from training.tasks import Task
from training.trial import Ending, Outcome, TrialRequest
from training.workers import Failed, LocalWorkers, Lost, Ready

if TYPE_CHECKING:
    from reports.pilot.measures import Pilot, PilotRun

_UNWELL, _NOT_FIT = 1, 3
_INTERRUPTED = 130

_LONGEST_SILENCE = 600.0
"""Seconds without a word from any worker after which the pilot gives up."""

_MOST_LOST = 3
"""So many workers may be lost before the pilot gives up."""


class Unwell(Exception):
    """The workers do not do what they should; ``str(error)`` says what."""


def pilot(
    task: Annotated[str, typer.Option(help="The task to look at.")],
    count: Annotated[int, typer.Option("--settings", min=2, metavar="N", help="How many settings are trained.")] = 16,
    seeds: Annotated[
        int, typer.Option(min=2, metavar="N", help="How many of the study’s seeds each is trained with.")
    ] = 3,
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="The epochs of every trial.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print every number as JSON.")] = False,
    study: StudyFile = DEFAULT,
) -> None:
    """Train a spread of settings with several seeds each, and say whether the task is fit to measure skill.

    It trains in the study's slots and never looks at the test images. The exit code is 0 for a task that is fit, 3 for
    one that is not, and 1 when training failed.
    """
    with told(nothing="Nothing was kept."):
        chosen = find_task(study, task)
        rules = read_settings(study if study != DEFAULT else here_or_template(STUDY))
        study_seeds = (rules.training.seed, *rules.training.evaluation_seeds)
        if seeds > len(study_seeds):
            raise Unusable(
                f"The study has {len(study_seeds)} seeds, its own and those of the evaluations: {seeds} are more."
            )
        # Imported here: these bring scipy, and a mistake in what was typed should be told at once.
        from reports.pilot.assess import assess
        from training.search.spread import spread

        settings = spread(count, epochs=epochs, training_images=chosen.facts.training_images)
        runs = _trained(chosen, settings, study_seeds[:seeds], rules)
        found = assess(
            task,
            chosen.facts,
            [each.as_dict() for each in settings],
            study_seeds[:seeds],
            runs,
            epochs=epochs,
            limit_minutes=rules.time.limit_minutes,
        )
        _tell(found, settings, as_json=as_json)
    if not found.is_fit:
        raise typer.Exit(_NOT_FIT)


def _trained(task: Task, settings: Sequence[Configuration], seeds: Sequence[int], rules: Settings) -> "list[PilotRun]":
    """Train, or leave with a sentence on why that is not possible."""
    try:
        return _train(task, settings, seeds, rules)
    except Unwell as error:
        print(f"{error}\nNothing was kept.", file=sys.stderr)
        raise typer.Exit(_UNWELL) from None
    except KeyboardInterrupt:
        print("The pilot was interrupted: nothing was kept.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None


def _train(task: Task, settings: Sequence[Configuration], seeds: Sequence[int], rules: Settings) -> "list[PilotRun]":
    """Train each setting with each seed, in the study's slots."""
    jobs = {f"{place}/{seed}": (place, seed) for seed in seeds for place in range(len(settings))}
    waiting, lost = list(jobs), 0
    runs: list[PilotRun] = []
    workers = LocalWorkers([task], rules.machine.slots, rules.training.threads_per_slot, devices=rules.machine.devices)
    idle: set[int] = set()
    workers.start()
    try:
        with _progress(len(jobs)) as advance:
            while len(runs) < len(jobs):
                while idle and waiting:
                    job = waiting.pop(0)
                    place, seed = jobs[job]
                    workers.submit(idle.pop(), job, TrialRequest(task.name, settings[place], seed))
                event = workers.next_event(_LONGEST_SILENCE)
                if event is None:
                    raise Unwell(f"For {_LONGEST_SILENCE:g} s no worker has said anything: see the log above.")
                match event.message:
                    case Ready():
                        idle.add(event.slot)
                    case Outcome() as outcome if event.job is not None:
                        runs.append(_run(*jobs[event.job], outcome))
                        idle.add(event.slot)
                        advance()
                    case Failed() as failed if event.job is None or failed.fault == "ours":
                        raise Unwell(f"Training failed: {failed.detail}")
                    case Failed() if event.job is not None:  # other values would have worked: nobody learns with these
                        runs.append(_failed(*jobs[event.job]))
                        idle.add(event.slot)
                        advance()
                    case Lost() as lost_message:
                        idle.discard(event.slot)
                        lost += 1
                        if lost > _MOST_LOST:
                            raise Unwell(f"Workers are lost again and again: {lost_message.reason}")
                        if event.job is not None:
                            waiting.insert(0, event.job)
    finally:
        workers.close()
    return runs


def _run(setting: int, seed: int, outcome: Outcome) -> "PilotRun":
    from reports.pilot.measures import PilotRun

    accuracy = outcome.accuracy if outcome.ending is Ending.COMPLETE and outcome.accuracy is not None else 0.0
    return PilotRun(setting, seed, accuracy, outcome.epochs_completed, outcome.seconds)


def _failed(setting: int, seed: int) -> "PilotRun":
    from reports.pilot.measures import PilotRun

    return PilotRun(setting, seed, 0.0, 0, 0.0)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=count)
        yield lambda: bar.advance(shown)


def _tell(found: "Pilot", settings: Sequence[Configuration], *, as_json: bool) -> None:
    if as_json:
        from reports.results.as_json import to_json

        sys.stdout.write(to_json(found))
        return
    from reports.pilot.sentences import verdict
    from reports.wording import number

    console = Console(highlight=False)
    table = Table("setting", *(f"seed {seed}" for seed in found.seeds), title="Validation accuracy (%)")
    for configuration, row in zip(settings, found.accuracies, strict=True):
        table.add_row(configuration.summary(), *(number(each) for each in row))
    console.print(table)
    table = Table("what a fit task needs", "wanted", "found", "")
    for each in found.findings:
        table.add_row(each.name, each.wanted, each.found, "✓" if each.fit else "✗")
    console.print(table)
    console.print(verdict(found))
