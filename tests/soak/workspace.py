"""The local workspace in a process of its own, which outlives every bot: ``python -m tests.soak.workspace``.

It reads commands from its standard input, one JSON object a line, and answers each with one.
"""

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.state.faults import Faults
from bot.sandbox.validation.strictness import Rules

ROOT = Path(__file__).parents[2]

RULES = Rules(
    file_processing_seconds=0.2,
    file_sharing_seconds=0.2,
    limits=None,
    redelivery_seconds=(0.0, 5.0, 30.0),
    ping_seconds=1.0,
)
"""Slack's three seconds hold. Its rate limits do not: a bot that begins anew every few seconds knows nothing of the
calls before, and would be refused for that alone. That Slack refuses every call for a while is one of the faults."""


class WorkspaceProcess:
    """The workspace's process, as the harness and the benchmark of loads use it. Safe from any thread.

    Attributes:
        url: The address of its page, with its key.
        api_url, bot_token, app_token: As those of :class:`LocalWorkspace`.
        reports: The id of the report channel.
        researcher, admin: The ids of these people.
    """

    url: str
    api_url: str
    bot_token: str
    app_token: str
    reports: str
    researcher: str
    admin: str

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name, value in self._read().items():
            setattr(self, name, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def join(self, name: str) -> str:
        """Let somebody in, and get their id."""
        return str(self._ask("join", name=name)["id"])

    def connections(self) -> int:
        """How many connections the app has."""
        return int(self._ask("connections")["count"])

    def misbehave(self, faults: Faults) -> None:
        """See :meth:`LocalWorkspace.misbehave`."""
        self._ask("misbehave", **asdict(faults))

    def drop(self) -> None:
        """See :meth:`LocalWorkspace.drop_connections`."""
        self._ask("drop")

    def refresh(self, reason: str) -> None:
        """See :meth:`LocalWorkspace.refresh_connections`."""
        self._ask("refresh", reason=reason)

    def _ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._process.stdin.flush()
            return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The workspace's process has ended.")
        return dict(json.loads(line))


def _obey(workspace: LocalWorkspace, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    match command:
        case "join":
            return {"id": workspace.add_person(arguments["name"]).id}
        case "connections":
            return {"count": workspace.connections}
        case "misbehave":
            workspace.misbehave(Faults(**arguments))
        case "drop":
            workspace.drop_connections()
        case "refresh":
            workspace.refresh_connections(arguments["reason"])
        case _:
            raise ValueError(f"There is no command {command}.")
    return {}


def _serve() -> None:
    with LocalWorkspace(rules=RULES, manifest=ROOT / "manifest.yml") as workspace:
        facts = {
            "url": workspace.page_url,
            "api_url": workspace.api_url,
            "bot_token": workspace.bot_token,
            "app_token": workspace.app_token,
            "reports": workspace.channel_id("study-reports"),
            "researcher": workspace.person("Researcher").id,
            "admin": workspace.person("Admin").id,
        }
        print(json.dumps(facts), flush=True)
        for line in sys.stdin:
            arguments = json.loads(line)
            print(json.dumps(_obey(workspace, arguments.pop("command"), arguments)), flush=True)


if __name__ == "__main__":
    _serve()
