"""A participant's way in and out: invited, consented, described, withdrawn; and the link to their Slack user."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from storage import events, studies
from storage.columns import utc
from storage.database import Store, Transaction
from storage.line import leave_line, line_up, mark_called, next_in_line, place_in_line
from storage.refusal import Reason, Refused
from storage.sessions import end_session
from storage.states import Actor, EventKind, ParticipantState, SessionState
from storage.tables import Identity, Participant, Session, Study, Trial

__all__ = [
    "Withdrawal",
    "by_slack_user",
    "consent",
    "describe",
    "forget_all",
    "get",
    "identity_of",
    "invite",
    "leave_line",
    "line_up",
    "mark_called",
    "next_in_line",
    "place_in_line",
    "withdraw",
]


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal ended.

    Attributes:
        participant: As withdrawn.
        session: The session it ended, if one was running.
        cancelled: The waiting trial it cancelled.
        stopping: The running trial that a worker has to stop.
    """

    participant: Participant
    session: Session | None = None
    cancelled: Trial | None = None
    stopping: Trial | None = None


def invite(store: Store, *, slack_user: str, slack_channel: str, now: datetime) -> Participant:
    """The participant this Slack user is, with their direct-message channel brought up to date; or a new one.

    Raises:
        Refused: A newcomer, and no study is open (``NO_STUDY``) or it is paused (``STUDY_PAUSED``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = studies.find(transaction)
        identity = transaction.exec(select(Identity).where(Identity.slack_user == slack_user)).first()
        if identity is not None:
            known = transaction.need(Participant, identity.participant_id)
            if study is None or known.study_id == study.id:
                identity.slack_channel = slack_channel
                return known
        study = studies.need_open(transaction, studies.need(transaction).id)
        if identity is not None:  # They took part in an earlier study: one link per person, the newest.
            _forget(transaction, identity, now, Actor.BOT)
            transaction.flush()
        count = transaction.exec(select(func.count()).where(col(Participant.study_id) == study.id)).one()
        newcomer = Participant(study_id=study.id, code=f"P{count + 1:03}", invited_at=now)
        transaction.add(newcomer)
        transaction.flush()
        transaction.add(Identity(participant_id=newcomer.id, slack_user=slack_user, slack_channel=slack_channel))
        _record(transaction, newcomer, EventKind.INVITED, now, actor=Actor.BOT)
        return newcomer


def get(store: Store, participant_id: int) -> Participant:
    """The participant as of now.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return transaction.need(Participant, participant_id)


def by_slack_user(store: Store, slack_user: str) -> Participant | None:
    """The participant this Slack user is; ``None`` when never invited, withdrawn or forgotten."""
    with store.read() as transaction:
        query = select(Participant).join(Identity).where(Identity.slack_user == slack_user)
        return transaction.exec(query).first()


def identity_of(store: Store, participant_id: int) -> Identity | None:
    """Where to reach the participant in Slack; ``None`` once the link is emptied."""
    with store.read() as transaction:
        return transaction.get(Identity, participant_id)


def consent(store: Store, participant_id: int, *, consent_hash: str, now: datetime) -> Participant:
    """Record that the participant accepted the consent text that has this hash.

    Raises:
        Refused: ``ALREADY_CONSENTED``, ``WITHDRAWN``, or the study is closed (``STUDY_CLOSED``).
    """
    now = utc(now)
    with store.write() as transaction:
        participant = _present(transaction, participant_id)
        if participant.state is not ParticipantState.INVITED:
            raise Refused(
                Reason.ALREADY_CONSENTED, "You have agreed to take part already. There is nothing more to do here."
            )
        participant.state, participant.consented_at = ParticipantState.CONSENTED, now
        participant.consent_hash = consent_hash
        _record(transaction, participant, EventKind.CONSENTED, now, consent_hash=consent_hash)
        return participant


