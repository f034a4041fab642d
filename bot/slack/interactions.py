"""Pressed buttons and slash commands: acknowledged at once, handled on the threads for answers, answered in private."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Self

from slack_bolt import Ack, App
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.block_kit import Message, notice, section, without_button
from bot.slack.client import Slack
from bot.slack.rate_limiter import CallNotMade

log = logging.getLogger(__name__)


class Surface(StrEnum):
    """Where somebody pressed or typed."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"
    COMMAND = "command"


@dataclass(frozen=True)
class Interaction:
    """A press or a command: who did it, where, and with which value.

    Attributes:
        slack: The workspace.
        user: The Slack user.
        value: The value of the button, or the text after the command.
        trigger_id: Opens one modal within three seconds.
        surface: Where the person pressed or typed.
        channel: The conversation; empty in a modal or the Home tab.
        thread_ts: The root of the message's thread.
        message_ts: The message of the button; empty elsewhere.
        view_id: The modal of the button; empty elsewhere.
        action: The button's ``action_id``; empty for a command.
        text, blocks: The message; empty if only this person sees it, because Slack does not send it then.
        response_url: The address for an answer or for replacing the message; empty in a modal or the Home tab.
    """

    slack: Slack
    user: str
    value: str
    trigger_id: str
    surface: Surface
    channel: str = ""
    thread_ts: str | None = None
    message_ts: str = ""
    view_id: str = ""
    action: str = ""
    text: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    response_url: str = ""

    @classmethod
    def of_press(cls, slack: Slack, body: dict[str, Any]) -> Self:
        """Read a ``block_actions`` payload."""
        message, container, view = (body.get(key) or {} for key in ("message", "container", "view"))
        return cls(
            slack=slack,
            user=body["user"]["id"],
            value=body["actions"][0].get("value") or "",
            trigger_id=body.get("trigger_id", ""),
            surface=Surface(view["type"]) if view else Surface.MESSAGE,
            channel=(body.get("channel") or {}).get("id", ""),
            thread_ts=message.get("thread_ts") or container.get("thread_ts"),
            message_ts=container.get("message_ts", ""),
            view_id=view.get("id", ""),
            action=body["actions"][0]["action_id"],
            text=message.get("text", ""),
            blocks=message.get("blocks") or (),
            response_url=body.get("response_url", ""),
        )

    @classmethod
    def of_command(cls, slack: Slack, body: dict[str, Any]) -> Self:
        """Read the payload of a slash command."""
        return cls(
            slack=slack,
            user=body["user_id"],
            value=body.get("text") or "",
            trigger_id=body["trigger_id"],
            surface=Surface.COMMAND,
            response_url=body["response_url"],
        )

    def tell(self, text: str, blocks: Sequence[Block] = ()) -> None:
        """Answer in private, where the person looks: over the modal, over the Home tab, or in the conversation.

        Args:
            text: The answer.
            blocks: What follows the text, such as the button for the next step; left out over a modal.
        """
        if self.surface is Surface.MODAL:
            self.slack.push_modal(self.trigger_id, notice("Please note", text))
            return
        if self.surface is Surface.HOME:
            try:
                self.slack.open_modal(self.trigger_id, notice("Please note", text, *blocks))
            except (SlackApiError, CallNotMade):  # the three seconds are over
                log.info("an answer to a press in a Home tab is given in the conversation")
            else:
                return
        channel = self.channel or self.slack.open_channel(self.user)
        shown = (section(text), *blocks) if blocks else ()
        self.slack.whisper(channel, self.user, text, thread_ts=self.thread_ts, blocks=shown)

    def apologise(self, text: str) -> None:
        """Say in private that something failed or took too long."""
        if self.surface is Surface.COMMAND:
            self.respond(Message(text=text, blocks=(section(text),)), replace=False)
        else:
            self.tell(text)

    def respond(self, message: Message, *, replace: bool) -> None:
        """Answer in private at the response address, or by a direct message if there is no valid address.

        Args:
            message: The answer.
            replace: Whether it replaces the message with the button.
        """
        if self.response_url and self.slack.respond(self.response_url, message, replace=replace):
            return
        self.slack.post(self.slack.open_channel(self.user), message)

    def settle(self, done: str) -> None:
        """Replace the button by a line that says what is done. A message that only the person sees is deleted."""
        if not self.response_url:
            return
        message = None
        if self.blocks:
            message = Message(text=f"{self.text} {done}", blocks=tuple(without_button(self.blocks, self.action, done)))
        self.slack.replace_pressed(self.response_url, message)

    def open(self, view: View) -> None:
        """Open a modal, over the one where the button is."""
        if self.surface is Surface.MODAL:
            self.slack.push_modal(self.trigger_id, view)
        else:
            self.slack.open_modal(self.trigger_id, view)


Handler = Callable[[Interaction], None]
"""Handles a press or a command after it was acknowledged."""


@dataclass(frozen=True)
class Submission:
    """A form that somebody sent.

    Attributes:
        slack: The workspace.
        user: The Slack user.
        view: The form as Slack sends it, with what was entered.
    """

    slack: Slack
    user: str
    view: Mapping[str, Any]

    def tell(self, text: str) -> None:
        """Answer in the direct messages with the person: the form is closed."""
        self.slack.post(self.slack.open_channel(self.user), Message(text=text, blocks=(section(text),)))


class Interactions:
    """Listens to presses and commands: each is acknowledged at once, and handled on the threads for answers.

    Args:
        app: The Slack app.
        slack: The workspace.
        tasks: Runs the handlers.
    """

    def __init__(self, app: App, slack: Slack, tasks: BackgroundTasks) -> None:
        self.app = app
        self._slack = slack
        self._tasks = tasks

    def on_press(self, action_id: str | re.Pattern[str], doing: str, handle: Handler) -> None:
        """Listen to a button.

        Args:
            action_id: The button's ``action_id``.
            doing: What the handler does, in a few words, for the report of an error.
            handle: The handler.
        """

        def pressed(ack: Ack, body: dict[str, Any]) -> None:
            ack()
            self._handle(Interaction.of_press(self._slack, body), doing, handle)

        self.app.action(action_id)(pressed)

    def on_command(self, command: str, doing: str, handle: Handler) -> None:
        """Listen to a slash command.

        Args:
            command: The command, with its slash.
            doing: What the handler does, in a few words, for the report of an error.
            handle: The handler.
        """

        def typed(ack: Ack, body: dict[str, Any]) -> None:
            ack()
            self._handle(Interaction.of_command(self._slack, body), doing, handle)

        self.app.command(command)(typed)

    def on_submission(self, callback_id: str, doing: str, handle: Callable[[Submission], None]) -> None:
        """Listen to a form in which nothing can be wrong: it closes at once.

        Args:
            callback_id: The form's ``callback_id``.
            doing: What the handler does, in a few words, for the report of an error.
            handle: The handler.
        """

        def sent(ack: Ack, body: dict[str, Any]) -> None:
            ack()
            submission = Submission(self._slack, body["user"]["id"], body["view"])
            self._tasks.answer(doing, partial(handle, submission), tell=submission.tell)

        self.app.view(callback_id)(sent)

    def _handle(self, interaction: Interaction, doing: str, handle: Handler) -> None:
        self._tasks.answer(doing, partial(handle, interaction), tell=interaction.apologise)
