"""What a researcher asked for, by a command or by a press under an answer, and how they are answered: in private."""

import logging
from dataclasses import dataclass
from typing import Any, Self

from slack_sdk.errors import SlackApiError

from bot.researcher.views.pages import Page, said
from bot.slack.block_kit import Message
from bot.slack.client import Slack
from bot.slack.rate_limiter import PacingError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """One command or press.

    Attributes:
        slack: The workspace.
        user: The Slack user.
        text: What they typed after the command, or what the pressed button carries.
        trigger_id: Opens one modal within three seconds.
        response_url: Where the answer goes; empty for a press in a modal.
        view_id: The modal of the pressed button; empty elsewhere.
        message_ts: The message of the pressed button; empty elsewhere.
        pressed: Whether it is a press.
    """

    slack: Slack
    user: str
    text: str
    trigger_id: str
    response_url: str = ""
    view_id: str = ""
    message_ts: str = ""
    pressed: bool = False

    @classmethod
    def by_command(cls, slack: Slack, body: dict[str, Any]) -> Self:
        """Read the payload of a slash command."""
        return cls(slack, body["user_id"], body.get("text") or "", body["trigger_id"], body["response_url"])

    @classmethod
    def by_press(cls, slack: Slack, body: dict[str, Any]) -> Self:
        """Read a ``block_actions`` payload."""
        return cls(
            slack,
            body["user"]["id"],
            body["actions"][0].get("value") or "",
            body.get("trigger_id", ""),
            body.get("response_url", ""),
            (body.get("view") or {}).get("id", ""),
            (body.get("container") or {}).get("message_ts", ""),
            pressed=True,
        )

    def say(self, message: Message) -> None:
        """Answer with a message: in the place of the one with the button, or below the command."""
        self._respond(message, replace=self.pressed)

    def add(self, message: Message) -> None:
        """Answer with one more message."""
        self._respond(message, replace=False)

    def show(self, page: Page) -> None:
        """Answer with a page: in the modal that is open, or a new one; as a message once it is too late for a modal."""
        if self.view_id:
            self.slack.update_modal(self.view_id, page.modal())
            return
        if not self.pressed:
            try:
                self.slack.open_modal(self.trigger_id, page.modal())
            except (SlackApiError, PacingError) as error:
                log.info("a page is shown as a message: %s", error)
            else:
                return
        self._respond(page.message(), replace=self.pressed)

    def tell(self, text: str) -> None:
        """Answer with a line; what an errand does that failed."""
        self.add(said(text))

    def _respond(self, message: Message, *, replace: bool) -> None:
        if self.response_url and self.slack.respond(self.response_url, message, replace=replace):
            return
        self.slack.post(self.slack.open_channel(self.user), message)
