"""The queue: people wait for a seat, and are called when one is free. A person's active session takes a seat."""

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


def join(store: Store, participant_id: int, *, now: datetime) -> int:
    """Put the participant at the end of the queue. Somebody who is in it keeps their position.

    Somebody who was called and did not begin keeps their position too, and can be called again.

    Returns:
        Their position, from 1.

    Raises:
        Refused: For the reasons of :func:`storage.transitions.sessions.begin`, except ``NO_SEAT``.
    """
    now = utc(now)
    with store.write() as transaction:
        participant = may_begin(transaction, participant_id)
        late = participant.called_at is not None
        participant.called_at = None
        if participant.waiting_since is None:
            participant.waiting_since = now
            _record(transaction, participant, EventKind.LINED_UP, now, participant.code)
            transaction.flush()
        position = 1 + _ahead(transaction, participant)
        notices.add(transaction, NoticeKind.IN_QUEUE, participant_id, now=now, position=position, late=late)
        return position


def position_of(store: Store, participant_id: int) -> int | None:
    """The participant's position in the queue, from 1; ``None`` if they are not in it."""
    with store.read() as transaction:
        participant = transaction.need(Participant, participant_id)
        return None if participant.waiting_since is None else 1 + _ahead(transaction, participant)


def call_next(store: Store, *, seats: int, now: datetime) -> Participant | None:
    """Call the first participant in the queue who was not called yet, if there is a free seat that is kept for nobody.

    Args:
        seats: How many seats there are, free or taken.
        now: The time, aware. A call that is older than ``CALL_HOLDS`` keeps no seat any more.

    Returns:
        The participant who was called; a seat is kept for them for ``CALL_HOLDS``. ``None`` if nobody was called.
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
    """Within a transaction: the participant, if they may begin a session as soon as there is a seat.

    Raises:
        Refused: ``WITHDRAWN``, ``NOT_CONSENTED``, ``NOT_DESCRIBED``, ``SESSION_RUNNING``, ``HAD_SESSION``,
            ``STUDY_NOT_OPEN``, ``STUDY_PAUSED``, ``STUDY_CLOSED`` or ``NOT_A_PERSON``.
    """
    participant = current.need_person(transaction, participant_id)
    if participant.state is ParticipantState.WITHDRAWN:
        raise Refused(Reason.WITHDRAWN, "You have withdrawn from the study.")
    if participant.state is ParticipantState.INVITED:
        raise Refused(Reason.NOT_CONSENTED, "Please read and accept the consent text first.")
    if participant.state is ParticipantState.CONSENTED:
        raise Refused(Reason.NOT_DESCRIBED, "Please tell us about your experience first. Then you can start.")
    session = transaction.exec(select(Session).where(Session.participant_id == participant_id)).first()
    if session is not None and session.state.is_finished:
        raise Refused(Reason.HAD_SESSION, "You have had your session, and everybody takes part once. Thank you!")
    if session is not None:
        raise Refused(Reason.SESSION_RUNNING, "Your session has begun already: see the thread above.")
    current.need_open(transaction, participant.study_id)
    return participant


def need_seat(transaction: Transaction, participant: Participant, *, seats: int, now: datetime) -> None:
    """Within a transaction: check that a seat is free for this participant, and is not kept for somebody before them.

    Raises:
        Refused: There is no such seat (``NO_SEAT``).
    """
    if participant.called_at is not None and participant.called_at > now - CALL_HOLDS:
        free = seats - _taken(transaction)
    else:
        free = _unclaimed(transaction, seats, now) - _ahead(transaction, participant, called=False)
    if free < 1:
        raise Refused(
            Reason.NO_SEAT,
            "All seats are taken at the moment, so your time has not started. You can join the queue, and we call you.",
        )


def _taken(transaction: Transaction) -> int:
    """How many seats people have taken. A searcher takes no seat: it runs in slots that nobody uses."""
    query = select(func.count(col(Session.id))).join(Participant)
    return transaction.exec(
        query.where(col(Session.state) == SessionState.ACTIVE, col(Participant.baseline_id).is_(None))
    ).one()


def _unclaimed(transaction: Transaction, seats: int, now: datetime) -> int:
    """How many seats are neither taken nor kept for somebody who was called."""
    called = select(func.count()).where(
        col(Participant.waiting_since).is_not(None), col(Participant.called_at) > now - CALL_HOLDS
    )
    return seats - _taken(transaction) - transaction.exec(called).one()


def _ahead(transaction: Transaction, participant: Participant, *, called: bool = True) -> int:
    """How many people are before this participant in the queue. If they are not in it, everybody in it is.

    Args:
        called: Whether people who were called count too.
    """
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
