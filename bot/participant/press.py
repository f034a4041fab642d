"""A pressed button: acknowledged at once, answered by an errand, refused in private."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from slack_bolt import Ack, App
from slack_sdk.models.views import View

from bot.blocks import notice
from bot.study import Study
from storage.refusal import Refused


@dataclass(frozen=True)
class Press:
    """Who pressed what, and where.

    Attributes:
        user: The Slack user.
        value: What the button carries.
        trigger_id: Opens one modal within three seconds.
        channel: The conversation; empty in a modal or the Home tab.
        ts: The message that the button is in.
        thread_ts: The root of the message's thread.
        in_modal: Whether the button is in a modal.
    """

    user: str
    value: str
    trigger_id: str
    channel: str = ""
    ts: str = ""
    thread_ts: str | None = None
    in_modal: bool = False

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Read a ``block_actions`` payload."""
        message = body.get("message") or {}
        return cls(
            user=body["user"]["id"],
            value=body["actions"][0].get("value") or "",
            trigger_id=body.get("trigger_id", ""),
            channel=(body.get("channel") or {}).get("id", ""),
            ts=message.get("ts", ""),
            thread_ts=message.get("thread_ts"),
            in_modal=(body.get("view") or {}).get("type") == "modal",
        )

    def tell(self, study: Study, text: str) -> None:
        """Answer in private: over the modal where the button is, else in the conversation."""
        if self.in_modal:
            study.slack.push_modal(self.trigger_id, notice("Please note", text))
        else:
            channel = self.channel or study.slack.open_channel(self.user)
            study.slack.whisper(channel, self.user, text, thread_ts=self.thread_ts)

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
        do: Does it; a :class:`storage.refusal.Refused` is told to the person in private.
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
        press.tell(study, str(refused))
