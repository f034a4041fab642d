"""Workspaces, and small Bolt apps as anybody would write them: real clients that nobody made for this workspace."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox.client.person import Person
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules

Register = Callable[[App], None]

PATIENCE = 60.0
"""Seconds after which a test takes something not to come; on a busy machine it takes a few."""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def running_app(workspace: LocalWorkspace, register: Register) -> Iterator[SocketModeHandler]:
    """A Bolt app over Socket Mode with the SDK's built-in client."""
    app = App(client=WebClient(token=workspace.bot_token, base_url=workspace.api_url))
    register(app)
    handler = SocketModeHandler(app, workspace.app_token)
    handler.connect()
    workspace.wait_for_app()
    try:
        yield handler
    finally:
        handler.close()


class Stage:
    """Starts workspaces and apps for one test, and stops them after it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def workspace(self, rules: Rules | None = None, **more: object) -> LocalWorkspace:
        rules = replace(rules or Rules(), ping_seconds=0.1)  # So that an app that stops does not wait for a packet.
        return self._stack.enter_context(LocalWorkspace(rules=rules, **more))  # type: ignore[arg-type]

    def app(self, workspace: LocalWorkspace, register: Register) -> SocketModeHandler:
        return self._stack.enter_context(running_app(workspace, register))


@pytest.fixture
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(stack)


@pytest.fixture(scope="module")
def workspace() -> Iterator[LocalWorkspace]:
    """One workspace for a module's tests, without rate limits; every test brings a person of its own."""
    rules = Rules(
        limits=None, ack_seconds=PATIENCE, file_processing_seconds=0.2, file_sharing_seconds=0.2, ping_seconds=0.1
    )
    with LocalWorkspace(rules=rules) as workspace:
        yield workspace


@pytest.fixture
def impatient(workspace: LocalWorkspace) -> Iterator[None]:
    """The workspace waits only a moment for an acknowledgement, for a test in which none comes."""
    inside = workspace._parts.workspace
    usual, inside.rules = inside.rules, replace(inside.rules, ack_seconds=0.3)
    yield
    inside.rules = usual


@pytest.fixture
def client(workspace: LocalWorkspace) -> WebClient:
    return WebClient(token=workspace.bot_token, base_url=workspace.api_url)


@pytest.fixture
def person(workspace: LocalWorkspace, request: pytest.FixtureRequest) -> Person:
    return workspace.add_person(request.node.name)
