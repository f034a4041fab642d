"""A bot notices when another program is connected as its Slack app, and tells when that is over."""

import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack import connections
from tests.bot.conftest import PATIENCE

ALERT = "Another bot uses this Slack app"


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    for name in ("_REFRESH_SECONDS", "_EVENT_SECONDS", "_LOOK_AGAIN_SECONDS", "_LOOK_WHETHER_OVER_SECONDS"):
        monkeypatch.setattr(connections, name, 1.0)
    monkeypatch.setattr("bot.app.CHECK_SECONDS", 0.2)


class Elsewhere:
    """Another program with the same tokens, as on another machine: it takes envelopes, and does nothing about them."""

    def __init__(self, house):
        web = WebClient(base_url=house.workspace.api_url)
        self._client = SocketModeClient(house.workspace.app_token, web_client=web)
        self._client.socket_mode_request_listeners.append(
            lambda client, request: client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        )

    def __enter__(self):
        self._client.connect()
        return self

    def __exit__(self, *_):
        self._client.close()


def alerts(house):
    return [each for each in house.admin.messages(house.reports) if ALERT in each.text_of_everything]


def looks(house):
    """How often one more connection was opened, beside the bot's first one."""
    return len(house.workspace.traffic("apps.connections.open")) - 1


def test_a_bot_that_starts_beside_another_program_tells_it_and_tells_when_that_is_gone(open_house):
    house = open_house(start=False)
    with Elsewhere(house):
        house.open()
        post = house.reported(ALERT)
        assert "1 more connection" in post.text
        assert "Slack sends each press to only one of us" in post.text
        assert "another program is connected as the same Slack app" in house.log.text
    assert "All that people do comes to me again" in house.reported("The other bot is gone").text
    assert len(alerts(house)) == 1


def test_a_bot_that_was_there_first_tells_it_too(open_house):
    house = open_house()
    person = house.newcomer("Talks")
    person.say("hello")
    person.wait_for("I agree", PATIENCE)
    person.wait_until(lambda: house.running.slack.messages._hears_itself, PATIENCE)
    with Elsewhere(house):
        said = 0

        def told():
            nonlocal said
            said += 1
            person.say(f"hello {said}")  # some of these, and some of the answers, are for the other program
            return alerts(house)

        person.wait_until(told, PATIENCE)
        assert "another program is connected as the same Slack app" in house.log.text
    house.reported("The other bot is gone")


def test_messages_of_the_app_that_others_have_posted_are_no_alarm_when_nobody_else_is_connected(open_house):
    house = open_house()
    person = house.newcomer("Reads")
    person.say("hello")
    person.wait_for("I agree", PATIENCE)
    client = WebClient(token=house.workspace.bot_token, base_url=house.workspace.api_url)
    client.chat_postMessage(channel=person.direct_channel, text="From a script")
    person.wait_until(lambda: looks(house) > 0, PATIENCE)
    person.wait_until(lambda: not house.running.slack.messages.tell_of_another(), PATIENCE)
    assert alerts(house) == []


@pytest.mark.long  # within Slack's limits, the bot connects once a minute
def test_a_connection_that_slack_replaces_is_no_other_program(open_house):
    house = open_house()
    before = len(house.workspace.traffic("apps.connections.open"))
    house.workspace.refresh_connections()
    house.admin.wait_until(lambda: len(house.workspace.traffic("apps.connections.open")) > before, 120)
    person = house.newcomer("Talks")
    person.say("hello")
    person.wait_for("I agree", PATIENCE)
    house.admin.wait_until(lambda: house.workspace.connections == 1, PATIENCE)
    assert looks(house) == 1
    assert alerts(house) == []
