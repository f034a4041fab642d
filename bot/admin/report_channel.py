"""The report channel: every subject has one post there, and changes replace its text."""

from slack_sdk.errors import SlackApiError

from bot.slack.block_kit import Message
from bot.slack.client import Slack
from bot.slack.rate_limiter import Priority
from storage import posts
from storage.database import Store

_GONE = frozenset({"message_not_found", "edit_window_closed", "cant_update_message"})
"""Slack's errors for a post that cannot be changed any more: somebody deleted it, or it is in another channel."""


class ReportChannel:
    """Writes into the report channel.

    Args:
        slack: The workspace.
        store: Knows where the posts are.
        channel: Slack's ID of the channel; empty when there is none.
    """

    def __init__(self, slack: Slack, store: Store, channel: str) -> None:
        self._slack = slack
        self._store = store
        self.id = channel

    def has(self, subject: str) -> bool:
        """Whether there is a post about a subject."""
        post = posts.find(self._store, subject)
        return post is not None and bool(post.ts)

    def show(self, subject: str, message: Message) -> str:
        """Post about a subject, or change the existing post. Returns its ts.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached.
        """
        post = posts.find(self._store, subject)
        if post is not None and post.ts and self.change(post.ts, message):
            return post.ts
        return posts.remember(self._store, subject, ts=self.say(message)).ts

    def say(self, message: Message) -> str:
        """Post a message without remembering it under a subject. Returns its ts."""
        return self._slack.post(self.id, message)

    def change(self, ts: str, message: Message) -> bool:
        """Change a post, after all calls that people wait for. Returns whether the post still exists."""
        try:
            self._slack.update(self.id, ts, message, Priority.FRAME)
        except SlackApiError as error:
            if error.response["error"] not in _GONE:
                raise
            return False
        return True
