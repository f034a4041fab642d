"""``blackmagic demo``: the whole study in a local workspace, with simulated participants, nothing to sign up for."""

import errno
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bot.commands.simulated.participants import SimulatedParticipant
from bot.commands.simulated.tuning import Skill
from bot.commands.study_file import (
    DEMONSTRATION_CONSENT,
    MANIFEST,
    STUDY,
    TEMPLATES,
    USAGE,
    here_or_template,
    load_settings,
)
from bot.sandbox.state.people import Member
from bot.sandbox.validation.manifest import InvalidManifest
from bot.settings.consent import as_read
from bot.settings.settings import Credentials, Settings, SettingsError
from storage.database import Store
from storage.queries import history
from storage.schema.states import TrialState
from storage.transitions import evaluations
from training.tasks import DIGITS_SQUEEZENET

if TYPE_CHECKING:
    from bot.app import Bot
    from bot.sandbox.server.local_workspace import LocalWorkspace

_REPORTS = "study-reports"
_RESEARCHER = Member("Researcher", "researcher")
_SKILLS = (Skill.EXPERT, Skill.NOVICE, Skill.MEDIUM)
_PORT = 8090
_PORTS_TRIED = 20
_MOST_SLOTS = 8
"""A worker takes some seconds to start and some hundred MiB of memory, and a demonstration needs no more of them."""

_START_SECONDS = 120.0
_END_SECONDS = 15.0


def demo(
    participants: Annotated[int, typer.Option(min=0, help="How many simulated participants take part.")] = 3,
    tries: Annotated[int, typer.Option(min=1, help="How many configurations each of them tries.")] = 4,
    stop: Annotated[bool, typer.Option("--exit", help="At the end, print a line of JSON and stop.")] = False,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Where the page is; if it is in use, the next free port. 0 takes any."),
    ] = _PORT,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="STUDY.TOML", help="The rules; by default study.toml here, or the usual ones, with a quick task."
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST.YML", help="The Slack app; by default manifest.yml here, or the usual one."),
    ] = None,
) -> None:
    """Show the whole study on this machine: a workspace in the browser, and simulated participants who take part."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    console = Console(stderr=stop, highlight=False, soft_wrap=True)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        settings = load_settings(study or here_or_template(STUDY))
        if study is None:
            console.print(
                f"The task is {DIGITS_SQUEEZENET.name}, which is quick. (--study {STUDY} takes the study’s own.)"
            )
            settings = settings.with_task(DIGITS_SQUEEZENET.name)
        with _workspace(port, manifest or here_or_template(MANIFEST), console) as workspace:
            _show(settings, workspace, participants, tries, stop, stopped, console)
    except (SettingsError, InvalidManifest) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None


@contextmanager
def _workspace(port: int, manifest: Path, console: Console) -> Iterator["LocalWorkspace"]:
    """A workspace at this port, or at the next one that is free.

    Raises:
        InvalidManifest: The manifest cannot be used.
        typer.Exit: No port can be used; the reason is printed.
    """
    from bot.sandbox.server.local_workspace import LocalWorkspace

    people = [Member("Visitor"), _RESEARCHER, Member("Admin", "admin")]
    wanted = range(port, min(port + _PORTS_TRIED, 2**16)) if port else range(1)
    for candidate in [*wanted, 0]:
        workspace = LocalWorkspace(
            candidate,
            people=people,
            manifest=manifest,
            bot_token=f"xoxb-{secrets.token_hex(16)}",
            app_token=f"xapp-{secrets.token_hex(16)}",
        )
        try:
            workspace.start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE and candidate:
                continue
            print(f"Port {candidate} cannot be used ({error.strerror}). Name another with --port.", file=sys.stderr)
            raise typer.Exit(USAGE) from None
        break
    if candidate != port:
        console.print(f"Port {port} is in use, so the workspace has the next free one.")
    try:
        yield workspace
    finally:
        workspace.stop()


def _show(
    settings: Settings,
    workspace: "LocalWorkspace",
    participants: int,
    tries: int,
    stop: bool,
    stopped: threading.Event,
    console: Console,
) -> None:
    """Run the bot in the workspace, let the participants take part, and tell how it went."""
    from bot.app import Bot  # here, since it takes seconds, and other commands do not need it

    database = Path(tempfile.mkdtemp(prefix="black-magic-")) / "study.db"
    settings = _settings(settings, workspace, database)
    credentials = Credentials(workspace.bot_token, workspace.app_token, workspace.api_url)
    bot = Bot(settings, credentials, open_now=True)
    crowd: Sequence[SimulatedParticipant] = ()
    ended = threading.Event()
    try:
        bot.start()
        workspace.wait_for_app(_START_SECONDS)
        console.print(f"\n[bold]The workspace is at {workspace.page_url}[/] – open it in a browser and take part.")
        console.print(f"Participants: {participants}, simulated. Everything is kept in {database}.\n")
        crowd = _crowd(workspace, participants, tries, ended, console)
        _wait_for(crowd, bot, stopped)
        _tell_results(bot.store, console)
        if stop:
            print(json.dumps(_numbers(bot, database)))
            if stopped.is_set() or any(each.error is not None for each in crowd):
                raise typer.Exit(1)
        elif not stopped.is_set():
            console.print(f"\nThat was the study. {workspace.page_url} stays open until Ctrl-C.")
            stopped.wait()
    finally:
        ended.set()
        for each in crowd:
            each.join(_END_SECONDS)
        bot.close()


def _settings(settings: Settings, workspace: "LocalWorkspace", database: Path) -> Settings:
    """The study's own rules, in this workspace and on this machine. Results are shown: they are there to be seen."""
    researchers = tuple(each.id for each in workspace.people if each.role == "researcher")
    slack = settings.slack.model_copy(
        update={"researchers": researchers, "report_channel": workspace.channel_id(_REPORTS)}
    )
    slots = min(max(2, os.cpu_count() or 2), _MOST_SLOTS)
    machine = settings.machine.model_copy(update={"slots": slots, "database": f"sqlite:///{database}"})
    analysis = settings.analysis.model_copy(update={"interim": "shown"})
    update: dict[str, Any] = {"slack": slack, "machine": machine, "analysis": analysis}
    if settings.consent_lacks():  # a study's own text is shown once it is finished
        demonstration = (TEMPLATES / DEMONSTRATION_CONSENT).read_text(encoding="utf-8").strip()
        update["consent_text"] = as_read(demonstration, settings.study.withdrawn_data)
    return settings.model_copy(update=update)


