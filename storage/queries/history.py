"""What happened, to be shown: views of sessions and trials, and the study at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import func
from sqlmodel import col, select

from storage.database import Store, Transaction
from storage.queries import current
from storage.queries.baseline_status import BaselineStatus, statuses_in
from storage.queries.views import (
    ChoiceView,
    EpochView,
    SessionView,
    TrialView,
    remarks_of,
    view_session,
    view_trials,
)
from storage.schema.columns import utc
from storage.schema.comments import Remark
from storage.schema.losses import unpack
from storage.schema.states import JobKind, ParticipantState, SessionState, StudyState, TrialState
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Participant, Session, Trial
from training.hyperparameters import Configuration

__all__ = [
    "BaselineStatus",
    "ChoiceView",
    "EpochView",
    "SessionLine",
    "SessionView",
    "Status",
    "Submission",
    "TrialView",
    "epochs_of",
    "last_submission",
    "session_of_participant",
    "session_view",
    "sessions",
    "status",
    "trial_view",
]

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True)
class Submission:
    """What a participant submitted last; their next form begins with it."""

    configuration: Configuration
    comments: Mapping[str, Remark]


@dataclass(frozen=True)
class SessionLine:
    """One session in a researcher's overview."""

    id: int
    participant: str
    state: SessionState
    deadline: datetime
    tries: int
    best_validation_accuracy: float | None
    grace_ends_at: datetime | None = None


@dataclass(frozen=True)
class Status:
    """The study at a glance.

    Attributes:
        participants, sessions, trials: How many there are in each state. Every state is named; searchers do not count.
        evaluations: The same for evaluations; those of searchers count too.
        in_queue: The codes of the participants in the queue, in their order.
        running: The sessions of people that are not finished.
        baselines: The baselines, in the order in which they were started.
        trials_last_hour: How many trials people submitted in the last hour.
    """

    study: str
    state: StudyState
    participants: Mapping[ParticipantState, int]
    sessions: Mapping[SessionState, int]
    trials: Mapping[TrialState, int]
    evaluations: Mapping[TrialState, int]
    in_queue: tuple[str, ...]
    running: tuple[SessionLine, ...]
    baselines: tuple[BaselineStatus, ...] = ()
    trials_last_hour: int = 0


def trial_view(store: Store, trial_id: int) -> TrialView:
    """One trial.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return view_trials(transaction, [transaction.need(Trial, trial_id)])[0]


def session_view(store: Store, session_id: int) -> SessionView:
    """One session.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return view_session(transaction, transaction.need(Session, session_id))


def session_of_participant(store: Store, participant_id: int) -> SessionView | None:
    """The participant's session, finished or not; ``None`` before it begins."""
    with store.read() as transaction:
        query = select(Session).where(Session.participant_id == participant_id).order_by(col(Session.id).desc())
        session = transaction.exec(query).first()
        return None if session is None else view_session(transaction, session)


def sessions(store: Store, study_id: int, *, searchers: bool = False) -> list[SessionView]:
    """The sessions of a study's people, or of its searchers, in the order in which they began."""
    whose = col(Participant.baseline_id)
    with store.read() as transaction:
        query = select(Session).join(Participant).where(Participant.study_id == study_id)
        query = query.where(whose.is_not(None) if searchers else whose.is_(None)).order_by(col(Session.id))
        return [view_session(transaction, each) for each in transaction.exec(query).all()]


def unfinished_sessions(store: Store, study_id: int) -> list[int]:
    """The ids of the sessions of a study's people that are not finished, in the order in which they began."""
    with store.read() as transaction:
        query = select(Session.id).join(Participant).where(Participant.study_id == study_id)
        query = query.where(col(Participant.baseline_id).is_(None), Session.state != SessionState.FINISHED)
        return list(transaction.exec(query.order_by(col(Session.id))).all())


def epochs_of(store: Store, kind: JobKind, run_id: int) -> tuple[EpochView, ...]:
    """The epochs of a trial or an evaluation, in order, with all their batch losses."""
    owner = Epoch.trial_id if kind is JobKind.TRIAL else Epoch.evaluation_id
    with store.read() as transaction:
        rows = transaction.exec(select(Epoch).where(col(owner) == run_id).order_by(col(Epoch.number))).all()
    return tuple(
        EpochView(row.number, row.training_loss, row.validation_accuracy, row.seconds, unpack(row.batch_losses))
        for row in rows
    )


def last_submission(store: Store, participant_id: int) -> Submission | None:
    """What the participant submitted last; ``None`` before their first trial."""
    with store.read() as transaction:
        query = select(Trial).join(Session).where(Session.participant_id == participant_id)
        trial = transaction.exec(query.order_by(col(Trial.id).desc())).first()
        if trial is None:
            return None
        return Submission(trial.configuration, remarks_of(transaction, [trial.id])[trial.id])


def status(store: Store, *, now: datetime) -> Status:
    """The current study at a glance. If all are closed, the newest.

    Raises:
        Refused: There is no study (``NO_STUDY``).
    """
    now = utc(now)
    with store.read() as transaction:
        study = current.need_newest(transaction)
        of_study = col(Participant.study_id) == study.id
        a_person = of_study & col(Participant.baseline_id).is_(None)
        in_queue = select(Participant.code).where(a_person, col(Participant.waiting_since).is_not(None))
        submitted = select(func.count(col(Trial.id))).join(Session).join(Participant).where(a_person)
        evaluations = select(Evaluation.state, func.count()).join(FinalChoice)
        evaluations = evaluations.join(Session, col(FinalChoice.session_id) == Session.id).join(Participant)
        return Status(
            study=study.name,
            state=study.state,
            participants=_count(transaction, ParticipantState, select(Participant.state, func.count()).where(a_person)),
            sessions=_count(
                transaction, SessionState, select(Session.state, func.count()).join(Participant).where(a_person)
            ),
            trials=_count(
                transaction,
                TrialState,
                select(Trial.state, func.count()).join(Session).join(Participant).where(a_person),
            ),
            evaluations=_count(transaction, TrialState, evaluations.where(of_study)),
            in_queue=tuple(
                transaction.exec(in_queue.order_by(col(Participant.waiting_since), col(Participant.id))).all()
            ),
            running=_running(transaction, a_person),
            baselines=statuses_in(transaction, study.id),
            trials_last_hour=transaction.exec(
                submitted.where(col(Trial.submitted_at) > now - timedelta(hours=1))
            ).one(),
        )


def _count(transaction: Transaction, states: type[State], query: Any) -> dict[State, int]:
    counted = dict(transaction.execute(query.group_by(query.selected_columns[0])).all())
    return {state: counted.get(state, 0) for state in states}


def _running(transaction: Transaction, whose: Any) -> tuple[SessionLine, ...]:
    query = (
        select(Session, Participant.code, func.count(col(Trial.id)), func.max(col(Trial.validation_accuracy)))
        .join(Participant)
        .join(Trial, isouter=True)
        .where(whose, Session.state != SessionState.FINISHED)
        .group_by(col(Session.id), Participant.code)
        .order_by(col(Session.id))
    )
    return tuple(
        SessionLine(
            id=session.id,
            participant=code,
            state=session.state,
            deadline=session.deadline,
            tries=tries,
            best_validation_accuracy=best,
            grace_ends_at=session.grace_ends_at,
        )
        for session, code, tries, best in transaction.execute(query)
    )
