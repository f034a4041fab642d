"""A session begins, is warned, expires, is extended or cancelled. ``choices`` ends it with the final choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.current import need_person
from storage.queries.due import warning_due
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, NoticeKind, SessionEnd, SessionState
from storage.schema.tables import Session, Trial
from storage.transitions import notices
from storage.transitions.queue import may_begin, need_seat
from storage.transitions.time_credit import code_of, move
from storage.transitions.trials import stop_all

PAPER_SEED = 10
"""The seed that the paper trained everything with."""


@dataclass(frozen=True)
class Expired:
    """What the end of the time limit did.

    Attributes:
        session: The session; its final choice is open now.
        stopped: The trial that waited or ran. A worker has to stop it if its state is ``RUNNING``.
    """

    session: Session
    stopped: Trial | None


@dataclass(frozen=True)
class Cancelled:
    """What a researcher who cancelled a session did.

    Attributes:
        session: The session; it is finished, without a final choice.
        stopped: The trial that waited or ran. A worker has to stop it if its state is ``RUNNING``.
    """

    session: Session
    stopped: Trial | None


@dataclass(frozen=True)
class Warned:
    """A warning that was given: the session, and how long before its deadline the warning was due."""

    session: Session
    before: timedelta


def begin(
    store: Store,
    participant_id: int,
    *,
    task: str,
    limit: timedelta,
    seats: int,
    now: datetime,
    seed: int = PAPER_SEED,
) -> Session:
    """Start a participant's clock, if a seat is free.

    Args:
        task: What is trained if the participant was not assigned a task.
        limit: How long the session lasts.
        seats: How many seats there are, free or taken.
        seed: What all of the study's trials are trained with.

    Raises:
        Refused: ``NO_SEAT``; ``NOT_CONSENTED``, ``NOT_DESCRIBED`` yet; ``SESSION_RUNNING``, ``HAD_SESSION`` already;
            ``WITHDRAWN``, ``STUDY_NOT_OPEN``, ``STUDY_PAUSED``, ``STUDY_CLOSED``.
        ValueError: The limit is not positive.
    """
    now = utc(now)
    if limit <= timedelta(0):
        raise ValueError(f"A session's limit must be positive: {limit} is not.")
    with store.write() as transaction:
        participant = may_begin(transaction, participant_id)
        need_seat(transaction, participant, seats=seats, now=now)
        participant.waiting_since = participant.called_at = None
        session = Session(
            participant_id=participant_id,
            task=participant.task or task,
            arm=participant.arm,
            seed=seed,
            started_at=now,
            limit_seconds=limit.total_seconds(),
            deadline=now + limit,
        )
        transaction.add(session)
        transaction.flush()
        _record(
            transaction, session, EventKind.SESSION_BEGUN, now, participant.code, limit_seconds=limit.total_seconds()
        )
        return session


def get(store: Store, session_id: int) -> Session:
    """The session as of now.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return transaction.need(Session, session_id)


def active_session(store: Store, participant_id: int) -> Session | None:
    """The participant's session that is not finished; ``None`` when there is no such session."""
    with store.read() as transaction:
        return transaction.exec(
            select(Session).where(Session.participant_id == participant_id, Session.state != SessionState.FINISHED)
        ).first()


def expire(store: Store, session_id: int, *, grace: timedelta, now: datetime) -> Expired:
    """Time is up: active → choosing. A trial that waits is cancelled, one that runs is to be stopped.

    Args:
        grace: How long the final choice can be made.

    Raises:
        Refused: There is time left (``NOT_YET``), the session expired before (``TIME_IS_UP``), is over
            (``SESSION_OVER``), or belongs to a searcher (``NOT_A_PERSON``).
    """
    now = utc(now)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        if session.state.is_finished:
            raise Refused(Reason.SESSION_OVER, "The session is over already.")
        if session.state is SessionState.CHOOSING:
            raise Refused(Reason.TIME_IS_UP, "The time was up before, and the final choice is open.")
        need_person(transaction, session.participant_id)
        if now < session.deadline:
            raise Refused(Reason.NOT_YET, "There is time left: the deadline was moved.")
        session.state, session.grace_ends_at = SessionState.CHOOSING, now + grace
        _record(transaction, session, EventKind.SESSION_EXPIRED, now, Actor.CLOCK, grace_seconds=grace.total_seconds())
        stopped = _stop_trial(transaction, session, now=now, actor=Actor.CLOCK)
        _notify(transaction, session, NoticeKind.TIME_IS_UP, now, stopped=None if stopped is None else stopped.number)
        return Expired(session, stopped)


