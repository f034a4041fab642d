"""What is due because time has passed, and when something will be due next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage.database import Store
from storage.schema.columns import utc
from storage.schema.states import SessionState
from storage.schema.tables import Participant, Session

CALL_HOLDS = timedelta(minutes=15)
"""How long a free seat is kept for a participant who was called. After that, they stay in the queue."""


@dataclass(frozen=True)
class Due:
    """What is due because time has passed; sessions by their keys.

    Attributes:
        warnings: The active sessions whose participants are to be warned.
        expired: The active sessions whose time is up.
        unanswered: The sessions whose grace period is over without a final choice.
        next_at: The first moment after now at which one of these may be due, or a call from the queue lapses; ``None``
            if there is no such moment.
    """

    warnings: tuple[int, ...]
    expired: tuple[int, ...]
    unanswered: tuple[int, ...]
    next_at: datetime | None


def due(store: Store, *, warnings: Sequence[timedelta], now: datetime) -> Due:
    """Look up what is due. Searchers are left out.

    Args:
        warnings: How long before the deadline participants are warned.
        now: The time, aware.
    """
    now = utc(now)
    with store.read() as transaction:
        people = select(Session).join(Participant).where(col(Participant.baseline_id).is_(None))
        sessions = transaction.exec(
            people.where(Session.state != SessionState.FINISHED).order_by(col(Session.id))
        ).all()
        called = transaction.exec(
            select(Participant.called_at).where(
                col(Participant.waiting_since).is_not(None), col(Participant.called_at).is_not(None)
            )
        ).all()
    active = [each for each in sessions if each.state is SessionState.ACTIVE]
    choosing = [each for each in sessions if each.state is SessionState.CHOOSING]
    moments = [each.deadline for each in active]
    moments += [each.grace_ends_at for each in choosing if each.grace_ends_at is not None]
    moments += [each.deadline - before for each in active for before in warnings]
    moments += [each + CALL_HOLDS for each in called if each is not None]
    return Due(
        warnings=tuple(each.id for each in active if now < each.deadline and warning_due(each, warnings, now)),
        expired=tuple(each.id for each in active if each.deadline <= now),
        unanswered=tuple(each.id for each in choosing if each.grace_ends_at is not None and each.grace_ends_at <= now),
        next_at=min((each for each in moments if each > now), default=None),
    )


def warning_due(session: Session, warnings: Sequence[timedelta], now: datetime) -> timedelta | None:
    """The last warning of a session whose moment has come and that was not given; ``None`` if there is no such warning.

    Args:
        session: An active one.
        warnings: How long before the deadline participants are warned.
        now: The time, aware and in UTC.
    """
    given = session.warned_until or session.started_at
    return min((each for each in warnings if given < session.deadline - each <= now), default=None)
