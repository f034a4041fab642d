"""Envelopes over Socket Mode: redelivery, refused connections, reconnecting, more connections than one."""

import json
import logging
import threading
from dataclasses import replace

import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient

from bot.sandbox.client.person import WorkspaceError
from bot.sandbox.state.records import APP_ID
from bot.sandbox.validation.strictness import Rules
from tests.bot.sandbox.conftest import PATIENCE, wait_until

QUICK = Rules(limits=None, ack_seconds=0.3, trigger_seconds=0.2, redelivery_seconds=(0.0, 0.2), warning_seconds=0.2)
OPEN = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Open"}}],
}


def test_an_event_that_is_not_acknowledged_comes_again(stage):
    workspace = stage.workspace(QUICK)
    seen = []
    later = threading.Event()

    def register(app: App) -> None:
        @app.middleware
        def be_slow_once(req, body, next_):
            seen.append((req.headers["x-slack-retry-num"], req.headers["x-slack-retry-reason"], body["event_id"]))
            if len(seen) == 1:
                later.wait(PATIENCE)
            next_()

        @app.event("message")
        def anything(event):
            pass

    stage.app(workspace, register)
    workspace.person("First participant").say("hello")
    wait_until(lambda: len(seen) >= 2)
    later.set()
    (first, _, event_id), (second, reason, again) = ((num[0], why, event) for num, why, event in seen[:2])
    assert (first, second, reason[0]) == ("0", "1", "timeout")
    assert event_id == again
    wait_until(lambda: "too late" in [each.status for each in workspace.traffic("message") if each.kind == "ack"])


def test_an_event_that_is_never_acknowledged_is_given_up(stage):
    workspace = stage.workspace(QUICK)
    stage.app(workspace, lambda app: app.logger.setLevel(logging.CRITICAL))
    workspace.person("First participant").say("hello")
    wait_until(lambda: workspace.traffic("message") and workspace.traffic("message")[-1].status == "given up")
    assert [each.kind for each in workspace.traffic("message")].count("envelope") == 3


def test_an_acknowledged_event_may_come_twice(stage):
    workspace = stage.workspace(Rules(duplicate_events=True))
    seen = []

    def register(app: App) -> None:
        @app.event("message")
        def anything(body):
            seen.append(body["event_id"])

    stage.app(workspace, register)
    workspace.person("First participant").say("hello")
    wait_until(lambda: len(seen) == 2)
    assert seen[0] == seen[1]


def test_a_trigger_is_too_old_after_a_while(stage):
    workspace = stage.workspace(replace(QUICK, ack_seconds=PATIENCE, trigger_seconds=0.0))
    errors = []

    def register(app: App) -> None:
        @app.action("open")
        def opened(ack, body, client):
            ack()
            title = {"type": "plain_text", "text": "Late"}
            view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}
            try:
                client.views_open(trigger_id=body["trigger_id"], view=view)
            except SlackApiError as refusal:
                errors.append(refusal.response["error"])

    handler = stage.app(workspace, register)
    person = workspace.person("First participant")
    handler.app.client.chat_postMessage(channel=person.id, text="Tune", blocks=[OPEN])
    person.press(person.wait_for("Tune"), "Open")
    wait_until(lambda: errors)
    assert errors == ["expired_trigger_id"]
    assert person.modal() is None


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_the_app_reconnects_when_slack_asks_and_nothing_is_lost(stage, reason):
    workspace = stage.workspace(QUICK)
    seen = []

    def register(app: App) -> None:
        @app.event("message")
        def anything(event):
            seen.append(event["text"])

    handler = stage.app(workspace, register)
    first = handler.client.current_session
    person = workspace.person("First participant")
    workspace.refresh_connections(reason)
    wait_until(lambda: [each.status for each in workspace.traffic("connection 2")] == ["opened"])
    person.say("still there?")
    wait_until(lambda: "still there?" in seen)
    wait_until(lambda: workspace.connections == 1 and handler.client.current_session is not first)


def test_connections_are_refreshed_by_their_age(stage):
    workspace = stage.workspace(Rules(refresh_seconds=1.0, warning_seconds=0.1))
    handler = stage.app(workspace, lambda app: None)
    first = handler.client.current_session
    wait_until(lambda: workspace.traffic("connection 2") and handler.client.current_session is not first)
    assert "warning" in [each.status for each in workspace.traffic("connection 1")]


def test_an_envelope_goes_to_one_of_the_connections_and_there_are_ten_at_most(stage):
    workspace = stage.workspace(Rules(limits=None, max_connections=2, redelivery_seconds=()))
    web_client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    seen, lock = [], threading.Lock()

    def listen(client, request):
        with lock:
            seen.append(client)
        client.send_socket_mode_response({"envelope_id": request.envelope_id})

    hellos = []
    clients = [SocketModeClient(workspace.app_token, web_client=web_client) for _ in range(2)]
    for number, client in enumerate(clients, start=1):
        client.socket_mode_request_listeners.append(listen)
        client.on_message_listeners.append(hellos.append)
        client.connect()
        wait_until(lambda: len(hellos) == number)  # noqa: B023 (it is asked at once)
    try:
        first, second = map(json.loads, hellos)
        assert (first["type"], first["num_connections"], second["num_connections"]) == ("hello", 1, 2)
        assert first["connection_info"] == {"app_id": APP_ID}
        assert first["debug_info"].keys() == {"host", "build_number", "approximate_connection_time"}
        wait_until(lambda: workspace.connections == 2)
        person = workspace.person("First participant")
        for number in range(60):
            person.say(f"message {number}")
        wait_until(lambda: len(seen) == 60)
        counts = [seen.count(client) for client in clients]
        assert min(counts) > 0
        alternating = [clients[number % 2] for number in range(60)]
        assert seen not in (alternating, alternating[::-1])  # they do not take turns

        url = web_client.apps_connections_open(app_token=workspace.app_token)["url"]
        third = SocketModeClient(workspace.app_token, web_client=web_client, auto_reconnect_enabled=False)
        messages = []
        third.on_message_listeners.append(messages.append)
        third.wss_uri = url
        third.connect_to_new_endpoint = lambda force=False: None
        third.connect()
        wait_until(lambda: messages)
        refusal = json.loads(messages[0])
        assert (refusal["type"], refusal["reason"]) == ("disconnect", "too_many_websockets")
        assert "host" in refusal["debug_info"]
        assert workspace.connections == 2
        third.close()
    finally:
        for client in clients:
            client.close()


def test_without_an_app_a_person_is_told_at_once(stage):
    workspace = stage.workspace(Rules())
    person = workspace.person("First participant")
    with pytest.raises(WorkspaceError, match='/study failed with the error "dispatch_failed"'):
        person.command("/study", "status")
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    client.chat_postMessage(channel=person.id, text="Tune", blocks=[OPEN])
    with pytest.raises(WorkspaceError, match="responded with an error"):
        person.press(person.wait_for("Tune"), "Open")
