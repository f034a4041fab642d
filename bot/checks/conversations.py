"""Whether the bot may write where it has to, and whether Slack accepts charts and long texts, so that nobody notices.

A message that is scheduled is checked at once as one that is posted: the channel, the bot's membership, who may post,
the blocks (https://docs.slack.dev/reference/methods/chat.scheduleMessage). Nobody sees it before its time, and it is
deleted at once. A message that is posted and deleted would make the channel unread for everybody in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.checks.findings import NO_ANSWER, Finding, fine, not_checked, reason, wrong
from bot.live.line_chart import DataVisualizationBlock
from bot.slack.block_kit import Message

REPORT_CHANNEL, DIRECT_MESSAGES, CHARTS, CONSENT = "Report channel", "Direct messages", "Charts", "Consent text"

_POSTED_IN_SECONDS = 3600
_TEST = Message("This is a test of the connection, which should have been deleted. Nobody has to do anything.", ())
_CHART = DataVisualizationBlock(title="Test", name="Test", x_label="x", y_label="y", points={"1": 1.0, "2": 2.0})

_INVITE = "write `/invite @` with the name of the app in it"
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
_NO_CHARTS = (
    "Slack refuses line charts in this workspace. Live plots can be pictures instead: type `/study check`, so that the "
    "bot learns which ones people see."
)
_TOO_LONG = "Slack refuses the message with it as too long. Shorten it, or put the details on a page of your own."
_CHART_SAID: dict[str, str] = dict.fromkeys(("invalid_blocks", "invalid_blocks_format"), _NO_CHARTS)
_CONSENT_SAID: dict[str, str] = dict.fromkeys(("msg_blocks_too_long", "msg_too_long", "invalid_blocks"), _TOO_LONG)


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


@dataclass(frozen=True)
class Rehearsals:
    """Schedules messages, and deletes them.

    Attributes:
        client: The client with the bot token.
        slack_now: The time by Slack's clock (Unix time).
    """

    client: WebClient
    slack_now: float

    def report_channel(self, channel: str) -> tuple[Finding, Rehearsal | None]:
        """Whether the bot may write into the report channel. Returns the rehearsal too, if there was one."""
        if not channel:
            return not_checked(
                REPORT_CHANNEL,
                "study.toml names none, so nobody will be told what happens and what breaks. Make a private channel, "
                f"{_INVITE}, and name its ID as report_channel.",
            ), None
        return self._attempt(
            REPORT_CHANNEL, channel, _TEST, f"The bot may write into {channel}.", _CHANNEL_SAID, where=f"{channel}: "
        )

    def direct_messages(self, channel: str) -> tuple[Finding, Rehearsal | None]:
        """Whether the bot may write to people, tried with one of them. Returns the rehearsal too, if there was one."""
        return self._attempt(DIRECT_MESSAGES, channel, _TEST, "The bot may write to people.", _DIRECT_SAID)

    def charts(self, channel: str) -> Finding:
        """Whether Slack accepts line charts in messages."""
        done = "Slack accepts line charts. Whether people see them, `/study check` finds out."
        finding, _ = self._attempt(CHARTS, channel, Message(_TEST.text, (_CHART,)), done, _CHART_SAID)
        return finding

    def consent(self, channel: str, message: Message) -> Finding:
        """Whether Slack accepts the message with the consent text: it alone knows how much fits into one."""
        done = "It fits into one Slack message."
        finding, _ = self._attempt(CONSENT, channel, message, done, _CONSENT_SAID)
        return finding

    def rehearse(self, channel: str, message: Message) -> Rehearsal:
        """Schedule a message, and delete it.

        Raises:
            SlackApiError: It could not be posted there.
            NotDeleted: It is scheduled, and will be posted.
        """
        scheduled = self.client.chat_scheduleMessage(
            channel=channel,
            text=message.text,
            blocks=message.blocks or None,
            post_at=int(self.slack_now) + _POSTED_IN_SECONDS,
        )
        scheduled_id = scheduled["scheduled_message_id"]
        try:
            self.client.chat_deleteScheduledMessage(channel=channel, scheduled_message_id=scheduled_id)
        except NO_ANSWER as error:
            raise NotDeleted(reason(error)) from error
        told = scheduled.get("message") or {}
        app_id = told.get("app_id") or (told.get("bot_profile") or {}).get("app_id")
        return Rehearsal(channel, str(app_id or ""))

    def _attempt(
        self, check: str, channel: str, message: Message, done: str, said: Mapping[str, str], *, where: str = ""
    ) -> tuple[Finding, Rehearsal | None]:
        try:
            rehearsal = self.rehearse(channel, message)
        except SlackApiError as error:
            what = said.get(str(error.response.get("error")), f"The bot may not write there. ({reason(error)}.)")
            return wrong(check, f"{where}{what}"), None
        except NotDeleted as error:
            left = f"A test message could not be deleted ({error}): it will be posted in an hour. Delete it then."
            return wrong(check, f"{where}{left}"), None
        except NO_ANSWER as error:
            return not_checked(check, f"{reason(error)}."), None
        return fine(check, done), rehearsal
