"""The event log: when, who, what. Code can add to it and read it; nothing can change it."""

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
    """Within a transaction: add one row. It must not name a Slack user."""
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
        after: Only rows with a larger ``id`` than this.
        kind, kinds, subject, participant: Only rows about these; ``None`` means all.
        since: Only rows of a later moment.
        until: Only rows of this moment or earlier.
        limit: Only so many, the newest ones; ``None`` means all.
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
