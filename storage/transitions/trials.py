"""A trial is submitted, and may be cancelled. Its training is a job: see :mod:`storage.transitions.jobs`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.current import find_newest, need_person
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.comments import Remark
from storage.schema.states import EventKind, SessionState, Suggestion, TrialState
from storage.schema.tables import Event, Participant, Session, Trial, TrialComment
from storage.transitions.jobs import end_run
from storage.transitions.time_credit import code_of
from training.hyperparameters import BY_NAME, Configuration

UNFINISHED = tuple(state for state in TrialState if not state.is_finished)
"""The states of a run that waits or runs."""


def get(store: Store, trial_id: int) -> Trial:
    """The trial as of now.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return transaction.need(Trial, trial_id)


def latest_environment(store: Store) -> dict[str, Any] | None:
    """What the last trial of the newest study ran on, a person's or a searcher's; ``None`` before one has ended."""
    with store.read() as transaction:
        study = find_newest(transaction)
        if study is None:
            return None
        query = (
            select(Trial.environment)
            .join(Session, col(Trial.session_id) == col(Session.id))
            .join(Participant, col(Session.participant_id) == col(Participant.id))
            .where(Participant.study_id == study.id, col(Trial.ended_at).is_not(None))
            .order_by(col(Trial.id).desc())
        )
        for environment in transaction.exec(query.execution_options(yield_per=20)):
            if environment:  # a trial that was cancelled before it ran has none
                return dict(environment)
        return None


def submit(
    store: Store,
    session_id: int,
    *,
    configuration: Configuration,
    comments: Mapping[str, Remark],
    now: datetime,
    form: str = "",
    suggestion: Suggestion | None = None,
) -> Trial:
    """Submit a configuration: it waits until a slot is free, and is trained then.

    Args:
        configuration: The 15 values.
        comments: Why a value was chosen, by the name of the hyperparameter. Every comment is optional.
        form: Tells the form in which it was entered from all others. Somebody who gets no answer sends the form again:
            with the same values it is the same trial, also when that has ended. Empty: it is always another one.
        suggestion: What became of the values that the form suggested; ``None`` if it suggested none.

    Returns:
        The trial.

    Raises:
        Refused: ``SESSION_OVER``, ``TIME_IS_UP`` (from the deadline on), or ``TRIAL_UNFINISHED``: one at a time.
        KeyError: A comment is about something that is not a hyperparameter.
    """
    now = utc(now)
    if unknown := comments.keys() - BY_NAME.keys():
        raise KeyError(f"There is no such hyperparameter: {', '.join(sorted(unknown))}.")
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        need_person(transaction, session.participant_id)
        before = _sent_before(transaction, session, configuration, form) if form else None
        if before is not None:
            return before
        if session.state.is_finished:
            raise Refused(Reason.SESSION_OVER, "Your session is over, so this configuration was not submitted.")
        if session.state is SessionState.CHOOSING or now >= session.deadline:
            raise Refused(
                Reason.TIME_IS_UP,
                "Your time is up, so this configuration was not submitted. You can still make it your final choice.",
            )
        trial = add_next(transaction, session, configuration, now, form)
        trial.suggestion = suggestion
        transaction.add_all(
            TrialComment(trial_id=trial.id, hyperparameter=name, comment=remark.comment, text=remark.text)
            for name, remark in comments.items()
        )
        return trial


def cancel(store: Store, trial_id: int, *, now: datetime, actor: str | None = None) -> Trial:
    """Cancel a trial that waits, or ask for a running one to be stopped.

    Args:
        actor: Who asks for it; ``None`` is the participant.

    Returns:
        The trial. If its state is ``RUNNING``, its worker has to be told to stop it.

    Raises:
        Refused: It has ended (``TRIAL_FINISHED``), or is being stopped (``ALREADY_STOPPING``).
    """
    now = utc(now)
    with store.write() as transaction:
        trial = transaction.need(Trial, trial_id)
        if trial.state.is_finished:
            raise Refused(
                Reason.TRIAL_FINISHED, f"Trial {trial.number} {describe_end(trial)}, so there is nothing to cancel."
            )
        if trial.cancel_requested_at is not None:
            raise Refused(
                Reason.ALREADY_STOPPING, f"Trial {trial.number} is being stopped already. This takes a moment."
            )
        _stop(transaction, trial, now, actor)
        return trial


