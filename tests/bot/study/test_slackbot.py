"""Slack's own bot, and other bots, take no part: they are not invited, not answered, and press nothing."""

from unittest.mock import MagicMock

import pytest

from bot.participant import messages
from bot.slack.interactions import Interactions
from bot.slack.mentions import SLACKBOT
from bot.study.invitations import Invitation, Invitations

WRITTEN = {"type": "message", "channel_type": "im", "channel": "D1", "ts": "1.0", "text": "hello"}


def test_slackbot_is_not_invited():
    parts = [MagicMock(name=name) for name in ("store", "slack", "notifications", "reactions", "withdrawals")]
    tasks = MagicMock(closed=False)
    found = Invitations(*parts, tasks, MagicMock(), MagicMock()).invite(SLACKBOT)
    assert found.outcome is Invitation.BOT
    assert not any(part.mock_calls for part in parts)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ({"user": "U0000000001"}, True),
        ({"user": SLACKBOT}, False),
        ({"user": "U0000000002", "bot_id": "B1"}, False),
        ({"bot_id": "B1", "subtype": "bot_message"}, False),
        ({}, False),
    ],
)
def test_what_a_bot_writes_is_not_answered(sent, answered):
    app, context = MagicMock(), MagicMock()
    messages.register(app, context)
    (listener,) = app.event.return_value.call_args.args
    listener(WRITTEN | sent)
    assert context.tasks.answer.called == answered


@pytest.mark.parametrize(("user", "handled"), [("U0000000001", True), (SLACKBOT, False)])
def test_what_slackbot_presses_is_acknowledged_and_not_handled(user, handled):
    app, tasks, ack = MagicMock(), MagicMock(), MagicMock()
    Interactions(app, MagicMock(), tasks).on_command("/study", "answering", MagicMock())
    (listener,) = app.command.return_value.call_args.args
    listener(ack, {"user_id": user, "trigger_id": "1", "channel_id": "D1", "response_url": "https://hooks.slack.com/1"})
    ack.assert_called_once_with()
    assert tasks.answer.called == handled
