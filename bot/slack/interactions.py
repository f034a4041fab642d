"""Pressed buttons and slash commands: acknowledged at once, handled on the threads for answers, answered in private.

Where an answer appears:

- In the direct messages with the bot it is an ordinary message, in the thread where the person acted if they acted in
  one. It is as private as an ephemeral message there, and it stays when Slack reloads.
- Over a modal and over the Home tab it is a modal.
- Anywhere else only the person may see it. An answer that can be asked for again (:meth:`Interaction.answer`) is an
  ephemeral message. What cannot be asked for again, such as the outcome of an action or an error
  (:meth:`Interaction.report`), is posted in the direct messages, and an ephemeral message says so.
"""

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
from bot.slack.block_kit import Message, notice, section, text_message
from bot.slack.client import Slack
from bot.slack.mentions import SLACKBOT
from bot.slack.rate_limiter import CallNotMade

log = logging.getLogger(__name__)


PostLater = Callable[[Callable[[], object]], object]
"""Takes a function that posts something, and calls it soon."""


def _at_once(post: Callable[[], object]) -> None:
    post()


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
        ephemeral: Whether the message of the button is seen by this person only.
        thread_ts: The root of the message's thread.
        message_ts: The message of the button; empty elsewhere.
        view_id: The modal of the button; empty elsewhere.
        block_id: The ``block_id`` of the row with the button; empty for a command. It tells which message it was. What
            the message said is never read from Slack, which escapes what it sends back: texts would grow.
        response_url: The address for an answer or for replacing the message; empty in a modal or the Home tab.
        post_later: Posts what is answered soon, in its order, so that a press never waits for a post.
    """

    slack: Slack
    user: str
    value: str
    trigger_id: str
    surface: Surface
    channel: str = ""
    ephemeral: bool = False
    thread_ts: str | None = None
    message_ts: str = ""
    view_id: str = ""
    block_id: str = ""
    response_url: str = ""
    post_later: PostLater = _at_once

    @classmethod
    def of_press(cls, slack: Slack, body: dict[str, Any], post_later: PostLater) -> Self:
        """Read a ``block_actions`` payload."""
        message, container, view = (body.get(key) or {} for key in ("message", "container", "view"))
        return cls(
            slack=slack,
            user=body["user"]["id"],
            value=body["actions"][0].get("value") or "",
            trigger_id=body.get("trigger_id", ""),
            surface=Surface(view["type"]) if view else Surface.MESSAGE,
            channel=(body.get("channel") or {}).get("id", ""),
            ephemeral=bool(container.get("is_ephemeral")),
            thread_ts=message.get("thread_ts") or container.get("thread_ts"),
            message_ts=container.get("message_ts", ""),
            view_id=view.get("id", ""),
            block_id=body["actions"][0].get("block_id", ""),
            response_url=body.get("response_url", ""),
            post_later=post_later,
        )

    @classmethod
    def of_command(cls, slack: Slack, body: dict[str, Any], post_later: PostLater) -> Self:
        """Read the payload of a slash command."""
        return cls(
            slack=slack,
            user=body["user_id"],
            value=body.get("text") or "",
            trigger_id=body["trigger_id"],
            surface=Surface.COMMAND,
            channel=body["channel_id"],
            response_url=body.get("response_url", ""),
            post_later=post_later,
        )

    @property
    def is_direct(self) -> bool:
        """Whether the person acted in the direct messages with the bot. May wait for Slack."""
        if not self.channel.startswith("D"):
            return False
        if self.message_ts and not self.ephemeral:
            return True  # the bot's own message
        try:  # a conversation between two people begins with D, too
            return self.channel == self.slack.direct_channel(self.user)
        except (SlackApiError, CallNotMade, OSError):
            return False

    def tell(self, text: str, blocks: Sequence[Block] = ()) -> None:
        """Answer with a text.

        Args:
            text: The answer, which can be asked for again.
            blocks: What follows the text, such as the button for the next step; left out over a modal.
        """
        self.answer(Message(text=text, blocks=(section(text), *blocks)))

    def apologise(self, text: str) -> None:
        """Say in private that something failed or took too long."""
        self.report(text_message(text))

    def answer(self, message: Message, *, replace: bool = False) -> None:
        """Give an answer that the person can ask for again.

        Args:
            message: The answer.
            replace: Whether it replaces the message with the button.
        """
        if not self._show_over_view(message):
            self.post_later(partial(self._answer, message, replace=replace))

    def report(self, message: Message, *more: Message, replace: bool = False) -> None:
        """Give an answer that cannot be asked for again: the outcome of an action, an error.

        Args:
            message: The answer.
            more: The rest of a long answer.
            replace: Whether it replaces the message with the button.
        """
        if not self._show_over_view(message):
            self.post_later(partial(self._report, message, replace=replace))
        for each in more:
            self.post_later(partial(self._post_directly, each))

    def reply(self, message: Message) -> None:
        """Post a message where the person acted: in the thread, if they acted in one.

        The root of a thread is seen in the conversation and in the thread. So an answer to a press there appears in
        both.
        """
        self.post_later(partial(self._reply, message))

    def write(self, message: Message) -> None:
        """Post a message in the direct messages with the person."""
        self.post_later(partial(self._post_directly, message))

    def settle(self, message: Message) -> None:
        """Replace the message with the button, whose step is done. Over a Home tab there is nothing to replace."""
        if self.response_url:
            self.post_later(partial(self.slack.replace_pressed, self.response_url, message))

    def open(self, view: View) -> None:
        """Open a modal, over the one where the button is."""
        if self.surface is Surface.MODAL:
            self.slack.push_modal(self.trigger_id, view)
        else:
            self.slack.open_modal(self.trigger_id, view)

    def _show_over_view(self, message: Message) -> bool:
        """Show an answer over the modal or the Home tab. Returns false if the person acted elsewhere."""
        if self.surface not in (Surface.MODAL, Surface.HOME):
            return False
        try:
            if self.surface is Surface.MODAL:
                self.slack.push_modal(self.trigger_id, notice("Please note", message.text))
            else:
                self.slack.open_modal(self.trigger_id, notice("Please note", message.text, *message.blocks[1:]))
        except (SlackApiError, CallNotMade):  # the three seconds are over
            log.info("an answer to a press in a %s is given in the conversation", self.surface)
            self.write(message)
        return True

    def _answer(self, message: Message, *, replace: bool) -> None:
        answered = self._answer_directly(message, replace=replace) or self._answer_privately(message, replace=replace)
        if not answered:
            self._post_directly(message)

    def _report(self, message: Message, *, replace: bool) -> None:
        if not self._answer_directly(message, replace=replace):
            self._answer_elsewhere(message, replace=replace)

    def _reply(self, message: Message) -> None:
        is_root = self.thread_ts is not None and self.thread_ts == self.message_ts
        self.slack.post(self.channel, message, thread_ts=self.thread_ts, broadcast=is_root)

    def _answer_directly(self, message: Message, *, replace: bool) -> bool:
        """Answer in the direct messages. Returns false if the person acted elsewhere."""
        if not self.is_direct:
            return False
        is_replaced = replace and bool(self.response_url) and self.slack.replace_pressed(self.response_url, message)
        if not is_replaced:
            self._reply(message)
        return True

    def _answer_elsewhere(self, message: Message, *, replace: bool) -> None:
        """Post an answer in the direct messages, and say so where the person acted."""
        try:
            self._post_directly(message)
        except (SlackApiError, CallNotMade, OSError) as error:
            log.warning("an outcome cannot be posted in the direct messages: %s", error)
            if not self._answer_privately(message, replace=replace):
                raise
        else:
            self._answer_privately(_IN_DIRECT_MESSAGES, replace=replace)

    def _answer_privately(self, message: Message, *, replace: bool) -> bool:
        """Answer with an ephemeral message. Returns whether Slack accepted it."""
        return bool(self.response_url) and self.slack.respond(self.response_url, message, replace=replace)

    def _post_directly(self, message: Message) -> None:
        self.slack.post(self.slack.direct_channel(self.user), message)


_IN_DIRECT_MESSAGES = text_message("I have answered in your direct messages with me.")

Handler = Callable[[Interaction], None]
"""Handles a press or a command after it was acknowledged."""


@dataclass(frozen=True)
class Submission:
    """A form that somebody sent.

    Attributes:
        slack: The workspace.
        user: The Slack user.
        view: The form as Slack sends it, with what was entered.
        post_later: As in :class:`Interaction`.
    """

    slack: Slack
    user: str
    view: Mapping[str, Any]
    post_later: PostLater

    def tell(self, text: str) -> None:
        """Answer in the direct messages with the person: the form is closed."""
        self.post_later(lambda: self.slack.post(self.slack.direct_channel(self.user), text_message(text)))


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
            self._handle(Interaction.of_press(self._slack, body, self._posting(body["user"]["id"])), doing, handle)

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
            self._handle(Interaction.of_command(self._slack, body, self._posting(body["user_id"])), doing, handle)

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
            user = body["user"]["id"]
            submission = Submission(self._slack, user, body["view"], self._posting(user))
            self._tasks.answer(doing, partial(handle, submission), person=user, tell=submission.tell, must=True)

        self.app.view(callback_id)(sent)

    def _handle(self, interaction: Interaction, doing: str, handle: Handler) -> None:
        if interaction.user == SLACKBOT:
            return
        self._tasks.answer(doing, partial(handle, interaction), person=interaction.user, tell=interaction.apologise)

    def _posting(self, user: str) -> PostLater:
        return lambda post: self._tasks.reply("answering somebody", post, person=user)
