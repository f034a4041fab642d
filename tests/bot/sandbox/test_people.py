"""Kinds of people: what Slack says of each, whom the app can write to, and who can use the workspace's page."""

import json
import urllib.request

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client.person import WorkspaceError
from bot.sandbox.server.access import KEY
from bot.sandbox.state.people import NO_CONVERSATION, Kind
from tests.bot.sandbox.test_access import key_of

REACHED = [kind for kind in Kind if kind not in NO_CONVERSATION]


def known(client: WebClient, user: str) -> dict:
    return dict(client.users_info(user=user)["user"])


def on_page(workspace) -> list[str]:
    request = urllib.request.Request(f"{workspace.url}/ui/people", headers={KEY: key_of(workspace)})
    with urllib.request.urlopen(request) as answer:
        return [each["id"] for each in json.load(answer)["people"] if each["present"]]


@pytest.mark.parametrize("kind", REACHED)
def test_the_app_writes_to_everybody_whom_slack_lets_it_write_to(workspace, client, kind):
    person = workspace.add_person(f"A {kind}", kind=kind)
    assert person.id in on_page(workspace)
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    client.chat_postMessage(channel=channel, text="hello")
    assert person.messages()[-1].text == "hello"
    assert person.say("hello, app")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.BOT, "cannot_dm_bot"),
        (Kind.DEACTIVATED, "user_disabled"),
        (Kind.STRANGER, "invalid_user_combination"),
        (Kind.HIDDEN, "user_not_visible"),
    ],
)
def test_to_everybody_else_slack_opens_no_conversation(workspace, client, kind, error):
    person = workspace.add_person(f"One {kind}", kind=kind)
    assert person.id not in on_page(workspace)
    with pytest.raises(SlackApiError, match=error):
        client.conversations_open(users=person.id)
    with pytest.raises(SlackApiError, match="channel_not_found"):
        client.chat_postMessage(channel=person.id, text="hello")
    with pytest.raises(WorkspaceError, match="cannot use this workspace"):
        person.conversations()


def test_slack_tells_what_kind_of_account_somebody_has(workspace, client):
    ids = {kind: workspace.add_person(f"Is a {kind}", kind=kind).id for kind in Kind}
    member = known(client, ids[Kind.MEMBER])
    assert not member["is_bot"] | member["deleted"] | member["is_restricted"] | member["is_ultra_restricted"]
    guest, of_one_channel = known(client, ids[Kind.GUEST]), known(client, ids[Kind.SINGLE_CHANNEL_GUEST])
    assert (guest["is_restricted"], guest["is_ultra_restricted"]) == (True, False)
    assert (of_one_channel["is_restricted"], of_one_channel["is_ultra_restricted"]) == (True, True)
    assert known(client, ids[Kind.BOT])["is_bot"]
    assert known(client, workspace.bot_user)["is_bot"]
    gone = known(client, ids[Kind.DEACTIVATED])
    assert gone["deleted"]
    assert "tz" not in gone
    external, stranger = known(client, ids[Kind.EXTERNAL]), known(client, ids[Kind.STRANGER])
    assert external["team_id"] == stranger["team_id"] != member["team_id"]
    assert (external["is_stranger"], stranger["is_stranger"]) == (False, True)
    with pytest.raises(SlackApiError, match="user_not_visible"):
        client.users_info(user=ids[Kind.HIDDEN])


def test_an_account_that_is_deactivated_later_leaves_a_conversation_that_nobody_reads(workspace, client):
    person = workspace.add_person("Leaves the university", "researcher")
    reports = workspace.channel_id("study-reports")
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    workspace.deactivate("Leaves the university")
    with pytest.raises(SlackApiError, match="user_disabled"):
        client.conversations_open(users=person.id)
    for place in (channel, reports):
        with pytest.raises(SlackApiError, match="user_not_in_channel"):
            client.chat_postEphemeral(channel=place, user=person.id, text="hello?")
    assert client.chat_postMessage(channel=channel, text="hello?")["ok"]
    assert workspace.traffic("chat.postMessage")[-1].status == "ok"
    assert [each.status for each in workspace.traffic("chat.postMessage") if each.kind == "warning"] == [
        "nobody reads it"
    ]
    assert client.conversations_info(channel=channel)["channel"]["is_user_deleted"]
    assert person.id not in client.conversations_members(channel=reports)["members"]
    assert person.id not in client.usergroups_users_list(usergroup="S00000001")["users"]
    assert person.id in client.usergroups_users_list(usergroup="S00000001", include_disabled=True)["users"]
    with pytest.raises(WorkspaceError, match="Leaves the university cannot use this workspace"):
        person.say("I am not here any more")
    assert person.id not in on_page(workspace)


def test_a_workspace_refuses_what_it_is_told_to_refuse(workspace, client):
    one, other = workspace.add_person("Is not to be written to"), workspace.add_person("Is to be written to")
    workspace.refuse("chat.postMessage", "restricted_action", channel=one.direct_channel)
    for channel in (one.id, one.direct_channel):
        with pytest.raises(SlackApiError, match="restricted_action"):
            client.chat_postMessage(channel=channel, text="hello")
    client.chat_postMessage(channel=other.direct_channel, text="hello")
    workspace.refuse("chat.postMessage", "", channel=one.direct_channel)
    client.chat_postMessage(channel=one.direct_channel, text="hello")
    assert one.messages()[-1].text == "hello"
