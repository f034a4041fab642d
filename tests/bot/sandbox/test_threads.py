"""Replies in threads: where they show, whom they reach."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.client.person import WorkspaceError


@pytest.fixture
def root(client, person):
    """The ts of a message that is replied to."""
    return client.chat_postMessage(channel=person.id, text="Your session")["ts"]


def reply(client, person, root, text="Trial 1 · 91%", **more):
    return client.chat_postMessage(channel=person.direct_channel, thread_ts=root, text=text, **more)


def history(client, person):
    """What the conversation itself shows, oldest first."""
    return client.conversations_history(channel=person.direct_channel)["messages"][::-1]


def test_a_reply_is_in_the_conversation_too_when_it_is_broadcast(client, person, root):
    quiet = reply(client, person, root, "quiet")
    loud = reply(client, person, root, "loud", reply_broadcast=True)
    assert "subtype" not in quiet["message"]
    assert loud["message"]["subtype"] == "thread_broadcast"
    assert loud["message"]["root"]["text"] == "Your session"
    assert loud["message"]["root"]["reply_count"] == 2
    assert [(each.text, each.broadcast) for each in person.thread(root)] == [("quiet", False), ("loud", True)]
    assert [each["text"] for each in history(client, person)] == ["Your session", "loud"]
    replies = client.conversations_replies(channel=person.direct_channel, ts=root)["messages"]
    assert [each["text"] for each in replies] == ["Your session", "quiet", "loud"]


def test_a_message_that_is_no_reply_is_not_broadcast(client, person):
    sent = client.chat_postMessage(channel=person.id, text="loud", reply_broadcast=True)
    assert "subtype" not in sent["message"]
    assert not person.message(sent["ts"]).broadcast


def test_an_old_reply_is_broadcast_by_an_update_that_brings_nothing_else(client, person, root):
    sent = reply(client, person, root)
    channel, ts = sent["channel"], sent["ts"]
    with pytest.raises(SlackApiError, match="no_dual_broadcast_content_update"):
        client.chat_update(channel=channel, ts=ts, text="Trial 1 · 92%", reply_broadcast=True)
    assert person.message(ts).text == "Trial 1 · 91%"
    answer = client.chat_update(channel=channel, ts=ts, reply_broadcast=True)
    assert answer["message"]["subtype"] == "thread_broadcast"
    assert person.message(ts).broadcast
    client.chat_update(channel=channel, ts=ts, text="Trial 1 · 92%")
    assert (person.message(ts).text, person.message(ts).broadcast) == ("Trial 1 · 92%", True)
    with pytest.raises(SlackApiError, match="cant_broadcast_message"):
        client.chat_update(channel=channel, ts=root, reply_broadcast=True)


def test_no_command_can_be_typed_in_a_thread(workspace, person, root):
    with pytest.raises(WorkspaceError, match=r"^/study is not supported in threads\. Sorry!$"):
        person.command("/study", "status", thread_ts=root)
    assert workspace.traffic("/study") == []


def test_only_what_is_posted_into_the_conversation_is_unread(client, person, root):
    def unread():
        return person.conversations()[0].unread

    person.read()
    told = reply(client, person, root)
    client.chat_update(channel=told["channel"], ts=root, text="Your session: 91%")
    client.chat_update(channel=told["channel"], ts=told["ts"], text="Trial 1 · 92%")
    client.chat_postEphemeral(channel=told["channel"], user=person.id, text="Only for you")
    assert unread() == 0
    reply(client, person, root, "Your time is up", reply_broadcast=True)
    assert unread() == 1
    client.chat_postMessage(channel=person.id, text="Thank you")
    assert unread() == 2
    person.say("in the thread alone", thread_ts=root)
    assert unread() == 2
    person.read()
    assert unread() == 0