def describe(
    store: Store, participant_id: int, *, months: float, education: str, answers: Mapping[str, Any], now: datetime
) -> Participant:
    """Record the participant's experience, once and for all.

    Args:
        months: Deep-learning experience in months, 0 or more.
        education: The highest education, as the study's rules call it.
        answers: Extra questions' answers by question, plain JSON values.

    Raises:
        Refused: ``NOT_CONSENTED`` yet, ``LOCKED`` because given already, ``WITHDRAWN`` or ``STUDY_CLOSED``.
        ValueError: Months are negative or no number.
    """
    now = utc(now)
    if not math.isfinite(months) or months < 0:
        raise ValueError(f"Months of experience must be 0 or more: {months} is not.")
    with store.write() as transaction:
        participant = _present(transaction, participant_id)
        if participant.state is ParticipantState.INVITED:
            raise Refused(Reason.NOT_CONSENTED, "Please read and accept the consent text first.")
        if participant.state is ParticipantState.DESCRIBED:
            raise Refused(
                Reason.LOCKED, "You have told us your experience already; it is locked and was kept as it is."
            )
        participant.state, participant.described_at = ParticipantState.DESCRIBED, now
        participant.months, participant.education = float(months), education
        participant.answers = dict(answers)
        _record(transaction, participant, EventKind.DESCRIBED, now, months=float(months), education=education)
        return participant


def withdraw(store: Store, participant_id: int, *, now: datetime) -> Withdrawal:
    """Take the participant out of the study and empty their link to Slack. What they did stays, under their code.

    Who still has to be told should be looked up with :func:`identity_of` before.

    Raises:
        Refused: ``WITHDRAWN`` already.
    """
    now = utc(now)
    with store.write() as transaction:
        participant = transaction.need(Participant, participant_id)
        if participant.state is ParticipantState.WITHDRAWN:
            raise Refused(Reason.WITHDRAWN, "You have withdrawn from the study already.")
        withdrawal = Withdrawal(participant)
        session = transaction.exec(
            select(Session).where(Session.participant_id == participant_id, Session.state != SessionState.FINISHED)
        ).first()
        if session is not None:
            stopped = end_session(transaction, session, now=now, actor=participant.code, why="withdrawn")
            withdrawal = Withdrawal(participant, session, stopped.cancelled, stopped.stopping)
        participant.state, participant.withdrawn_at = ParticipantState.WITHDRAWN, now
        participant.waiting_since = participant.called_at = None
        identity = transaction.get(Identity, participant_id)
        if identity is not None:
            transaction.delete(identity)
        _record(transaction, participant, EventKind.WITHDRAWN, now)
    store.scrub()
    return withdrawal


def forget_all(store: Store, *, now: datetime) -> int:
    """Empty the links between codes and Slack users, and nothing else. Returns how many there were."""
    now = utc(now)
    with store.write() as transaction:
        identities = transaction.exec(select(Identity)).all()
        for identity in identities:
            _forget(transaction, identity, now, Actor.RESEARCHER)
    store.scrub()
    return len(identities)


def _forget(transaction: Transaction, identity: Identity, now: datetime, actor: Actor) -> None:
    participant = transaction.need(Participant, identity.participant_id)
    transaction.delete(identity)
    _record(transaction, participant, EventKind.IDENTITY_FORGOTTEN, now, actor=actor)


def _present(transaction: Transaction, participant_id: int) -> Participant:
    participant = transaction.need(Participant, participant_id)
    if participant.state is ParticipantState.WITHDRAWN:
        raise Refused(Reason.WITHDRAWN, "You have withdrawn from the study.")
    if transaction.need(Study, participant.study_id).state.is_finished:
        raise Refused(Reason.STUDY_CLOSED, "The study is closed. Thank you for your interest.")
    return participant


def _record(
    transaction: Transaction,
    participant: Participant,
    kind: EventKind,
    now: datetime,
    *,
    actor: str | None = None,
    **details: events.Detail,
) -> None:
    events.record(
        transaction,
        at=now,
        actor=actor or participant.code,
        kind=kind,
        subject=f"participant:{participant.id}",
        participant=participant.code,
        **details,
    )