def warn(store: Store, session_id: int, *, warnings: Sequence[timedelta], now: datetime) -> Warned:
    """Warn the participant that time runs out. Of several warnings that are due, the last one is given.

    Args:
        warnings: How long before the deadline participants are warned.

    Raises:
        Refused: No warning is due (``NOT_YET``), or the session is not active (``TIME_IS_UP``, ``SESSION_OVER``).
    """
    now = utc(now)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        if session.state.is_finished:
            raise Refused(Reason.SESSION_OVER, "The session is over already.")
        if session.state is SessionState.CHOOSING or session.deadline <= now:
            raise Refused(Reason.TIME_IS_UP, "The time is up already.")
        before = warning_due(session, warnings, now)
        if before is None:
            raise Refused(Reason.NOT_YET, "No warning is due.")
        session.warned_until = now
        minutes = before.total_seconds() / 60
        _record(transaction, session, EventKind.SESSION_WARNED, now, Actor.CLOCK, minutes=minutes)
        _notify(transaction, session, NoticeKind.WARNING, now, minutes=minutes)
        return Warned(session, before)


def extend_by_researcher(store: Store, session_id: int, duration: timedelta, *, actor: str, now: datetime) -> Session:
    """Give a session more time, as a researcher decides. Its deadline, or the end of its grace period, moves.

    Raises:
        Refused: The session is over (``SESSION_OVER``), or a searcher's (``NOT_A_PERSON``).
        ValueError: The duration is not positive.
    """
    now = utc(now)
    if duration <= timedelta(0):
        raise ValueError(f"A session can only be given more time, and {duration} is not positive.")
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        participant = need_person(transaction, session.participant_id)
        if session.state.is_finished:
            raise Refused(Reason.SESSION_OVER, f"The session of {participant.code} is over; its time was not extended.")
        if move(session, duration, now):
            session.extended_seconds += duration.total_seconds()
        seconds, during = duration.total_seconds(), str(session.state)
        _record(transaction, session, EventKind.TIME_EXTENDED, now, actor, seconds=seconds, during=during)
        _notify(transaction, session, NoticeKind.TIME_EXTENDED, now, seconds=seconds)
        return session


def cancel_session(store: Store, session_id: int, *, actor: str, now: datetime) -> Cancelled:
    """End a session without a final choice, as a researcher decides. Its trials are kept.

    Raises:
        Refused: The session is over (``SESSION_OVER``), or a searcher's (``NOT_A_PERSON``).
    """
    now = utc(now)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        participant = need_person(transaction, session.participant_id)
        if session.state.is_finished:
            raise Refused(Reason.SESSION_OVER, f"The session of {participant.code} is over already.")
        stopped = end_session(transaction, session, SessionEnd.CANCELLED, now=now, actor=actor, why="cancelled")
        number = None if stopped is None else stopped.number
        _notify(transaction, session, NoticeKind.SESSION_CANCELLED, now, stopped=number)
        return Cancelled(session, stopped)


def end_session(
    transaction: Transaction, session: Session, ended_as: SessionEnd, *, now: datetime, actor: str, why: str
) -> Trial | None:
    """Within a transaction: finish a session, and stop its trial that waits or runs. Returns that trial."""
    session.state, session.finished_at, session.ended_as = SessionState.FINISHED, now, ended_as
    kind = EventKind.SESSION_CANCELLED if ended_as is SessionEnd.CANCELLED else EventKind.SESSION_FINISHED
    _record(transaction, session, kind, now, actor, why=why)
    return _stop_trial(transaction, session, now=now, actor=actor)


def last_trial(transaction: Transaction, session_id: int) -> Trial | None:
    """Within a transaction: the trial of the session that was submitted last."""
    query = select(Trial).where(Trial.session_id == session_id).order_by(col(Trial.number).desc())
    return transaction.exec(query).first()


def _stop_trial(transaction: Transaction, session: Session, *, now: datetime, actor: str) -> Trial | None:
    return next(iter(stop_all(transaction, session.id, now=now, actor=actor)), None)


def _notify(
    transaction: Transaction, session: Session, kind: NoticeKind, now: datetime, **details: events.Detail
) -> None:
    notices.add(transaction, kind, session.participant_id, now=now, session_id=session.id, **details)


def _record(
    transaction: Transaction, session: Session, kind: EventKind, now: datetime, actor: str, **details: events.Detail
) -> None:
    code = code_of(transaction, session)
    events.record(transaction, at=now, actor=actor, kind=kind, subject=session.subject, participant=code, **details)
