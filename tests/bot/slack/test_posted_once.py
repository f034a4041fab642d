"""A post is there once: after a lost answer, after a refused one, and when another process posts it again."""

from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.state.faults import Faults
from bot.sandbox.validation.strictness import Rules
from bot.slack.block_kit import text_message
from bot.slack.client import PacedClient, Slack
from bot.slack.posted_once import Once
from bot.slack.rate_limiter import RateLimiter
from tests.bot.study_file import ROOT

LOST = Faults(method="chat.postMessage", lost_answers=1)
POST, LOOK = "chat.postMessage", ("conversations.history", "conversations.replies")


@pytest.fixture(scope="module")
def workspace():
    with LocalWorkspace(rules=Rules(limits=None, ping_seconds=0.1), manifest=ROOT / "manifest.yml") as workspace:
        yield workspace


@pytest.fixture
def person(workspace, request):
    yield workspace.add_person(request.node.name)
    workspace.misbehave()


@pytest.fixture
def process(workspace):
    """A function that begins a process with the bot's client."""

    def begin(began=None):
        return Slack(PacedClient(workspace.bot_token, workspace.api_url, RateLimiter({})), began)

    return begin


def texts(person):
    return [each.text for each in person.messages() if each.bot]


def looks(workspace):
    return sum(len(workspace.traffic(method)) for method in LOOK)


def test_usually_nothing_is_read(workspace, person, process):
    slack, before = process(), looks(workspace)
    root = slack.post(person.direct_channel, text_message("root"), once=Once())
    slack.post(person.direct_channel, text_message("reply"), thread_ts=root)
    assert texts(person) == ["root", "reply"]
    assert looks(workspace) == before


@pytest.mark.parametrize("in_thread", [False, True])
def test_after_a_lost_answer_the_post_is_found(workspace, person, process, in_thread):
    slack = process()
    root = slack.post(person.direct_channel, text_message("root")) if in_thread else None
    workspace.misbehave(LOST)
    ts = slack.post(person.direct_channel, text_message("once"), thread_ts=root)
    (posted,) = [each for each in person.messages() if each.text == "once"]
    assert posted.ts == ts


def test_what_was_not_carried_out_is_posted_by_a_later_attempt(workspace, person, process, monkeypatch):
    slack = process()
    workspace.misbehave(Faults(method=POST, errors=1))
    look = slack.client.conversations_history

    def recover(**asked):
        workspace.misbehave()
        return look(**asked)

    monkeypatch.setattr(slack.client, "conversations_history", recover)
    ts = slack.post(person.direct_channel, text_message("once"))
    assert [each.ts for each in person.messages() if each.text == "once"] == [ts]


def test_a_broken_connection_is_a_lost_answer(person, process, monkeypatch):
    slack = process()
    call, calls = slack.client.chat_postMessage, []

    def break_off(**given):
        calls.append(call(**given)["ts"])
        raise ConnectionResetError("broken off")

    monkeypatch.setattr(slack.client, "chat_postMessage", break_off)
    assert [slack.post(person.direct_channel, text_message("once"))] == calls
    assert texts(person) == ["once"]


def test_who_tries_again_after_all_attempts_failed_finds_what_was_posted(workspace, person, process):
    slack, once = process(), Once()
    workspace.misbehave(Faults(lost_answers=1))  # also reading gets no answer
    with pytest.raises(SlackApiError):
        slack.post(person.direct_channel, text_message("once"), once=once)
    workspace.misbehave()
    ts = slack.post(person.direct_channel, text_message("once"), once=once)
    assert [each.ts for each in person.messages() if each.text == "once"] == [ts]


def test_who_posts_the_same_again_needs_no_call(workspace, person, process):
    slack, once = process(), Once()
    ts = slack.post(person.direct_channel, text_message("once"), once=once)
    before = len(workspace.traffic(POST)), looks(workspace)
    assert slack.post(person.direct_channel, text_message("once"), once=once) == ts
    assert (len(workspace.traffic(POST)), looks(workspace)) == before


def test_the_next_process_finds_what_the_one_before_has_posted(workspace, person, process):
    once = Once(since=datetime.now(UTC))
    ts = process().post(person.direct_channel, text_message("once"), once=once)
    later = process(datetime.now(UTC) + timedelta(seconds=1))
    assert later.posted(person.direct_channel, once).ts == ts
    assert later.post(person.direct_channel, text_message("once"), once=once) == ts
    assert texts(person) == ["once"]


def test_the_next_process_posts_what_the_one_before_did_not_and_reads_once_for_it(workspace, person, process):
    once = Once(since=datetime.now(UTC))
    later, before = process(datetime.now(UTC) + timedelta(seconds=1)), looks(workspace)
    assert later.posted(person.direct_channel, once) is None
    later.post(person.direct_channel, text_message("once"), once=once)
    assert texts(person) == ["once"]
    assert looks(workspace) == before + 1


def test_where_the_bot_may_not_read_it_posts_again(workspace, process, monkeypatch):
    slack, channel = process(), workspace.channel_id("study-reports")
    call, posted = slack.client.chat_postMessage, []

    def lose_the_first(**given):
        posted.append(call(**given)["ts"])
        if len(posted) == 1:
            raise ConnectionResetError("broken off")
        return {"channel": channel, "ts": posted[-1]}

    monkeypatch.setattr(slack.client, "chat_postMessage", lose_the_first)
    assert slack.post(channel, text_message("again")) == posted[1]
    assert workspace.traffic("conversations.history")[-1].status == "missing_scope"


def test_a_mark_tells_nothing_of_its_message(workspace, person, process):
    slack = process()
    slack.post(person.direct_channel, text_message("one"))
    slack.post(person.direct_channel, text_message("two"))
    found = slack.client.conversations_history(channel=person.direct_channel, include_all_metadata=True)["messages"]
    marks = {each["metadata"]["event_payload"]["mark"] for each in found}
    assert len(marks) == 2
    assert all(len(mark) == 32 and int(mark, 16) >= 0 for mark in marks)
    assert {tuple(each["metadata"]["event_payload"]) for each in found} == {("mark",)}
