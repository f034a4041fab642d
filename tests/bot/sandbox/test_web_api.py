"""The Web API's own rules: tokens, scopes, rate limits, and what it says of people and conversations."""

import json
import urllib.request

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.sandbox.client.person import WorkspaceError
from bot.sandbox.server.local_workspace import ChannelPlan, LocalWorkspace, Member
from bot.sandbox.state.records import BOT_USER
from bot.sandbox.validation.manifest import InvalidManifest, Manifest
from bot.sandbox.validation.rate_limits import RateLimits
from bot.sandbox.validation.strictness import Rules

MANIFEST = """
display_information: {name: Tuning study}
features:
  app_home: {home_tab_enabled: false, messages_tab_enabled: true}
  bot_user: {display_name: tuning}
  slash_commands:
    - {command: /study, description: Open the study, usage_hint: status, should_escape: false}
oauth_config: {scopes: {bot: [chat:write, commands, im:write]}}
settings:
  event_subscriptions: {bot_events: [message.channels]}
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
"""


def test_a_wrong_token_opens_nothing(workspace):
    for token, error in (("xoxb-other", "invalid_auth"), ("", "not_authed"), (workspace.app_token, "not_allowed")):
        with pytest.raises(SlackApiError, match=error):
            WebClient(token=token, base_url=workspace.api_url).chat_postMessage(channel="C1", text="x")
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        WebClient(base_url=workspace.api_url).apps_connections_open(app_token=workspace.bot_token)


def test_the_app_learns_who_it_is(workspace, client):
    answer = client.auth_test()
    assert answer["user_id"] == workspace.bot_user
    assert answer["bot_id"].startswith("B")


@pytest.mark.parametrize("as_form", [True, False])
def test_arguments_may_come_as_a_form_or_as_json(client, person, as_form):
    blocks = [{"type": "divider"}]
    arguments = {"channel": person.id, "text": "x", "blocks": json.dumps(blocks) if as_form else blocks}
    client.api_call("chat.postMessage", **{"data" if as_form else "json": arguments})
    assert person.messages()[-1].blocks[0]["type"] == "divider"


def test_what_is_not_there_is_named_as_slack_names_it(workspace, client, person):
    hidden = LocalWorkspace(channels=[ChannelPlan("elsewhere", with_app=False)])
    for call, error in (
        (lambda: client.api_call("chat.scream"), "unknown_method"),
        (lambda: client.chat_postMessage(channel="C9", text="x"), "channel_not_found"),
        (lambda: client.chat_postMessage(channel=person.id, text="x", thread_ts="1.2"), "thread_not_found"),
        (lambda: client.chat_update(channel=person.id, ts="1.2", text="x"), "channel_not_found"),
        (lambda: client.users_info(user="U9"), "user_not_found"),
        (lambda: client.conversations_open(users="U9"), "user_not_found"),
        (lambda: client.conversations_open(users=BOT_USER), "cannot_dm_bot"),
        (lambda: client.usergroups_users_list(usergroup="S9"), "no_such_subteam"),
        (lambda: client.views_publish(user_id="U9", view={"type": "home", "blocks": []}), "user_not_found"),
        (
            lambda: client.chat_postEphemeral(channel=workspace.channel_id("study-reports"), user=person.id, text="x"),
            "user_not_in_channel",
        ),
    ):
        with pytest.raises(SlackApiError, match=error):
            call()
    with hidden:
        stranger = WebClient(token=hidden.bot_token, base_url=hidden.api_url)
        with pytest.raises(SlackApiError, match="not_in_channel"):
            stranger.chat_postMessage(channel="#elsewhere", text="x")


