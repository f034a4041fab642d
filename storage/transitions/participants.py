"""A participant is invited, consents, describes themselves, may withdraw; and the link to their Slack user."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries import current
from storage.queries.people import find_by_code as find_by_code
from storage.refusals import Reason, Refused
from storage.schema import codes
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, NoticeKind, ParticipantState, SessionEnd, TrialState
from storage.schema.tables import Evaluation, FinalChoice, Identity, Participant, Post, Session, Study, Trial
from storage.transitions import former_participants, notices
from storage.transitions.assignment import assign
from storage.transitions.deletion import delete_data_of, delete_in_slack, forget_posts, forget_reports
from storage.transitions.jobs import end_run
from storage.transitions.sessions import end_session
from storage.transitions.trials import UNFINISHED


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did.

    Attributes:
        participant: The participant, who has withdrawn.
        session: The session that it ended; ``None`` when no session was running.
        stopped: The trial that waited or ran. A worker has to stop it if its state is ``RUNNING``.
        evaluations: The evaluations that a worker has to stop. They are cancelled, as are those that waited.
        posts: Where the messages about their session and trials were. No row of these is stored any more.
        deleted: Whether their data were deleted. No row of these is stored any more then.
    """

    participant: Participant
    session: Session | None = None
    stopped: Trial | None = None
    evaluations: tuple[Evaluation, ...] = ()
    posts: tuple[Post, ...] = ()
    deleted: bool = False


def invite(
    store: Store, *, slack_user: str, slack_channel: str, now: datetime, let_in_by: str | None = None
) -> Participant:
    """The participant that this Slack user is. Somebody whom the study does not know becomes a new participant.

    Args:
        slack_channel: The channel of direct messages with them. It takes the place of the one that was kept.
        let_in_by: The researcher who lets them in although they have left this study; ``None`` refuses them then. For
            anybody else it changes nothing.

    Raises:
        Refused: Somebody new, and there is no study (``NO_STUDY``), it has not opened yet (``STUDY_NOT_OPEN``), or is
            paused (``STUDY_PAUSED``). Or somebody who had agreed to take part and has left (``LEFT_BEFORE``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = current.find(transaction)
        identity = transaction.exec(select(Identity).where(Identity.slack_user == slack_user)).first()
        if identity is not None:
            known = transaction.need(Participant, identity.participant_id)
            if study is None or known.study_id == study.id:
                identity.slack_channel = slack_channel
                return known
        has_left = former_participants.is_one(transaction, slack_user)
        if has_left and let_in_by is None:
            raise Refused(Reason.LEFT_BEFORE, "You have taken part in this study before.")
        study = current.need_open(transaction, current.need(transaction).id)
        if identity is not None:  # They took part in an earlier study: one link per person, the newest.
            _forget(transaction, identity, now, Actor.BOT)
            transaction.flush()
        people = select(Participant.code).where(col(Participant.study_id) == study.id)
        taken = transaction.exec(people.where(col(Participant.baseline_id).is_(None))).all()
        newcomer = Participant(study_id=study.id, code=codes.draw(taken), invited_at=now)
        transaction.add(newcomer)
        transaction.flush()
        transaction.add(Identity(participant_id=newcomer.id, slack_user=slack_user, slack_channel=slack_channel))
        _record(transaction, newcomer, EventKind.INVITED, now, actor=Actor.BOT)
        if has_left:
            former_participants.forget(transaction, slack_user)
            _record(transaction, newcomer, EventKind.LET_IN_AGAIN, now, actor=let_in_by)
        notices.add(transaction, NoticeKind.GREETING, newcomer.id, now=now)
    if has_left:
        store.scrub()
    return newcomer


def may_join(store: Store) -> None:
    """Check that somebody new can take part now.

    Raises:
        Refused: There is no study (``NO_STUDY``), it has not opened yet (``STUDY_NOT_OPEN``), or is paused
            (``STUDY_PAUSED``).
    """
    with store.read() as transaction:
        current.need_open(transaction, current.need(transaction).id)


def get(store: Store, participant_id: int) -> Participant:
    """The participant as of now.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return transaction.need(Participant, participant_id)


