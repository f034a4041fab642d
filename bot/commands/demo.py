"""``blackmagic demo``: the whole study in a local workspace, with simulated participants, nothing to sign up for."""

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.app import Bot
from bot.commands.demo_participants import SimulatedParticipant, Skill
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.surfaces.state import Member
from bot.settings.settings import Credentials, Settings, SettingsError
from storage.queries import history
from storage.schema.states import TrialState
from storage.transitions import evaluations

_REPORTS = "study-reports"
_RESEARCHER = Member("Researcher", "researcher")
_SKILLS = (Skill.EXPERT, Skill.NOVICE, Skill.MEDIUM)
_PORT = 8090


def demo(
    participants: Annotated[int, typer.Option(min=0, help="How many simulated participants take part.")] = 3,
    tries: Annotated[int, typer.Option(min=1, help="How many configurations each of them tries.")] = 4,
    stop: Annotated[bool, typer.Option("--exit", help="Stop at the end, with a line of JSON.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the workspace's page; 0 takes a free one.")] = _PORT,
    study: Annotated[Path, typer.Option(help="The rules of the study.")] = Path("study.toml"),
    manifest: Annotated[Path, typer.Option(help="The Slack app.")] = Path("manifest.yml"),
) -> None:
    """Show the whole study on this machine: a workspace in the browser, and simulated participants who take part."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    console = Console(stderr=stop, highlight=False, soft_wrap=True)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        settings = Settings.load(study)
        people = [Member("Visitor"), _RESEARCHER, Member("Admin", "admin")]
        with LocalWorkspace(port, people=people, manifest=manifest) as workspace:
            _show(settings, workspace, participants, tries, stop, stopped, console)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    except OSError as error:
        print(f"Port {port} cannot be used ({error.strerror}): choose another with --port.", file=sys.stderr)
        raise typer.Exit(2) from None


def _show(
    settings: Settings,
    workspace: LocalWorkspace,
    participants: int,
    tries: int,
    stop: bool,
    stopped: threading.Event,
    console: Console,
) -> None:
    database = Path(tempfile.mkdtemp(prefix="black-magic-")) / "study.db"
    settings = _settings(settings, workspace, database)
    credentials = Credentials(workspace.bot_token, workspace.app_token, workspace.api_url)
    bot = Bot(settings, credentials, open_now=True)
    try:
        bot.start()
        workspace.wait_for_app()
        console.print(f"\n[bold]The workspace is at {workspace.url}[/] – open it in a browser and take part.")
        console.print(f"Participants: {participants}, simulated. Everything is kept in {database}.\n")
        crowd = _crowd(workspace, participants, tries, console)
        finished = _wait_for(crowd, bot, participants, stopped)
        _tell(bot, console)
        if stop:
            print(json.dumps(_numbers(bot, database)))
            failed = [each for each in crowd if each.error is not None]
            if failed or not finished:
                raise typer.Exit(1)
        elif not stopped.is_set():
            console.print(f"\nThat was the study. {workspace.url} stays open until Ctrl-C.")
            stopped.wait()
    finally:
        bot.close()


def _settings(settings: Settings, workspace: LocalWorkspace, database: Path) -> Settings:
    """The study's own rules, in this workspace and on this machine."""
    researchers = tuple(each.id for each in workspace.people if each.role == "researcher")
    slack = settings.slack.model_copy(
        update={"researchers": researchers, "report_channel": workspace.channel_id(_REPORTS)}
    )
    machine = settings.machine.model_copy(
        update={"slots": max(2, os.cpu_count() or 2), "database": f"sqlite:///{database}"}
    )
    return settings.model_copy(update={"slack": slack, "machine": machine})


def _crowd(
    workspace: LocalWorkspace, participants: int, tries: int, console: Console
) -> Sequence[SimulatedParticipant]:
    begun = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - begun:6.1f} s  {text}")

    crowd = [
        SimulatedParticipant(
            workspace.add_person(f"Simulated {number + 1}"),
            _SKILLS[number % len(_SKILLS)],
            tries=tries,
            seed=number,
            say=say,
        )
        for number in range(participants)
    ]
    for each in crowd:
        each.start()
    return crowd


def _wait_for(crowd: Sequence[SimulatedParticipant], bot: Bot, participants: int, stopped: threading.Event) -> bool:
    """Wait until everybody has finished and is reported. Returns whether that came to pass."""
    while not stopped.wait(0.5):
        if any(each.is_alive() for each in crowd):
            continue
        done = [each for each in crowd if each.error is None]
        if bot.admins.results.posted >= len(done):
            return len(done) == participants
    return False


def _tell(bot: Bot, console: Console) -> None:
    """The results, as the report channel has them."""
    for view in history.sessions(bot.store, 1):
        if view.choice is None:
            continue
        summary = evaluations.evaluation_summary(bot.store, view.choice.id)
        if summary.mean is not None:
            spread = f" ± {summary.sd:.1f}" if summary.sd is not None else ""
            console.print(f"{view.participant}: test accuracy {summary.mean:.1f}{spread} %, {len(view.trials)} tries")


def _numbers(bot: Bot, database: Path) -> dict[str, int | str]:
    status = history.status(bot.store, now=datetime.now(UTC))
    return {
        "participants": sum(count for state, count in status.sessions.items() if state.is_finished),
        "trials": sum(status.trials.values()),
        "plot_updates": bot.feed.counters.frames,
        "cancelled": status.trials[TrialState.CANCELLED],
        "evaluations": status.evaluations[TrialState.COMPLETE] + status.evaluations[TrialState.DIVERGED],
        "report_posts": bot.admins.results.posted,
        "database": f"sqlite:///{database}",
    }