def _crowd(
    workspace: "LocalWorkspace", participants: int, tries: int, ended: threading.Event, console: Console
) -> Sequence[SimulatedParticipant]:
    begun = time.monotonic()

    def tell(text: str) -> None:
        console.print(f"{time.monotonic() - begun:6.1f} s  {text}")

    crowd = [
        SimulatedParticipant(
            workspace.add_person(f"Simulated {number + 1}"),
            _SKILLS[number % len(_SKILLS)],
            tries=tries,
            seed=number,
            stopped=ended,
            tell=tell,
        )
        for number in range(participants)
    ]
    for each in crowd:
        each.start()
    return crowd


def _wait_for(crowd: Sequence[SimulatedParticipant], bot: "Bot", stopped: threading.Event) -> None:
    """Wait until the results of everybody who finished are posted, or until the demonstration is stopped."""
    while not stopped.wait(0.2):
        if any(each.is_alive() for each in crowd):
            continue
        if _results_posted(bot) >= sum(each.error is None for each in crowd):
            return


def _tell_results(store: Store, console: Console) -> None:
    """The results, as the report channel has them."""
    for session in history.sessions(store, 1):
        if session.choice is None:
            continue
        summary = evaluations.evaluation_summary(store, session.choice.id)
        if summary.mean is not None:
            spread = f" ± {summary.sd:.1f}" if summary.sd is not None else ""
            tries = f"{len(session.trials)} {'try' if len(session.trials) == 1 else 'tries'}"
            console.print(f"{session.participant}: test accuracy {summary.mean:.1f}{spread} %, {tries}")


def _numbers(bot: "Bot", database: Path) -> dict[str, int | str]:
    status = history.status(bot.store, now=datetime.now(UTC))
    return {
        "participants": sum(count for state, count in status.sessions.items() if state.is_finished),
        "trials": sum(status.trials.values()),
        "plot_updates": _plot_updates(bot),
        "cancelled": status.trials[TrialState.CANCELLED],
        "evaluations": status.evaluations[TrialState.COMPLETE] + status.evaluations[TrialState.DIVERGED],
        "report_posts": _results_posted(bot),
        "database": f"sqlite:///{database}",
    }


# All that the demonstration asks of the bot, besides its store.


def _results_posted(bot: "Bot") -> int:
    """How many participants' results were posted to the report channel."""
    return bot.admins.results.posted


def _plot_updates(bot: "Bot") -> int:
    """How many loss plots were shown."""
    return bot.feed.counters.frames