def by_slack_user(store: Store, slack_user: str) -> Participant | None:
    """The participant that this Slack user is; ``None`` if they were not invited, have withdrawn, or were forgotten."""
    with store.read() as transaction:
        query = select(Participant).join(Identity).where(Identity.slack_user == slack_user)
        return transaction.exec(query).first()


def identity_of(store: Store, participant_id: int) -> Identity | None:
    """Where to reach the participant in Slack; ``None`` after the link was deleted."""
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
        notices.add(transaction, NoticeKind.BACKGROUND, participant_id, now=now)
        return participant


def describe(
    store: Store,
    participant_id: int,
    *,
    months: float,
    education: str,
    answers: Mapping[str, Any],
    tasks: Sequence[str],
    group: str,
    now: datetime,
    arms: Sequence[str] = (),
    block_seed: int | None = None,
) -> Participant:
    """Record the participant's experience, which cannot be changed afterwards, and assign them a task and an arm.

    Tasks are assigned in permuted blocks within a group, arms in such blocks within a group and a task:
    see :mod:`storage.allocation`.

    Args:
        months: Deep-learning experience in months, 0 or more.
        education: The highest education, as the rules of the study call it.
        answers: Answers to the study's own questions, by question; plain JSON values.
        tasks: The names of the study's tasks, always in the same order.
        group: The group in which the rules put somebody with this experience.
        arms: The names of the study's arms, always in the same order; none for a study without arms.
        block_seed: The seed of the order in a study that opened before studies had a secret.

    Raises:
        Refused: ``NOT_CONSENTED`` yet, ``LOCKED`` because they were recorded before, ``WITHDRAWN`` or ``STUDY_CLOSED``.
        ValueError: Months are negative or not a number; there are no tasks, or a task twice.
    """
    now = utc(now)
    if not math.isfinite(months) or months < 0:
        raise ValueError(f"Months of experience must be 0 or more, and {months} is not.")
    if not tasks or len(set(tasks)) != len(tasks):
        raise ValueError(f"A study needs at least one task, and no task twice: {list(tasks)}.")
    with store.write() as transaction:
        participant = _present(transaction, participant_id)
        if participant.state is ParticipantState.INVITED:
            raise Refused(Reason.NOT_CONSENTED, "Please read and accept the consent text first.")
        if participant.state is ParticipantState.DESCRIBED:
            raise Refused(
                Reason.LOCKED, "You have told us your experience already. It is locked, and nothing was changed."
            )
        participant.state, participant.described_at = ParticipantState.DESCRIBED, now
        participant.months, participant.education = float(months), education
        participant.answers = dict(answers)
        # What people tell of themselves is kept in one place only, where it can be deleted. That is not the event log.
        _record(transaction, participant, EventKind.DESCRIBED, now)
        assign(transaction, participant, group=group, tasks=tasks, arms=arms, block_seed=block_seed)
        if len(tasks) > 1:
            _record(transaction, participant, EventKind.TASK_ASSIGNED, now, actor=Actor.BOT, task=participant.task)
        if participant.arm is not None:
            _record(transaction, participant, EventKind.ARM_ASSIGNED, now, actor=Actor.BOT, arm=participant.arm)
        notices.add(transaction, NoticeKind.BRIEFING, participant_id, now=now)
        return participant


def has_left(store: Store, slack_user: str) -> bool:
    """Whether this Slack user had agreed to take part in the present study, has left it, and was not let in again."""
    with store.read() as transaction:
        return former_participants.is_one(transaction, slack_user)


