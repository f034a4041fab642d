"""What an app attaches to a message for itself: kept as Slack keeps it, and given back to whom asks for all of it."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.validation.metadata import MOST_BYTES

METADATA = {"event_type": "task_created", "event_payload": {"id": "TK-2132"}}
TYPE_ONLY = {"event_type": "task_created"}


@pytest.fixture
def channel(person):
    return person.direct_channel


def in_history(client, channel, ts, **asked):
    found = client.conversations_history(channel=channel, oldest=ts, inclusive=True, **asked)["messages"]
    return next(each for each in found if each["ts"] == ts).get("metadata")


def test_the_payload_is_given_to_whom_asks_for_it(client, channel):
    root = client.chat_postMessage(channel=channel, text="root", metadata=METADATA)
    assert root["message"]["metadata"] == TYPE_ONLY
    assert in_history(client, channel, root["ts"]) == TYPE_ONLY
    assert in_history(client, channel, root["ts"], include_all_metadata=True) == METADATA
    reply = client.chat_postMessage(channel=channel, text="reply", thread_ts=root["ts"], metadata=METADATA)
    thread = client.conversations_replies(channel=channel, ts=root["ts"], include_all_metadata=True)["messages"]
    assert [(each["ts"], each["metadata"]) for each in thread] == [(root["ts"], METADATA), (reply["ts"], METADATA)]


def test_an_update_keeps_the_metadata_unless_it_brings_others(client, channel):
    ts = client.chat_postMessage(channel=channel, text="one", metadata=METADATA)["ts"]
    client.chat_update(channel=channel, ts=ts, text="two")
    assert in_history(client, channel, ts, include_all_metadata=True) == METADATA
    other = {"event_type": "task-done", "event_payload": {}}
    client.chat_update(channel=channel, ts=ts, text="three", metadata=other)
    assert in_history(client, channel, ts, include_all_metadata=True) == other
    client.chat_update(channel=channel, ts=ts, text="four", metadata={})
    assert in_history(client, channel, ts, include_all_metadata=True) is None


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "a"}, "invalid_metadata_format"),
        ({"event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "a", "event_payload": "text"}, "invalid_metadata_format"),
        ({"event_type": "a", "event_payload": {"id": "x" * MOST_BYTES}}, "metadata_too_large"),
    ],
)
def test_metadata_that_slack_refuses(client, channel, metadata, error):
    with pytest.raises(SlackApiError, match=error):
        client.chat_postMessage(channel=channel, text="x", metadata=metadata)


def test_a_type_that_is_not_allowed_is_ignored_with_a_warning(client, channel):
    answer = client.chat_postMessage(channel=channel, text="x", metadata={"event_type": "a.b", "event_payload": {}})
    assert answer["warning"] == "invalid_metadata_schema"
    assert in_history(client, channel, answer["ts"], include_all_metadata=True) is None
