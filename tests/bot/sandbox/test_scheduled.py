"""Messages for later: checked at once, posted when their time has come, and deleted unseen until then."""

import time
from email.utils import parsedate_to_datetime

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.server.local_workspace import ChannelPlan
from bot.sandbox.validation.strictness import Rules

CHART = {"type": "data_visualization", "title": "Loss", "chart": {"type": "line"}}


def later(seconds=3600):
    return int(time.time()) + seconds


def test_a_scheduled_message_that_is_deleted_is_seen_by_nobody(workspace, client, person):
    scheduled = client.chat_scheduleMessage(channel=person.direct_channel, text="Not yet", post_at=later())
    assert scheduled["message"]["bot_profile"]["app_id"]
    deleted = {"channel": person.direct_channel, "scheduled_message_id": scheduled["scheduled_message_id"]}
    client.chat_deleteScheduledMessage(**deleted)
    assert [each.text for each in person.messages()] == []
    with pytest.raises(SlackApiError, match="invalid_scheduled_message_id"):
        client.chat_deleteScheduledMessage(**deleted)


def test_one_that_is_not_deleted_is_posted_when_its_time_has_come(client, person):
    scheduled = client.chat_scheduleMessage(channel=person.direct_channel, text="Now", post_at=later(2))
    with pytest.raises(SlackApiError, match="invalid_scheduled_message_id"):  # less than a minute before
        client.chat_deleteScheduledMessage(
            channel=person.direct_channel, scheduled_message_id=scheduled["scheduled_message_id"]
        )
    person.wait_for("Now")


def test_what_could_not_be_posted_cannot_be_scheduled(stage):
    plans = (ChannelPlan("ours"), ChannelPlan("theirs", with_app=False))
    workspace = stage.workspace(channels=plans)
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    for channel, given, error in (
        (workspace.channel_id("ours"), {"text": "x", "post_at": int(time.time()) - 5}, "time_in_past"),
        (workspace.channel_id("ours"), {"text": "x", "post_at": later(130 * 24 * 3600)}, "time_too_far"),
        (workspace.channel_id("ours"), {"text": "x", "post_at": "soon"}, "invalid_time"),
        (workspace.channel_id("ours"), {"text": "x", "post_at": later(), "blocks": [CHART]}, "invalid_blocks"),
        (workspace.channel_id("theirs"), {"text": "x", "post_at": later()}, "not_in_channel"),
        ("C99999999", {"text": "x", "post_at": later()}, "channel_not_found"),
    ):
        with pytest.raises(SlackApiError, match=error):
            client.chat_scheduleMessage(channel=channel, **given)


def test_a_workspace_with_another_clock_says_so_in_every_answer(stage):
    workspace = stage.workspace(Rules(clock_ahead_seconds=3600))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    said = parsedate_to_datetime(client.auth_test().headers["Date"]).timestamp()
    assert said == pytest.approx(time.time() + 3600, abs=60)
    channel = workspace.channel_id("study-reports")
    with pytest.raises(SlackApiError, match="time_in_past"):
        client.chat_scheduleMessage(channel=channel, text="x", post_at=later(600))
