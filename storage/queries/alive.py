"""Whether the bot on this database lives, as far as the database knows."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select

from storage.database import Store
from storage.schema.states import EventKind, SessionState
from storage.schema.tables import Event, Heartbeat, Participant, Session


@dataclass(frozen=True)
class Alive:
    """What the database knows of the bot.

    Attributes:
        heartbeat_at: Until when people were served; ``None`` if the bot has never run.
        was_stopped: Whether somebody has stopped it, and it has not started since.
        sessions: How many sessions of people are under way.
    """

    heartbeat_at: datetime | None
    was_stopped: bool
    sessions: int


def alive(store: Store) -> Alive:
    """Look up what the database knows of the bot."""
    newest = select(Event.kind).where(col(Event.kind).in_((EventKind.RECONCILED, EventKind.BOT_STOPPED)))
    under_way = (
        select(func.count()).select_from(Session).join(Participant).where(col(Participant.baseline_id).is_(None))
    )
    with store.read() as transaction:
        row = transaction.get(Heartbeat, 1)
        return Alive(
            heartbeat_at=None if row is None else row.at,
            was_stopped=transaction.exec(newest.order_by(col(Event.id).desc())).first() is EventKind.BOT_STOPPED,
            sessions=transaction.exec(under_way.where(Session.state != SessionState.FINISHED)).one(),
        )
