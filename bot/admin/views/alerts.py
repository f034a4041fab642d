"""The post about an alert: its title, how often and when it was raised, and the latest sentence about it."""

from slack_sdk.models.blocks import Block

from bot.admin.alert_kinds import AlertKind, title_of
from bot.admin.views.controls import ACKNOWLEDGE, retry_button
from bot.slack.block_kit import Message, actions, button, context, escape, moment, section, shorten
from storage.schema.tables import Alert

_LATEST_CHARACTERS = 1500


def alert_post(alert: Alert) -> Message:
    """An alert, with *Acknowledge* until somebody has acknowledged it, and then with who did it and when."""
    title = title_of(alert.kind)
    latest = shorten(alert.latest, _LATEST_CHARACTERS)
    times = "" if alert.count == 1 else f" · {alert.count:,} times"
    when = (
        moment(alert.first_at) if alert.count == 1 else f"First {moment(alert.first_at)}, last {moment(alert.last_at)}"
    )
    done = alert.acknowledged_at is not None
    blocks: list[Block] = [section(f"{'✅' if done else '⚠️'} *{title}*{times}\n{escape(latest)}"), context(when)]
    if alert.acknowledged_at is not None:
        blocks.append(context(f"Acknowledged by {alert.acknowledged_by} at {moment(alert.acknowledged_at)}"))
    else:
        row = [button("Acknowledge", ACKNOWLEDGE, alert.id)]
        if alert.kind == AlertKind.EVALUATION_FAILED:
            row.insert(0, retry_button())
        blocks.append(actions(row, "admin_alert"))
    return Message(text=f"{'✅' if done else '⚠️'} {title}{times}: {latest}", blocks=tuple(blocks))


def unrecorded_alert(kind: str, text: str) -> Message:
    """An alert that was raised while the database could not be written, so that nobody can acknowledge it."""
    what = f"⚠️ *{title_of(kind)}*\n{escape(shorten(text, _LATEST_CHARACTERS))}"
    note = "The database cannot be written. So this alert is posted once, and it is not counted."
    return Message(
        text=f"⚠️ {title_of(kind)}: {shorten(text, _LATEST_CHARACTERS)}", blocks=(section(what), context(note))
    )
