"""Time that a session lost through our fault is given back."""

from datetime import datetime, timedelta

from storage import events
from storage.database import Transaction
from storage.schema.states import EventKind, NoticeKind, SessionState
from storage.schema.tables import Participant, Session
from storage.transitions import notices


def code_of(transaction: Transaction, session: Session) -> str:
    """The code of the session's participant."""
    return transaction.need(Participant, session.participant_id).code


def extend(
    transaction: Transaction, session: Session, duration: timedelta, *, why: str, now: datetime, actor: str
) -> timedelta:
    """Move what a session is waiting for (its deadline, or the end of its grace period) by ``duration``, and log it.

    A finished session, or a duration of nothing, changes nothing. Returns what was given back.
    """
    if duration <= timedelta(0) or session.state is SessionState.FINISHED:
        return timedelta(0)
    if move(session, duration, now):
        session.given_back_seconds += duration.total_seconds()
    events.record(
        transaction,
        at=now,
        actor=actor,
        kind=EventKind.TIME_GIVEN_BACK,
        subject=session.subject,
        participant=code_of(transaction, session),
        seconds=duration.total_seconds(),
        why=why,
        during=str(session.state),
    )
    seconds = duration.total_seconds()
    notices.add(
        transaction, NoticeKind.TIME_GIVEN_BACK, session.participant_id, now=now, session_id=session.id, seconds=seconds
    )
    return duration


def move(session: Session, duration: timedelta, now: datetime) -> bool:
    """Move what a session is waiting for. Returns whether that was its deadline, not the end of its grace.

    Warnings count anew from the new deadline, as far as their moment is still to come.
    """
    if session.state is SessionState.CHOOSING and session.grace_ends_at is not None:
        session.grace_ends_at += duration
        return False
    session.deadline += duration
    session.warned_until = now
    return True
