"""Time credit: a session that lost time through our fault gets it back."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage import events
from storage.database import Transaction
from storage.schema.states import EventKind, NoticeKind, SessionState
from storage.schema.tables import Event, Participant, Session
from storage.transitions import notices


def code_of(transaction: Transaction, session: Session) -> str:
    """Within a transaction: the code of the participant of a session."""
    return transaction.need(Participant, session.participant_id).code


def extend(
    transaction: Transaction, session: Session, duration: timedelta, *, why: str, now: datetime, actor: str
) -> timedelta:
    """Within a transaction: give time back to a session. Its deadline, or the end of its grace period, moves.

    A finished session is not changed, and a duration of zero or less changes nothing.

    Returns:
        The time that was given back.
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
    """Move the deadline of an active session, or the end of the grace period of one that is choosing.

    After the deadline has moved, every warning whose moment is still to come is given, also one that was given before.

    Returns:
        Whether it was the deadline that moved.
    """
    if session.state is SessionState.CHOOSING and session.grace_ends_at is not None:
        session.grace_ends_at += duration
        return False
    session.deadline += duration
    session.warned_until = now
    return True


def given_since(transaction: Transaction, session: Session, since: datetime) -> timedelta:
    """Within a transaction: how much of the time from this moment on was given back to a session."""
    query = select(Event).where(
        col(Event.kind) == EventKind.TIME_GIVEN_BACK, col(Event.subject) == session.subject, col(Event.at) > since
    )
    return _given(transaction.exec(query), since)


class GivenSince:
    """The time that was given back to all sessions from a moment on. It is read once, for many sessions.

    Args:
        transaction: The transaction in which it is read.
        earliest: The moment, aware.
        leave_out: Time that was given back for these reasons does not count.
    """

    def __init__(self, transaction: Transaction, earliest: datetime, leave_out: Collection[str] = ()) -> None:
        query = select(Event).where(col(Event.kind) == EventKind.TIME_GIVEN_BACK, col(Event.at) > earliest)
        self._of: dict[str, list[Event]] = {}
        for each in transaction.exec(query):
            if each.details["why"] not in leave_out:
                self._of.setdefault(each.subject, []).append(each)

    def to(self, session: Session, since: datetime) -> timedelta:
        """How much of the time from a moment on, not before ``earliest``, was given back to a session."""
        return _given((each for each in self._of.get(session.subject, ()) if each.at > since), since)


def _given(events_of_session: Iterable[Event], since: datetime) -> timedelta:
    seconds = (min(timedelta(seconds=each.details["seconds"]), each.at - since) for each in events_of_session)
    return sum(seconds, timedelta(0))
