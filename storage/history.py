"""What happened, for whoever shows it: read-only views of sessions, trials, and the study as a whole.

A view holds codes, never Slack users. Views of trials hold no test accuracy.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlmodel import col, select

from storage import studies
from storage.comments import Remark
from storage.database import Store, Transaction
from storage.losses import unpack
from storage.states import Chooser, JobKind, ParticipantState, SessionState, StudyState, TrialState
from storage.tables import Epoch, Evaluation, FinalChoice, Participant, Session, Trial, TrialComment
from training.hyperparameters import Configuration

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True, eq=False)
class EpochView:
    """One epoch.

    Attributes:
        number: From 1.
        training_loss: ``None`` when the run ended within the epoch; may be infinite or NaN.
        validation_accuracy: In percent; ``None`` for an evaluation's epoch, or one that did not end.
        seconds: How long it took.
        batch_losses: float32, shape (batches,).
    """

    number: int
    training_loss: float | None
    validation_accuracy: float | None
    seconds: float
    batch_losses: NDArray[np.float32]


@dataclass(frozen=True)
class TrialView:
    """One trial, as its participant may see it.

    Attributes:
        epoch_losses: The training loss of every epoch that ended, in their order.
    """

    id: int
    session_id: int
    number: int
    configuration: Configuration
    comments: Mapping[str, Remark]
    state: TrialState
    validation_accuracy: float | None
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    reason: str | None
    attempts: int
    seconds: float | None
    images_per_second: float | None
    epoch_losses: tuple[float, ...]

    @property
    def subject(self) -> str:
        """What the event log and the posts call it: ``trial:17``."""
        return f"{JobKind.TRIAL}:{self.id}"

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop and has not ended yet."""
        return self.cancel_requested_at is not None and not self.state.is_finished


@dataclass(frozen=True)
class ChoiceView:
    """A session's final choice; ``trial_number`` where a trial made it."""

    id: int
    configuration: Configuration
    trial_number: int | None
    chosen_by: Chooser
    chosen_at: datetime


@dataclass(frozen=True)
class SessionView:
    """One session with all its trials, in the order of their numbers.

    Attributes:
        seed: What its trials are trained with.
        given_back: How much later the deadline is than it was at the start.
        choice: What it ended with.
    """

    id: int
    participant_id: int
    participant: str
    task: str
    seed: int
    state: SessionState
    started_at: datetime
    deadline: datetime
    grace_ends_at: datetime | None
    finished_at: datetime | None
    given_back: timedelta
    trials: tuple[TrialView, ...]
    choice: ChoiceView | None

    @property
    def subject(self) -> str:
        """What the event log and the posts call it: ``session:3``."""
        return f"session:{self.id}"

    @property
    def best(self) -> TrialView | None:
        """The complete trial with the best validation accuracy, of equal ones the earlier."""
        complete = [each for each in self.trials if each.validation_accuracy is not None]
        return max(complete, key=lambda each: (each.validation_accuracy, -each.number), default=None)

    @property
    def unfinished(self) -> TrialView | None:
        """The trial that waits or runs."""
        return next((each for each in self.trials if not each.state.is_finished), None)

    @property
    def running(self) -> TrialView | None:
        """The trial that runs."""
        return next((each for each in self.trials if each.state is TrialState.RUNNING), None)

    def time_left(self, now: datetime) -> timedelta:
        """Until the deadline, never negative; nothing once the session is not active any more."""
        if self.state is not SessionState.ACTIVE:
            return timedelta(0)
        return max(self.deadline - now, timedelta(0))


@dataclass(frozen=True)
class Submission:
    """What was entered last: what the form begins with."""

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


@dataclass(frozen=True)
class Status:
    """The study at a glance.

    Attributes:
        participants, sessions, trials, evaluations: How many there are in each state, every state named.
        waiting_in_line: Codes, in their order.
        running: The sessions that are not finished.
    """

    study: str
    state: StudyState
    participants: Mapping[ParticipantState, int]
    sessions: Mapping[SessionState, int]
    trials: Mapping[TrialState, int]
    evaluations: Mapping[TrialState, int]
    waiting_in_line: tuple[str, ...]
    running: tuple[SessionLine, ...]


def trial_view(store: Store, trial_id: int) -> TrialView:
    """One trial.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return _trials(transaction, [transaction.need(Trial, trial_id)])[0]


def session_view(store: Store, session_id: int) -> SessionView:
    """One session.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return _session(transaction, transaction.need(Session, session_id))


def session_of_participant(store: Store, participant_id: int) -> SessionView | None:
    """The participant's session, running or finished; ``None`` before it begins."""
    with store.read() as transaction:
        query = select(Session).where(Session.participant_id == participant_id).order_by(col(Session.id).desc())
        session = transaction.exec(query).first()
        return None if session is None else _session(transaction, session)


def sessions(store: Store, study_id: int) -> list[SessionView]:
    """All of a study's sessions, in the order in which they began."""
    with store.read() as transaction:
        members = select(Participant.id).where(Participant.study_id == study_id)
        query = select(Session).where(col(Session.participant_id).in_(members)).order_by(col(Session.id))
        return [_session(transaction, each) for each in transaction.exec(query).all()]