def add_next(
    transaction: Transaction, session: Session, configuration: Configuration, now: datetime, form: str = ""
) -> Trial:
    """Within a transaction: add a session's next trial, which waits.

    Raises:
        Refused: A trial of the session waits or runs (``TRIAL_UNFINISHED``).
    """
    query = select(Trial).where(Trial.session_id == session.id, col(Trial.state).in_(UNFINISHED))
    unfinished = transaction.exec(query).first()
    if unfinished is not None:
        raise Refused(Reason.TRIAL_UNFINISHED, _one_at_a_time(unfinished))
    count = transaction.exec(select(func.count()).where(col(Trial.session_id) == session.id)).one()
    trial = Trial(session_id=session.id, number=count + 1, submitted_at=now, **Trial.values(configuration))
    transaction.add(trial)
    transaction.flush()
    record_submitted(transaction, trial, now, form)
    return trial


def record_submitted(transaction: Transaction, trial: Trial, now: datetime, form: str = "") -> None:
    """Within a transaction: write into the event log that a trial was submitted, and with which form."""
    details = {"form": form} if form else {}
    _record(transaction, trial, EventKind.TRIAL_SUBMITTED, now, number=trial.number, **details)


def stop_all(transaction: Transaction, session_id: int, *, now: datetime, actor: str) -> tuple[Trial, ...]:
    """Within a transaction: cancel a session's waiting trials, and ask for its running ones to be stopped.

    Returns:
        These trials, in the order of their numbers. A worker has to stop those whose state is ``RUNNING``. One that was
        asked to stop before is among them.
    """
    query = select(Trial).where(Trial.session_id == session_id, col(Trial.state).in_(UNFINISHED))
    unfinished = transaction.exec(query.order_by(col(Trial.number))).all()
    for trial in unfinished:
        if trial.cancel_requested_at is None:
            _stop(transaction, trial, now, actor)
    return tuple(unfinished)


def describe_end(trial: Trial) -> str:
    """How a finished trial ended, as the rest of a sentence that begins with "Trial 3": "was cancelled"."""
    return {
        TrialState.COMPLETE: "is complete",
        TrialState.CANCELLED: "was cancelled",
        TrialState.DIVERGED: "diverged: its loss became infinite or not a number",
        TrialState.FAILED: "failed",
    }[trial.state]


def _stop(transaction: Transaction, trial: Trial, now: datetime, actor: str | None) -> None:
    trial.cancel_requested_at = now
    _record(transaction, trial, EventKind.CANCEL_REQUESTED, now, actor=actor)
    if trial.state is TrialState.WAITING:
        end_run(transaction, trial, TrialState.CANCELLED, now, actor or _code(transaction, trial))


def _sent_before(transaction: Transaction, session: Session, configuration: Configuration, form: str) -> Trial | None:
    """The session's last trial, if the same form with the same values became it."""
    query = select(Trial).where(Trial.session_id == session.id).order_by(col(Trial.number).desc())
    last = transaction.exec(query).first()
    if last is None or last.configuration != configuration:
        return None
    submitted = select(Event).where(Event.subject == last.subject, Event.kind == EventKind.TRIAL_SUBMITTED)
    event = transaction.exec(submitted).first()
    return last if event is not None and event.details.get("form") == form else None


def _one_at_a_time(trial: Trial) -> str:
    if trial.cancel_requested_at is not None:
        return f"Trial {trial.number} is being stopped. Please submit again in a moment."
    state = "is waiting" if trial.state is TrialState.WAITING else "is training"
    return (
        f"Trial {trial.number} {state}, and you can have one trial at a time. "
        "Wait until it ends, or cancel it. Then submit again."
    )


def _code(transaction: Transaction, trial: Trial) -> str:
    return code_of(transaction, transaction.need(Session, trial.session_id))


def _record(
    transaction: Transaction,
    trial: Trial,
    kind: EventKind,
    now: datetime,
    *,
    actor: str | None = None,
    **details: events.Detail,
) -> None:
    code = _code(transaction, trial)
    events.record(
        transaction, at=now, actor=actor or code, kind=kind, subject=trial.subject, participant=code, **details
    )
