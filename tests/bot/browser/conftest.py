"""A browser that looks at a local workspace, in which a small Bolt app lives, or the study."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox.client.person import Person
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from tests.bot.browser.visitor import Arrive, OpenStudy, Shoot, Visitor, open_study
from tests.chromium import PATIENCE_MS

PARTICIPANT = "First participant"


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _option(text: str) -> dict[str, Any]:
    return {"text": _plain(text), "value": text.lower()}


def form(optimizer: str = "adam") -> dict[str, Any]:
    """A modal with an input that the app's update brings, as the study's own form does."""
    menu = {"type": "static_select", "action_id": "optimizer", "options": [_option("Adam"), _option("SGD")]}
    rate = {"type": "plain_text_input", "action_id": "rate"}
    epochs = {"type": "number_input", "action_id": "epochs", "is_decimal_allowed": False, "initial_value": "10"}
    momentum = {"type": "plain_text_input", "action_id": "momentum"}
    blocks: list[dict[str, Any]] = [
        {
            "type": "input",
            "block_id": "optimizer",
            "dispatch_action": True,
            "label": _plain("Optimizer"),
            "element": menu,
        },
        {"type": "input", "block_id": "rate", "label": _plain("Learning rate"), "element": rate},
        {"type": "input", "block_id": "epochs", "label": _plain("Epochs"), "element": epochs},
    ]
    if optimizer == "sgd":
        more = {"type": "input", "block_id": "momentum", "optional": True, "label": _plain("Momentum")}
        blocks.insert(1, more | {"element": momentum})
    return {
        "type": "modal",
        "callback_id": "tune",
        "title": _plain("New configuration"),
        "submit": _plain("Train"),
        "close": _plain("Cancel"),
        "blocks": blocks,
    }


@dataclass
class Received:
    """What reached the app."""

    submitted: list[dict[str, Any]] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    finished: Event = field(default_factory=Event)


def _listen(app: App, received: Received) -> None:
    @app.event("message")
    def answer(event: dict[str, Any], client: WebClient) -> None:
        if event.get("subtype") is None and event.get("thread_ts") is None:
            client.chat_postMessage(channel=event["channel"], text=f"You said: {event['text']}", blocks=_greeting())

    @app.action("new")
    def open_form(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=form())

    @app.action("optimizer")
    def redraw(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        chosen = body["actions"][0]["selected_option"]["value"]
        client.views_update(view_id=body["view"]["id"], view=form(chosen))

    @app.action("finish")
    def finish(ack: Ack) -> None:
        ack()
        received.pressed.append("finish")
        received.finished.set()

    @app.view("tune")
    def submit(ack: Ack, view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        if values["rate"]["rate"]["value"] == "much":
            ack(response_action="errors", errors={"rate": "“much” is not a number."})
            return
        received.submitted.append(values)
        ack()


def _greeting() -> list[dict[str, Any]]:
    question = {
        "title": _plain("Finish now?"),
        "text": _plain("No more tries after this."),
        "confirm": _plain("End it"),
    }
    buttons = [
        {"type": "button", "action_id": "new", "text": _plain("New configuration")},
        {
            "type": "button",
            "action_id": "finish",
            "text": _plain("Finish"),
            "style": "danger",
            "confirm": question | {"deny": _plain("Go on")},
        },
    ]
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Your *session*, &lt;b&gt;not bold&lt;/b&gt;"}},
        {"type": "actions", "block_id": "buttons", "elements": buttons},
    ]


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(rules=Rules(file_processing_seconds=0.2)) as started:
        yield started


@pytest.fixture
def client(workspace: LocalWorkspace) -> WebClient:
    return WebClient(token=workspace.bot_token, base_url=workspace.api_url)


@contextmanager
def _running(workspace: LocalWorkspace, client: WebClient) -> Iterator[Received]:
    received = Received()
    app = App(client=client, raise_error_for_unhandled_request=False)
    _listen(app, received)
    handler = SocketModeHandler(app, workspace.app_token)
    handler.connect()
    workspace.wait_for_app()
    try:
        yield received
    finally:
        handler.close()


@pytest.fixture
def received(workspace: LocalWorkspace, client: WebClient) -> Iterator[Received]:
    with _running(workspace, client) as what_came:
        yield what_came


@pytest.fixture
def person(workspace: LocalWorkspace) -> Person:
    return workspace.person(PARTICIPANT)


@pytest.fixture
def page(browser: Browser, workspace: LocalWorkspace, person: Person) -> Iterator[Page]:
    """The page as the first participant sees it. A script that fails fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 820})
    shown = context.new_page()
    shown.set_default_timeout(PATIENCE_MS)
    failures: list[str] = []
    shown.on("pageerror", lambda error: failures.append(str(error)))
    shown.goto(f"{workspace.page_url}#{person.id}")
    shown.get_by_label("Message", exact=False).first.wait_for()
    yield shown
    context.close()
    assert failures == []


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenStudy]:
    """The study, with two places, in a workspace with Slack's own limits."""
    with open_study(tmp_path_factory.mktemp("study"), slots=2) as opened:
        yield opened


@pytest.fixture
def arrive(browser: Browser, study: OpenStudy) -> Iterator[Arrive]:
    """Let somebody open the page. A script that fails for anybody fails the test."""
    visitors: list[Visitor] = []

    def come(name: str, **looks: object) -> Visitor:
        visitors.append(Visitor.arrive(browser, study.workspace, name, **looks))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.leave()
    assert [visitor.failures for visitor in visitors if visitor.failures] == []


@pytest.fixture
def shoot(tmp_path: Path) -> Shoot:
    """Keep what a visitor sees, in the folder that BLACKMAGIC_SCREENSHOTS names."""
    folder = Path(os.environ.get("BLACKMAGIC_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def keep(visitor: Visitor, name: str) -> None:
        visitor.page.screenshot(path=folder / f"{name}.png")

    return keep
