"""Whether the bot may write where it has to, and whether charts are accepted there, so that nobody notices.

A message that is scheduled is checked at once as one that is posted: the channel, the bot's membership, who may post,
the blocks (https://docs.slack.dev/reference/methods/chat.scheduleMessage). Nobody sees it before its time, and it is
deleted at once. A message that is posted and deleted would make the channel unread for everybody in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.checks.findings import NO_ANSWER, Finding, fine, not_checked, reason, wrong
from bot.live.line_chart import DataVisualizationBlock

REPORT_CHANNEL, DIRECT_MESSAGES, CHARTS = "Report channel", "Direct messages", "Charts"

_POSTED_IN_SECONDS = 3600
_TEXT = "This is a test of the connection, which should have been deleted. Nobody has to do anything."

_INVITE = "write `/invite @Black Magic` in it"
_CHANNEL_SAID: dict[str, str] = {
    "channel_not_found": "Slack knows no such channel, or it is private and the bot is not in it: "
    f"{_INVITE}, or correct report_channel in study.toml.",
    "not_in_channel": f"The bot is not in it: {_INVITE}.",
    "is_archived": "It is archived: name another one as report_channel in study.toml.",
    "missing_scope": "The bot token may not write: see the scopes.",
}
_DIRECT_SAID: dict[str, str] = {
    "messages_tab_disabled": "The app's Messages tab is off: on your app's page, App Home, turn it on, and let people "
    "write to the app there.",
    "missing_scope": "The bot token may not write: see the scopes.",
}
_REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format"})


@dataclass(frozen=True)
class Rehearsal:
    """A message that was scheduled and deleted.

    Attributes:
        channel: Where it would have been posted.
        app_id: Slack's ID of the app that would have posted it; empty if Slack does not say.
    """

    channel: str
    app_id: str


class NotDeleted(Exception):
    """A message was scheduled and could not be deleted, so it will be posted; ``str(error)`` says why not."""


def rehearse(client: WebClient, channel: str, slack_now: float, blocks: Sequence[Block] = ()) -> Rehearsal:
    """Schedule a message, and delete it.

    Args:
        client: The client with the bot token.
        channel: Where it would be posted.
        slack_now: The time by Slack's clock (Unix time).
        blocks: Its blocks.

    Raises:
        SlackApiError: It could not be posted there.
        NotDeleted: It is scheduled, and will be posted.
    """
    scheduled = client.chat_scheduleMessage(
        channel=channel, text=_TEXT, post_at=int(slack_now) + _POSTED_IN_SECONDS, blocks=list(blocks) or None
    )
    try:
        client.chat_deleteScheduledMessage(channel=channel, scheduled_message_id=scheduled["scheduled_message_id"])
    except NO_ANSWER as error:
        raise NotDeleted(reason(error)) from error
    message = scheduled.get("message") or {}
    return Rehearsal(channel, str(message.get("app_id") or (message.get("bot_profile") or {}).get("app_id") or ""))


def report_channel(client: WebClient, channel: str, slack_now: float) -> tuple[Finding, Rehearsal | None]:
    """Whether the bot may write into the report channel. Returns the rehearsal too, if there was one."""
    if not channel:
        return not_checked(
            REPORT_CHANNEL,
            "study.toml names none, so nobody will be told what happens and what breaks. Make a private channel, "
            f"{_INVITE}, and name its ID as report_channel.",
        ), None
    return _attempt(
        REPORT_CHANNEL,
        lambda: rehearse(client, channel, slack_now),
        f"The bot may write into {channel}.",
        _CHANNEL_SAID,
        f"{channel}: ",
    )


def direct_messages(client: WebClient, channel: str, slack_now: float) -> tuple[Finding, Rehearsal | None]:
    """Whether the bot may write to people, tried with one of them. Returns the rehearsal too, if there was one."""
    return _attempt(
        DIRECT_MESSAGES, lambda: rehearse(client, channel, slack_now), "The bot may write to people.", _DIRECT_SAID
    )


def charts(client: WebClient, channel: str, slack_now: float) -> Finding:
    """Whether Slack accepts line charts in messages."""
    chart = DataVisualizationBlock(title="Test", name="Test", x_label="x", y_label="y", points={"1": 1.0, "2": 2.0})
    try:
        rehearse(client, channel, slack_now, [chart])
    except SlackApiError as error:
        if error.response.get("error") in _REFUSED_BLOCKS:
            return wrong(
                CHARTS,
                "Slack refuses line charts in this workspace. Live plots can be pictures instead: type `/study check`, "
                "so that the bot learns which ones people see.",
            )
        return not_checked(CHARTS, f"{reason(error)}.")
    except NotDeleted as error:
        return wrong(CHARTS, _left_behind(error))
    except NO_ANSWER as error:
        return not_checked(CHARTS, f"{reason(error)}.")
    return fine(CHARTS, "Slack accepts line charts. Whether people see them, `/study check` finds out.")


def _attempt(
    check: str, do: Callable[[], Rehearsal], done: str, said: dict[str, str], where: str = ""
) -> tuple[Finding, Rehearsal | None]:
    try:
        rehearsal = do()
    except SlackApiError as error:
        what = said.get(str(error.response.get("error")), f"The bot may not write there. ({reason(error)}.)")
        return wrong(check, f"{where}{what}"), None
    except NotDeleted as error:
        return wrong(check, f"{where}{_left_behind(error)}"), None
    except NO_ANSWER as error:
        return not_checked(check, f"{reason(error)}."), None
    return fine(check, done), rehearsal


def _left_behind(error: NotDeleted) -> str:
    return f"A test message could not be deleted ({error}): it will be posted in an hour. Delete it then."