def test_what_a_person_wrote_the_app_cannot_change(client, person):
    ts = person.say("mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        client.chat_update(channel=person.direct_channel, ts=ts, text="yours")
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        client.chat_delete(channel=person.direct_channel, ts=ts)


def test_the_app_can_look_up_people_conversations_and_messages(workspace, client, person):
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    assert channel == person.direct_channel
    for number in range(3):
        client.chat_postMessage(channel=channel, text=str(number))
    pages = client.conversations_history(channel=channel, limit=2)
    assert [each["text"] for page in pages for each in page["messages"]] == ["2", "1", "0"]
    assert client.users_info(user=person.id)["user"]["real_name"] == person.name
    reports = workspace.channel_id("study-reports")
    researcher = workspace.person("Researcher")
    assert researcher.id in client.conversations_members(channel=reports)["members"]
    assert client.usergroups_users_list(usergroup="S00000001")["users"] == [researcher.id]
    assert client.conversations_info(channel=channel)["channel"]["user"] == person.id
    assert reports in [each["id"] for each in client.conversations_list()["channels"]]
    permalink = client.chat_getPermalink(channel=channel, message_ts=person.messages()[0].ts)["permalink"]
    assert permalink.startswith(workspace.url)


def test_over_the_limit_a_call_is_refused_and_the_sdk_waits_as_long_as_it_is_told(stage):
    workspace = stage.workspace(Rules(limits={"chat.update": 2}, window_seconds=5.0))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    person = workspace.person("First participant")
    sent = client.chat_postMessage(channel=person.id, text="0")
    for number in (1, 2):
        client.chat_update(channel=sent["channel"], ts=sent["ts"], text=str(number))
    with pytest.raises(SlackApiError, match="ratelimited") as refusal:
        client.chat_update(channel=sent["channel"], ts=sent["ts"], text="3")
    assert refusal.value.response.status_code == 429
    assert 1 <= int(refusal.value.response.headers["Retry-After"]) <= 5
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="4")
    assert person.messages()[0].text == "4"


def test_a_window_lets_no_more_calls_through_than_slack_guarantees():
    now = [0.0]
    limits = RateLimits(Rules(), clock=lambda: now[0])
    through = 0
    for _ in range(600):
        through += limits.retry_after("chat.update") == 0
        now[0] += 0.1
    assert through == 50
    assert limits.retry_after("chat.update") == 0


def test_a_channel_takes_a_burst_and_then_one_message_a_second():
    now = [0.0]
    limits = RateLimits(Rules(), clock=lambda: now[0])
    assert [limits.retry_after("chat.postMessage", "C1") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert limits.retry_after("chat.postMessage", "C2") == 0
    now[0] += 1
    assert limits.retry_after("chat.postMessage", "C1") == 0
    assert limits.retry_after("chat.postMessage", "C1") == 1


def test_a_manifest_decides_what_the_app_may_do(stage, tmp_path):
    (tmp_path / "manifest.yml").write_text(MANIFEST, encoding="utf-8")
    workspace = stage.workspace(manifest=tmp_path / "manifest.yml")
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    person = workspace.person("First participant")
    with pytest.raises(SlackApiError, match="missing_scope") as refusal:
        client.users_info(user=person.id)
    assert (refusal.value.response["needed"], refusal.value.response["provided"]) == (
        "users:read",
        "chat:write,commands,im:write",
    )
    with pytest.raises(SlackApiError, match="not_enabled"):
        client.views_publish(user_id=person.id, view={"type": "home", "blocks": [{"type": "divider"}]})
    with pytest.raises(WorkspaceError, match="/other is not a valid command"):
        person.command("/other")
    client.chat_postMessage(channel=person.id, text="hello")
    assert person.messages()[0].name == "Tuning study"
    person.say("nobody hears this: direct messages are not subscribed to")
    assert workspace.traffic("message") == []


def test_a_manifest_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InvalidManifest, match="cannot be read"):
        Manifest.read(tmp_path / "nothing.yml")
    (tmp_path / "list.yml").write_text("- a\n", encoding="utf-8")
    with pytest.raises(InvalidManifest, match="not a mapping"):
        Manifest.read(tmp_path / "list.yml")


def test_a_response_url_is_good_for_five_answers(stage):
    workspace = stage.workspace()
    urls = []

    def register(app):
        @app.command("/study")
        def study(ack, body):
            urls.append(body["response_url"])
            ack()

    stage.app(workspace, register)
    person = workspace.person("First participant")
    person.command("/study")
    request = urllib.request.Request(urls[0], json.dumps({"text": "again"}).encode(), method="POST")
    for _ in range(5):
        urllib.request.urlopen(request).close()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request)
    assert len(person.messages()) == 5


def test_no_token_is_in_the_traffic(workspace, client, person):
    client.chat_postMessage(channel=person.id, text="x")
    assert workspace.traffic("chat.postMessage")[-1].status == "ok"
    assert workspace.bot_token not in str(workspace.traffic())


def test_two_people_with_one_id_cannot_be(stage):
    with pytest.raises(ValueError, match="U7 is already in the workspace"):
        stage.workspace(people=[Member("One", id="U7"), Member("Two", id="U7")])
