"""The line: who waits for a seat, who is called. A seat is held by a person's session in state *active*."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries import current
from storage.queries.due import CALL_HOLDS
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, NoticeKind, ParticipantState, SessionState, StudyState
from storage.schema.tables import Participant, Session
from storage.transitions import notices


def line_up(store: Store, participant_id: int, *, now: datetime) -> int:
    """Put the participant at the end of the line, or leave them where they stand. Returns their place, from 1.

    Raises:
        Refused: Whatever :func:`storage.transitions.sessions.begin` would refuse, but for the seat.
    """
    now = utc(now)
    with store.write() as transaction:
        participant = may_begin(transaction, participant_id)
        called_before = participant.called_at is not None
        participant.called_at = None  # who comes too late for a call keeps their place, and is called again
        if participant.waiting_since is None:
            participant.waiting_since = now
            _record(transaction, participant, EventKind.LINED_UP, now, participant.code)
            transaction.flush()
        place, late = 1 + _ahead(transaction, participant), called_before
        notices.add(transaction, NoticeKind.IN_QUEUE, participant_id, now=now, position=place, late=late)
        return place


def place_in_line(store: Store, participant_id: int) -> int | None:
    """The participant's place, from 1; ``None`` when they do not wait."""
    with store.read() as transaction:
        participant = transaction.need(Participant, participant_id)
        return None if participant.waiting_since is None else 1 + _ahead(transaction, participant)


def call_next(store: Store, *, seats: int, now: datetime) -> Participant | None:
    """Call the first in the queue who was not called yet, if a seat is free and kept for nobody.

    Args:
        seats: How many seats there are, free or taken.
        now: Calls older than ``CALL_HOLDS`` keep no seat.

    Returns:
        Who was called: the seat is kept for them for ``CALL_HOLDS``. None when nobody is to be called now.
    """
    now = utc(now)
    with store.write() as transaction:
        participant = _next(transaction, seats, now)
        if participant is not None:
            participant.called_at = now
            _record(transaction, participant, EventKind.CALLED, now, Actor.BOT)
            notices.add(transaction, NoticeKind.CALLED, participant.id, now=now)
        return participant


def may_begin(transaction: Transaction, participant_id: int) -> Participant:
    """The participant, if all but the seat allows them to begin a session.

    Raises:
        Refused: ``WITHDRAWN``, ``NOT_CONSENTED``, ``NOT_DESCRIBED``, ``SESSION_RUNNING``, ``HAD_SESSION``,
            ``STUDY_NOT_OPEN``, ``STUDY_PAUSED`` or ``STUDY_CLOSED``.
    """
    participant = current.need_person(transaction, participant_id)
    if participant.state is ParticipantState.WITHDRAWN:
        raise Refused(Reason.WITHDRAWN, "You have withdrawn from the study.")
    if participant.state is ParticipantState.INVITED:
        raise Refused(Reason.NOT_CONSENTED, "Please read and accept the consent text first.")
    if participant.state is ParticipantState.CONSENTED:
        raise Refused(Reason.NOT_DESCRIBED, "Please tell us about your experience first; then you can start.")
    session = transaction.exec(select(Session).where(Session.participant_id == participant_id)).first()
    if session is not None and session.state.is_finished:
        raise Refused(Reason.HAD_SESSION, "You have had your session: everybody takes part once. Thank you!")
    if session is not None:
        raise Refused(Reason.SESSION_RUNNING, "Your session has begun already; it is the thread above.")
    current.need_open(transaction, participant.study_id)
    return participant


def need_seat(transaction: Transaction, participant: Participant, *, seats: int, now: datetime) -> None:
    """Check that a seat is free for this participant, and not kept for somebody before them.

    Raises:
        Refused: ``NO_SEAT``.
    """
    if participant.called_at is not None and participant.called_at > now - CALL_HOLDS:
        free = seats - _taken(transaction)
    else:
        free = _unclaimed(transaction, seats, now) - _ahead(transaction, participant, called=False)
    if free < 1:
        raise Refused(
            Reason.NO_SEAT,
            "All places are taken at the moment, so your time has not started. You can wait in line: we call you.",
        )


def _taken(transaction: Transaction) -> int:
    """Seats that people sit on: searchers run in slots that are idle, and hold none."""
    query = select(func.count(col(Session.id))).join(Participant)
    return transaction.exec(
        query.where(col(Session.state) == SessionState.ACTIVE, col(Participant.baseline_id).is_(None))
    ).one()


def _unclaimed(transaction: Transaction, seats: int, now: datetime) -> int:
    """Seats that are neither taken nor kept for somebody called a short while ago."""
    called = select(func.count()).where(
        col(Participant.waiting_since).is_not(None), col(Participant.called_at) > now - CALL_HOLDS
    )
    return seats - _taken(transaction) - transaction.exec(called).one()


def _ahead(transaction: Transaction, participant: Participant, *, called: bool = True) -> int:
    """How many stand in line before this participant; all of the line when they do not stand in it."""
    since, key = col(Participant.waiting_since), col(Participant.id)
    query = select(func.count()).where(since.is_not(None))
    if not called:
        query = query.where(col(Participant.called_at).is_(None))
    if participant.waiting_since is not None:
        query = query.where(
            (since < participant.waiting_since) | ((since == participant.waiting_since) & (key < participant.id))
        )
    return transaction.exec(query).one()


def _next(transaction: Transaction, seats: int, now: datetime) -> Participant | None:
    study = current.find(transaction)
    if study is None or study.state is not StudyState.OPEN or _unclaimed(transaction, seats, now) < 1:
        return None
    query = select(Participant).where(col(Participant.waiting_since).is_not(None), col(Participant.called_at).is_(None))
    return transaction.exec(query.order_by(col(Participant.waiting_since), col(Participant.id))).first()


def _record(transaction: Transaction, participant: Participant, kind: EventKind, now: datetime, actor: str) -> None:
    events.record(
        transaction,
        at=now,
        actor=actor,
        kind=kind,
        subject=f"participant:{participant.id}",
        participant=participant.code,
    )
