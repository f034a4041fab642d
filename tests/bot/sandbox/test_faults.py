"""What goes wrong between Slack and the app when a test has it go wrong."""

import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.state.faults import Faults
from bot.sandbox.validation.strictness import Rules
from tests.bot.sandbox.conftest import wait_until


@pytest.fixture
def workspace(stage):
    return stage.workspace(Rules(limits=None))


@pytest.fixture
def client(workspace):
    return WebClient(token=workspace.bot_token, base_url=workspace.api_url, retry_handlers=[])


def posts(workspace):
    person = workspace.person("First participant")
    return [each.text for each in person.messages() if each.bot]


def post(workspace, client):
    return client.chat_postMessage(channel=workspace.person("First participant").direct_channel, text="Hello")


def test_a_call_that_meets_an_error_is_not_carried_out(workspace, client):
    workspace.misbehave(Faults(errors=1))
    with pytest.raises(SlackApiError, match="internal_error") as refused:
        post(workspace, client)
    assert refused.value.response.status_code == 500
    assert posts(workspace) == []
    workspace.misbehave()
    post(workspace, client)
    assert posts(workspace) == ["Hello"]


def test_a_call_whose_answer_is_lost_is_carried_out(workspace, client):
    workspace.misbehave(Faults(lost_answers=1))
    with pytest.raises(SlackApiError, match="internal_error"):
        post(workspace, client)
    assert posts(workspace) == ["Hello"]


def test_every_call_is_refused_for_as_long_as_it_says(workspace, client):
    workspace.misbehave(Faults(retry_after=600))
    with pytest.raises(SlackApiError, match="ratelimited") as refused:
        post(workspace, client)
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "600")


def test_an_envelope_comes_twice(stage, workspace):
    seen = []

    def register(app: App) -> None:
        @app.action("open")
        def pressed(ack, body):
            ack()
            seen.append(body["trigger_id"])

    stage.app(workspace, register)
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    person = workspace.person("First participant")
    button = {"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Open"}}
    blocks = [{"type": "actions", "elements": [button]}]
    client.chat_postMessage(channel=person.direct_channel, text="Press", blocks=blocks)
    workspace.misbehave(Faults(repeats=1, delay_seconds=0.05))
    person.press(person.wait_for("Press"), "Open")
    wait_until(lambda: len(seen) == 2)
    assert len(set(seen)) == 1


def test_the_connections_can_be_cut(stage, workspace):
    stage.app(workspace, lambda app: None)
    workspace.drop_connections()
    wait_until(lambda: workspace.connections == 0)
    assert [each.status for each in workspace.traffic("connection 1")] == ["opened", "dropped", "closed"]