def epochs_of(store: Store, kind: JobKind, run_id: int) -> tuple[EpochView, ...]:
    """The epochs of a trial or an evaluation with all their batch losses, in order."""
    owner = Epoch.trial_id if kind is JobKind.TRIAL else Epoch.evaluation_id
    with store.read() as transaction:
        rows = transaction.exec(select(Epoch).where(col(owner) == run_id).order_by(col(Epoch.number))).all()
    return tuple(
        EpochView(row.number, row.training_loss, row.validation_accuracy, row.seconds, unpack(row.batch_losses))
        for row in rows
    )


def last_submission(store: Store, participant_id: int) -> Submission | None:
    """The values and comments the participant submitted last; ``None`` before the first time."""
    with store.read() as transaction:
        query = select(Trial).join(Session).where(Session.participant_id == participant_id)
        trial = transaction.exec(query.order_by(col(Trial.id).desc())).first()
        if trial is None:
            return None
        return Submission(trial.configuration, _comments(transaction, [trial.id])[trial.id])


def status(store: Store) -> Status:
    """The study at a glance.

    Raises:
        Refused: No study is open (``NO_STUDY``).
    """
    with store.read() as transaction:
        study = studies.need(transaction)
        people = transaction.exec(select(Participant).where(Participant.study_id == study.id)).all()
        of_study = col(Session.participant_id).in_([each.id for each in people])
        all_sessions = transaction.exec(select(Session).where(of_study).order_by(col(Session.id))).all()
        all_trials = transaction.exec(select(Trial).join(Session).where(of_study)).all()
        evaluations = transaction.exec(
            select(Evaluation)
            .join(FinalChoice)
            .join(Session, col(FinalChoice.session_id) == Session.id)
            .where(of_study)
        ).all()
        codes = {each.id: each.code for each in people}
        line = [(each.waiting_since, each.id, each.code) for each in people if each.waiting_since is not None]
        tries = Counter(each.session_id for each in all_trials)
        return Status(
            study=study.name,
            state=study.state,
            participants=_count(ParticipantState, [each.state for each in people]),
            sessions=_count(SessionState, [each.state for each in all_sessions]),
            trials=_count(TrialState, [each.state for each in all_trials]),
            evaluations=_count(TrialState, [each.state for each in evaluations]),
            waiting_in_line=tuple(code for _, _, code in sorted(line)),
            running=tuple(
                SessionLine(
                    id=each.id,
                    participant=codes[each.participant_id],
                    state=each.state,
                    deadline=each.deadline,
                    tries=tries[each.id],
                    best_validation_accuracy=max(
                        (
                            trial.validation_accuracy
                            for trial in all_trials
                            if trial.session_id == each.id and trial.validation_accuracy is not None
                        ),
                        default=None,
                    ),
                )
                for each in all_sessions
                if not each.state.is_finished
            ),
        )


def _count(states: type[State], found: Iterable[State]) -> dict[State, int]:
    counted = Counter(found)
    return {state: counted[state] for state in states}


def _session(transaction: Transaction, session: Session) -> SessionView:
    query = select(Trial).where(Trial.session_id == session.id).order_by(col(Trial.number))
    trials = _trials(transaction, transaction.exec(query).all())
    choice = transaction.exec(select(FinalChoice).where(FinalChoice.session_id == session.id)).first()
    numbers = {each.id: each.number for each in trials}
    return SessionView(
        id=session.id,
        participant_id=session.participant_id,
        participant=transaction.need(Participant, session.participant_id).code,
        task=session.task,
        seed=session.seed,
        state=session.state,
        started_at=session.started_at,
        deadline=session.deadline,
        grace_ends_at=session.grace_ends_at,
        finished_at=session.finished_at,
        given_back=timedelta(seconds=session.given_back_seconds),
        trials=trials,
        choice=None
        if choice is None
        else ChoiceView(
            id=choice.id,
            configuration=choice.configuration,
            trial_number=None if choice.trial_id is None else numbers[choice.trial_id],
            chosen_by=choice.chosen_by,
            chosen_at=choice.chosen_at,
        ),
    )


def _trials(transaction: Transaction, trials: Sequence[Trial]) -> tuple[TrialView, ...]:
    keys = [each.id for each in trials]
    comments = _comments(transaction, keys)
    losses: dict[int, list[float]] = {key: [] for key in keys}
    query = select(Epoch.trial_id, Epoch.training_loss).where(
        col(Epoch.trial_id).in_(keys), col(Epoch.training_loss).is_not(None)
    )
    for trial_id, loss in transaction.exec(query.order_by(col(Epoch.number))):
        if trial_id is not None and loss is not None:
            losses[trial_id].append(loss)
    return tuple(
        TrialView(
            id=each.id,
            session_id=each.session_id,
            number=each.number,
            configuration=each.configuration,
            comments=comments[each.id],
            state=each.state,
            validation_accuracy=each.validation_accuracy,
            submitted_at=each.submitted_at,
            started_at=each.started_at,
            ended_at=each.ended_at,
            cancel_requested_at=each.cancel_requested_at,
            reason=each.reason,
            attempts=each.attempts,
            seconds=each.seconds,
            images_per_second=each.images_per_second,
            epoch_losses=tuple(losses[each.id]),
        )
        for each in trials
    )


def _comments(transaction: Transaction, trial_ids: Sequence[int]) -> dict[int, dict[str, Remark]]:
    comments: dict[int, dict[str, Remark]] = {key: {} for key in trial_ids}
    query = select(TrialComment).where(col(TrialComment.trial_id).in_(trial_ids))
    for row in transaction.exec(query):
        comments[row.trial_id][row.hyperparameter] = row.remark
    return comments
