"""What the bot says to Slack: every call paced, every message with its text for screen readers."""

from collections.abc import Sequence

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.blocks import Message
from bot.pacing import Pacer, Priority


class Slack:
    """The workspace, as far as the bot talks to it. Safe from any thread.

    Args:
        client: With the bot's token, and the retry handlers of :func:`bot.pacing.retry_handlers`.
        pacer: Keeps the workspace's rate limits.
    """

    def __init__(self, client: WebClient, pacer: Pacer) -> None:
        self.client = client
        self.pacer = pacer

    def post(self, channel: str, message: Message, *, thread_ts: str | None = None) -> str:
        """Post a message. Returns its ts.

        Raises:
            SlackApiError: Slack refuses it.
        """
        with self.pacer.turn("chat.postMessage", Priority.RESULT, channel=channel):
            answer = self.client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=message.blocks,
                thread_ts=thread_ts,
                unfurl_links=False,
                unfurl_media=False,
            )
        return str(answer["ts"])

    def update(self, channel: str, ts: str, message: Message) -> None:
        """Replace a message.

        Raises:
            SlackApiError: Slack refuses it, such as ``message_not_found``.
        """
        with self.pacer.turn("chat.update", Priority.RESULT):
            self.client.chat_update(channel=channel, ts=ts, text=message.text, blocks=message.blocks)

    def whisper(
        self, channel: str, user: str, text: str, *, thread_ts: str | None = None, blocks: Sequence[Block] = ()
    ) -> None:
        """Say something that only one person sees, and only now."""
        with self.pacer.turn("chat.postEphemeral", Priority.RESULT):
            self.client.chat_postEphemeral(
                channel=channel, user=user, text=text, blocks=list(blocks) or None, thread_ts=thread_ts
            )

    def open_channel(self, user: str) -> str:
        """The channel of the direct messages with a person."""
        with self.pacer.turn("conversations.open", Priority.RESULT):
            return str(self.client.conversations_open(users=[user])["channel"]["id"])

    def open_modal(self, trigger_id: str, view: View) -> None:
        """Open a modal, or push it if one is open. The trigger lives three seconds.

        Raises:
            SlackApiError: Such as ``expired_trigger_id``.
        """
        with self.pacer.turn("views.open", Priority.RESULT, timeout=3):
            self.client.views_open(trigger_id=trigger_id, view=view)

    def push_modal(self, trigger_id: str, view: View) -> None:
        """Put a modal on top of the one that is open."""
        with self.pacer.turn("views.push", Priority.RESULT, timeout=3):
            self.client.views_push(trigger_id=trigger_id, view=view)

    def update_modal(self, view_id: str, view: View) -> None:
        """Redraw a modal; nothing happens when it was closed meanwhile."""
        with self.pacer.turn("views.update", Priority.RESULT, timeout=10):
            try:
                self.client.views_update(view_id=view_id, view=view)
            except SlackApiError as error:
                if error.response["error"] != "not_found":
                    raise

    def publish_home(self, user: str, view: View, priority: Priority = Priority.RESULT) -> None:
        """Show a person's Home tab; with another priority where nobody waits for it."""
        with self.pacer.turn("views.publish", priority):
            self.client.views_publish(user_id=user, view=view)