def withdraw(
    store: Store,
    participant_id: int,
    *,
    delete_data: bool,
    now: datetime,
    actor: str | None = None,
    report_channel: str = "",
) -> Withdrawal:
    """Take the participant out of the study, delete their link to Slack, and cancel their evaluations.

    Somebody who had agreed to take part is known again until the study is closed, by a keyed hash of their Slack user.

    A caller who wants to write to them has to call :func:`identity_of` before.

    Args:
        delete_data: Whether what they told and did is deleted too. Otherwise it stays, under their code. The event log
            always stays: it has codes only. What Slack has of it is a pending deletion then
            (:mod:`storage.transitions.deletion`).
        actor: Who asks for it; ``None`` is the participant.
        report_channel: Slack's ID of the channel that has the posts about results; empty if there is none.

    Raises:
        Refused: They have withdrawn before (``WITHDRAWN``), or are a searcher (``NOT_A_PERSON``).
    """
    now = utc(now)
    with store.write() as transaction:
        participant = current.need_person(transaction, participant_id)
        if participant.state is ParticipantState.WITHDRAWN:
            who = "You have" if actor is None else f"{participant.code} has"
            raise Refused(Reason.WITHDRAWN, f"{who} withdrawn from the study already.")
        by = actor or participant.code
        session = transaction.exec(select(Session).where(Session.participant_id == participant_id)).first()
        stopped = None
        ended = session is not None and not session.state.is_finished
        if session is not None and ended:
            stopped = end_session(transaction, session, SessionEnd.WITHDRAWN, now=now, actor=by, why="withdrawn")
        evaluations = _cancel_evaluations(transaction, session, now, by)
        participant.state, participant.withdrawn_at = ParticipantState.WITHDRAWN, now
        participant.waiting_since = participant.called_at = None
        notices.drop_all(transaction, participant_id)
        identity = transaction.get(Identity, participant_id)
        if identity is not None:
            if participant.consented_at is not None:
                former_participants.remember(transaction, identity.slack_user)
            transaction.delete(identity)
        _record(transaction, participant, EventKind.WITHDRAWN, now, actor=actor)
        posts = forget_posts(transaction, participant)
        if delete_data:
            if identity is not None:
                delete_in_slack(transaction, identity.slack_channel, posts)
            reports = forget_reports(transaction, participant)
            if report_channel:
                delete_in_slack(transaction, report_channel, reports)
            delete_data_of(transaction, participant)
            _record(transaction, participant, EventKind.DATA_DELETED, now, actor=actor)
    store.scrub()
    return Withdrawal(participant, session if ended else None, stopped, evaluations, posts, deleted=delete_data)


def forget_links(transaction: Transaction, *, now: datetime, actor: str) -> int:
    """Within a transaction: delete all links between codes and Slack users, and what goes with a link.

    These are the notices that wait, and where the messages in people's conversations are. Nobody who has left is known
    again from then on.

    The caller has to call :meth:`storage.database.Store.scrub` afterwards. Returns how many links there were.
    """
    identities = transaction.exec(select(Identity)).all()
    for identity in identities:
        _forget(transaction, identity, now, actor)
    former_participants.forget_all(transaction)
    return len(identities)


def _cancel_evaluations(
    transaction: Transaction, session: Session | None, now: datetime, actor: str
) -> tuple[Evaluation, ...]:
    """Cancel the evaluations that wait or run. Returns those that ran."""
    if session is None:
        return ()
    query = select(Evaluation).join(FinalChoice).where(FinalChoice.session_id == session.id)
    unfinished = transaction.exec(query.where(col(Evaluation.state).in_(UNFINISHED)).order_by(col(Evaluation.id))).all()
    running = tuple(evaluation for evaluation in unfinished if evaluation.state is TrialState.RUNNING)
    for evaluation in unfinished:
        end_run(transaction, evaluation, TrialState.CANCELLED, now, actor)
    return running


def _forget(transaction: Transaction, identity: Identity, now: datetime, actor: str) -> None:
    participant = transaction.need(Participant, identity.participant_id)
    notices.drop_all(transaction, participant.id)
    forget_posts(transaction, participant)
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
