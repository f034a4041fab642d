"""``blackmagic doctor``: whether this machine trains, gives the same bits twice, and has all that it needs of Slack."""

import json
import os
import sys
import time
from itertools import chain
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from bot.checks.conversations import CONSENT
from bot.checks.findings import all_well, as_json, wrong
from bot.checks.slack_checks import check_environment
from bot.commands.study_file import DEFAULT, USAGE, StudyFile, read_settings
from bot.participant.views.onboarding import greeting
from bot.process.quiet import quietly
from bot.settings.settings import Settings
from storage.private_files import exposed, warning
from training.hyperparameters import LABELS, Configuration, Optimizer
from training.tasks import DIGITS_SQUEEZENET
from training.trial import BatchLosses, Environment, Outcome, TrialRequest
from training.workers import Failed, LocalWorkers, Lost, Ready

_UNWELL = 1
_INTERRUPTED = 130
_LONGEST_START = 120.0
_LONGEST_TRIAL = 300.0
"""Seconds without a word from a worker after which the doctor gives up."""

_BATCH_SIZES = (5, 64, 256)
"""A small one, a usual one and a large one: convolutions choose other algorithms for each."""

Losses = tuple[float, ...]


class Unwell(Exception):
    """The workers do not do what they should; ``str(error)`` says what."""


def doctor(
    determinism: Annotated[
        bool,
        typer.Option("--determinism", help="Train with each optimizer in every slot, twice, and compare the bits."),
    ] = False,
    slack: Annotated[
        bool,
        typer.Option(
            "--slack", help="Check tokens, scopes, connection, clock, report channel and researchers instead."
        ),
    ] = False,
    json_wanted: Annotated[bool, typer.Option("--json", help="With --slack: print what is found as JSON.")] = False,
    study: StudyFile = DEFAULT,
) -> None:
    """Say what the slots of this machine train on, and whether results are the same to the last bit."""
    if (slack and determinism) or (json_wanted and not slack):
        print("--slack goes without --determinism, and --json only with --slack.", file=sys.stderr)
        raise typer.Exit(USAGE)
    settings = read_settings(study)
    if slack:
        _check_slack(settings, json_wanted=json_wanted)
        return
    console = Console()
    if lacks := settings.lacks_to_open():
        print(lacks, file=sys.stderr)
    well = _check_files(settings)
    workers = LocalWorkers(
        [DIGITS_SQUEEZENET],
        settings.machine.slots,
        settings.training.threads_per_slot,
        devices=settings.machine.devices,
    )
    try:
        workers.start()
        environments = _wait_for_all(workers)
        console.print(_slots(environments))
        well = _compare_slots(environments, settings) and well
        if determinism:
            well = _compare_bits(workers, console) and well
    except Unwell as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_UNWELL) from None
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        workers.close()
    if not well:
        raise typer.Exit(_UNWELL)


def _check_files(settings: Settings) -> bool:
    """Whether nobody else can read the database; who can is told."""
    files = exposed(make_url(settings.machine.database))
    if files:
        print(warning(files), file=sys.stderr)
    return not files


def _check_slack(settings: Settings, *, json_wanted: bool) -> None:
    findings = []
    try:
        with quietly():
            first_message = greeting(settings.consent_text)
            lacks = [wrong(CONSENT, lacks)] if (lacks := settings.consent_lacks()) else []
            for finding in chain(check_environment(settings.slack, os.environ, first_message), lacks):
                findings.append(finding)
                if not json_wanted:
                    print(finding, flush=True)
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    if json_wanted:
        print(json.dumps(as_json(findings), ensure_ascii=False, indent=1))
    elif all_well(findings):
        print("The rest only eyes can tell: start the bot, and type /study check in Slack.")
    if not all_well(findings):
        raise typer.Exit(_UNWELL)


def _wait_for_all(workers: LocalWorkers) -> list[Environment]:
    """What every slot runs on, in the order of the slots."""
    found: dict[int, Environment] = {}
    deadline = time.monotonic() + _LONGEST_START
    while len(found) < workers.slots:
        event = workers.next_event(deadline - time.monotonic())
        if event is None:
            raise Unwell(f"After {_LONGEST_START:g} s not every worker has started: see the log above.")
        if isinstance(event.message, Ready):
            found[event.slot] = event.message.environment
        elif isinstance(event.message, Failed):
            raise Unwell(f"The worker of slot {event.slot} cannot start: {_last_line(event.message.detail)}")
    return [found[slot] for slot in sorted(found)]


def _slots(environments: list[Environment]) -> Table:
    table = Table(title="Slots")
    for column in ("slot", "device", "processor", "threads", "precision", "torch", "CUDA"):
        table.add_column(column)
    for slot, each in enumerate(environments):
        cuda = each.cuda or "–"
        table.add_row(str(slot), each.device, each.processor, str(each.threads), each.precision, each.torch, cuda)
    return table


def _compare_slots(environments: list[Environment], settings: Settings) -> bool:
    differences = {slot: environments[0].differences(each) for slot, each in enumerate(environments)}
    unlike = {slot: found for slot, found in differences.items() if found}
    for slot, found in unlike.items():
        print(f"Slot {slot} is not like slot 0 ({'; '.join(found)}).")
    if unlike and not settings.machine.mixed_devices:
        print("A study refuses such slots: name like devices in machine.devices, or set machine.mixed_devices.")
    return not unlike or settings.machine.mixed_devices


def _compare_bits(workers: LocalWorkers, console: Console) -> bool:
    table = Table(title=f"The same trial, twice in each of {workers.slots} slots")
    table.add_column("optimizer")
    for size in _BATCH_SIZES:
        table.add_column(f"batch {size}")
    well = True
    for optimizer in Optimizer:
        agree = [len(_runs(workers, optimizer, size)) == 1 for size in _BATCH_SIZES]
        table.add_row(LABELS[optimizer], *("same bits" if same else "[bold red]differs[/]" for same in agree))
        well = well and all(agree)
    console.print(table)
    print("The bits agree." if well else "The bits differ: results of this machine cannot be repeated exactly.")
    return well


def _runs(workers: LocalWorkers, optimizer: Optimizer, batch_size: int) -> set[tuple[Losses, float | None]]:
    """Train one configuration twice in every slot, all slots at once; returns the different results."""
    configuration = Configuration.create(
        {"epochs": 1, "batch_size": batch_size, "loss": "cross_entropy", "optimizer": optimizer}
    )
    request = TrialRequest(DIGITS_SQUEEZENET.name, configuration, seed=10)
    results: set[tuple[Losses, float | None]] = set()
    for turn in range(2):
        losses: dict[str, Losses] = {}
        running = {f"{optimizer}-{batch_size}-{turn}-{slot}" for slot in range(workers.slots)}
        for slot, job in enumerate(sorted(running)):
            workers.submit(slot, job, request)
        while running:
            event = workers.next_event(_LONGEST_TRIAL)
            if event is None:
                raise Unwell(f"The workers have said nothing for {_LONGEST_TRIAL:g} s.")
            job = event.job or ""
            match event.message:
                case BatchLosses():
                    losses[job] = losses.get(job, ()) + event.message.losses
                case Outcome():
                    results.add((losses.get(job, ()), event.message.accuracy))
                    running.discard(job)
                case Failed():
                    raise Unwell(f"{LABELS[optimizer]} failed: {_last_line(event.message.detail)}")
                case Lost():
                    raise Unwell(event.message.reason)
    return results


def _last_line(detail: str) -> str:
    return detail.strip().splitlines()[-1]
