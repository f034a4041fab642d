"""A pressed button: acknowledged at once, answered by an errand, refused in private."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from slack_bolt import Ack, App
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.participant.views.next_step import next_step
from bot.slack.block_kit import Message, notice, section, without_button
from bot.slack.rate_limiter import PacingError
from bot.study.service import Study
from storage.refusals import Refused

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Press:
    """Who pressed what, and where.

    Attributes:
        user: The Slack user.
        value: What the button carries.
        trigger_id: Opens one modal within three seconds.
        channel: The conversation; empty in a modal or the Home tab.
        thread_ts: The root of the message's thread.
        action: The button's ``action_id``.
        text, blocks: The message; empty where only this person sees it, since Slack does not send that.
        response_url: Where that message can be replaced; empty in a modal or the Home tab.
        in_modal: Whether the button is in a modal.
        in_home: Whether it is in the Home tab.
    """

    user: str
    value: str
    trigger_id: str
    channel: str = ""
    thread_ts: str | None = None
    action: str = ""
    text: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    response_url: str = ""
    in_modal: bool = False
    in_home: bool = False

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Read a ``block_actions`` payload."""
        message, container = body.get("message") or {}, body.get("container") or {}
        surface = (body.get("view") or {}).get("type")
        return cls(
            user=body["user"]["id"],
            value=body["actions"][0].get("value") or "",
            trigger_id=body.get("trigger_id", ""),
            channel=(body.get("channel") or {}).get("id", ""),
            thread_ts=message.get("thread_ts") or container.get("thread_ts"),
            action=body["actions"][0]["action_id"],
            text=message.get("text", ""),
            blocks=message.get("blocks") or (),
            response_url=body.get("response_url", ""),
            in_modal=surface == "modal",
            in_home=surface == "home",
        )

    def tell(self, study: Study, text: str, blocks: Sequence[Block] = ()) -> None:
        """Answer in private, where the person looks: over the modal, over the Home tab, or in the conversation.

        Args:
            study: The study.
            text: What to say.
            blocks: What follows the text, such as the button that goes on; left out over a modal.
        """
        if self.in_modal:
            study.slack.push_modal(self.trigger_id, notice("Please note", text))
            return
        if self.in_home:
            try:
                study.slack.open_modal(self.trigger_id, notice("Please note", text, *blocks))
            except (SlackApiError, PacingError):  # the three seconds are over
                log.info("an answer to a press in a Home tab is given in the conversation")
            else:
                return
        channel = self.channel or study.slack.open_channel(self.user)
        shown = (section(text), *blocks) if blocks else ()
        study.slack.whisper(channel, self.user, text, thread_ts=self.thread_ts, blocks=shown)

    def settle(self, study: Study, done: str) -> None:
        """The step is done: its message says so and loses the button; one that only the person sees goes."""
        if not self.response_url:
            return
        message = None
        if self.blocks:
            message = Message(text=f"{self.text} {done}", blocks=tuple(without_button(self.blocks, self.action, done)))
        study.slack.replace_pressed(self.response_url, message)

    def lead_back(self, study: Study, text: str) -> None:
        """Say why nothing was done, where the person stands, and give them the button that goes on."""
        step = next_step(study.standing(self.user))
        self.tell(study, text, (section(step.text), *step.blocks(block_id="next")))

    def open(self, study: Study, view: View) -> None:
        """Open a modal, over the one where the button is."""
        if self.in_modal:
            study.slack.push_modal(self.trigger_id, view)
        else:
            study.slack.open_modal(self.trigger_id, view)


def on_press(app: App, study: Study, action_id: str, doing: str, do: Callable[[Study, Press], None]) -> None:
    """Listen to a button.

    Args:
        app: The Slack app.
        study: What it acts on.
        action_id: The button's.
        doing: What it does, in a few words, for the report of an error.
        do: Does it; a :class:`storage.refusals.Refused` is told to the person in private.
    """

    def listener(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        press = Press.of(body)
        study.errands.run(doing, partial(_politely, study, press, do), tell=partial(press.tell, study))

    app.action(action_id)(listener)


def _politely(study: Study, press: Press, do: Callable[[Study, Press], None]) -> None:
    try:
        do(study, press)
    except Refused as refused:
        press.lead_back(study, str(refused))
