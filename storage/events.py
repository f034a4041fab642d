"""The event log: when, who, what. There is code to add to it and to read it, and none to change it."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select

from storage.database import Store, Transaction
from storage.schema.columns import utc
from storage.schema.states import EventKind
from storage.schema.tables import Event

Detail = str | int | float | bool | None


def record(
    transaction: Transaction,
    *,
    at: datetime,
    actor: str,
    kind: EventKind,
    subject: str,
    participant: str | None = None,
    **details: Detail,
) -> None:
    """Add one row, within the transition's own transaction. Nothing in it may tell a Slack user."""
    transaction.add(
        Event(at=at, actor=str(actor), kind=kind, subject=subject, participant=participant, details=dict(details))
    )


def read(
    store: Store,
    *,
    after: int = 0,
    kind: EventKind | None = None,
    kinds: Collection[EventKind] | None = None,
    subject: str | None = None,
    participant: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> list[Event]:
    """Rows of the log in the order in which they were written.

    Args:
        after: Only rows with a larger ``id`` than this one.
        kind, kinds, subject, participant: Only rows about these; ``None`` means all.
        since, until: Only rows of a moment after the first and not after the second; ``None`` means any.
        limit: At most so many, the newest of those found; ``None`` means all.
    """
    query = select(Event).where(col(Event.id) > after).order_by(col(Event.id).desc())
    if kind is not None:
        query = query.where(Event.kind == kind)
    if kinds is not None:
        query = query.where(col(Event.kind).in_(kinds))
    if since is not None:
        query = query.where(col(Event.at) > utc(since))
    if until is not None:
        query = query.where(col(Event.at) <= utc(until))
    if subject is not None:
        query = query.where(Event.subject == subject)
    if participant is not None:
        query = query.where(Event.participant == participant)
    with store.read() as transaction:
        return list(reversed(transaction.exec(query.limit(limit) if limit is not None else query).all()))
