"""`blackmagic health`: whether the bot on a database is alive and well, for Kubernetes, monitoring and people."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.database import Unusable, missing_file, opened, shown, told
from bot.commands.study_file import DEFAULT, read_settings
from bot.process.status_file import Status, StatusFile
from storage.queries.alive import Alive, alive

FRESH = timedelta(seconds=30)
"""A bot that was alive longer ago is taken to be dead. It says every five seconds that it is alive."""

UNWELL = 1


def health(
    study: Annotated[Path | None, typer.Option(metavar="STUDY.TOML", help="Whose study.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Another database, such as sqlite:///study.db.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object for programs.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Exit with 1 only where a restart helps: the bot lives no more.")
    ] = False,
) -> None:
    """Say whether the bot on a database is well: exit code 0 if it is, 1 if not.

    It is not well either while a part of it does not go on. The bot looks after that itself, and ends when it cannot
    mend it. So a supervisor that starts it again asks with --live.
    """
    with told(nothing="Whether the bot is alive is not known."):
        if study is not None and database is not None:
            raise Unusable("Give one of --study and --database.")
        url = database or read_settings(study or DEFAULT).machine.database
        if missing_file(url) is not None:
            raise Unusable(f"There is no study in {shown(url)}.")
        with opened(url) as store:
            found = judge(alive(store), StatusFile(url).read(), datetime.now(UTC))
    print(json.dumps(found) if as_json else _sentences(found))
    if not found["live" if live else "healthy"]:
        raise typer.Exit(UNWELL)


def judge(kept: Alive, status: tuple[Status, datetime] | None, now: datetime) -> dict[str, Any]:
    """What is known of the bot.

    Args:
        kept: What the database says.
        status: What :meth:`bot.process.status_file.StatusFile.read` gives: none on another machine than the bot's.
        now: The time, aware.
    """
    seen = [kept.heartbeat_at] if kept.heartbeat_at is not None and not kept.was_stopped else []
    found: dict[str, Any] = {"sessions": kept.sessions}
    if status is not None:
        said, at = status
        seen.append(at)
        found.update(
            slots=said.slots,
            slots_ready=said.slots_ready,
            troubles=list(said.troubles),
            slack="connected" if said.unserved_since is None else "away",
        )
    age = (now - max(seen)).total_seconds() if seen else None
    found["seconds_since_alive"] = None if age is None else round(max(age, 0.0), 1)
    found["stopped"] = kept.was_stopped
    found["live"] = age is not None and age <= FRESH.total_seconds()
    found["healthy"] = found["live"] and not found.get("troubles")
    return found


def _sentences(found: dict[str, Any]) -> str:
    age = found["seconds_since_alive"]
    if age is None:
        return (
            "The bot does not run: it was stopped." if found["stopped"] else "The bot has never run on this database."
        )
    lines = [
        f"The bot is alive (seen {age:.0f} s ago)."
        if age <= FRESH.total_seconds()
        else f"The bot was last alive {age:.0f} s ago."
    ]
    lines += [f"Does not go on: {name}." for name in found.get("troubles", [])]
    lines.append(f"Sessions under way: {found['sessions']}.")
    if "slots" in found:
        lines.append(f"Workers ready: {found['slots_ready']} of {found['slots']}.")
        lines.append("Slack is connected." if found["slack"] == "connected" else "Slack cannot be reached now.")
    return "\n".join(lines)
