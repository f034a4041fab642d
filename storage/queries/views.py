"""Views of sessions and trials: what they were at one moment, to be shown.

A view has codes and no Slack users. There is no test accuracy in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlmodel import col, select

from storage.database import Transaction
from storage.queries.button_values import keys_of, value_of
from storage.schema.comments import Remark
from storage.schema.states import Chooser, JobKind, SessionEnd, SessionState, TrialState
from storage.schema.tables import Epoch, FinalChoice, Participant, Session, Study, Trial, TrialComment
from storage.study_rules import hides_presets, parse_rules
from training.hyperparameters import Configuration


@dataclass(frozen=True, eq=False)
class EpochView:
    """One epoch.

    Attributes:
        number: From 1.
        training_loss: It may be infinite or NaN; ``None`` if the run ended within the epoch.
        validation_accuracy: In percent; ``None`` for an evaluation, or if the run ended within the epoch.
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
        epoch_losses: The training losses of the whole epochs, in their order.
        epoch_accuracies: The validation accuracies after them, in percent.
        button_value: What buttons about it carry; empty if its participant has no link to Slack.
        hides_presets: Whether its participant's arm does not show the presets.
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
    button_value: str = ""
    epoch_accuracies: tuple[float, ...] = ()
    hides_presets: bool = False

    @property
    def summary(self) -> str:
        """The configuration in a line. Where the participant's arm hides the presets, it does not tell them either."""
        return self.configuration.summary(whole=self.hides_presets)

    @property
    def subject(self) -> str:
        """Its name for the event log and the posts: ``trial:17``."""
        return f"{JobKind.TRIAL}:{self.id}"

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop, and has not ended yet."""
        return self.cancel_requested_at is not None and not self.state.is_finished


@dataclass(frozen=True)
class ChoiceView:
    """A final choice. ``trial_number`` is ``None`` if the participant did not choose a trial."""

    id: int
    configuration: Configuration
    trial_number: int | None
    chosen_by: Chooser
    chosen_at: datetime
    hides_presets: bool = False

    @property
    def summary(self) -> str:
        """The configuration in a line, as :attr:`TrialView.summary`."""
        return self.configuration.summary(whole=self.hides_presets)


@dataclass(frozen=True)
class SessionView:
    """One session with all its trials, in the order of their numbers.

    Attributes:
        seed: The seed that its trials are trained with.
        given_back: By how much the deadline moved because time was lost through our fault.
        choice: The final choice; ``None`` if there is none.
        ended_as: How it ended; ``None`` if it has not.
        extended: By how much the deadline moved because a researcher extended the session.
        arm: The participant's arm; ``None`` in a study without arms.
        button_value: What buttons about it carry; empty if its participant has no link to Slack.
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
    ended_as: SessionEnd | None = None
    extended: timedelta = timedelta(0)
    button_value: str = ""
    arm: str | None = None

    @property
    def subject(self) -> str:
        """Its name for the event log and the posts: ``session:3``."""
        return f"session:{self.id}"

    @property
    def best(self) -> TrialView | None:
        """The complete trial with the best validation accuracy; of equal ones, the earlier."""
        complete = [each for each in self.trials if each.validation_accuracy is not None]
        return max(complete, key=lambda each: (each.validation_accuracy, -each.number), default=None)

    @property
    def unfinished(self) -> TrialView | None:
        """The trial that waits or runs; ``None`` if there is none."""
        return next((each for each in self.trials if not each.state.is_finished), None)

    @property
    def running(self) -> TrialView | None:
        """The trial that runs; ``None`` if there is none."""
        return next((each for each in self.trials if each.state is TrialState.RUNNING), None)

    def time_left(self, now: datetime) -> timedelta:
        """The time until the deadline, never negative. It is zero if the session is not active any more."""
        if self.state is not SessionState.ACTIVE:
            return timedelta(0)
        return max(self.deadline - now, timedelta(0))


def view_session(transaction: Transaction, session: Session) -> SessionView:
    """Within a transaction: a session with all its trials."""
    query = select(Trial).where(Trial.session_id == session.id).order_by(col(Trial.number))
    trials = view_trials(transaction, transaction.exec(query).all())
    choice = transaction.exec(select(FinalChoice).where(FinalChoice.session_id == session.id)).first()
    numbers = {each.id: each.number for each in trials}
    key = keys_of(transaction, {session.id}).get(session.id)
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
            hides_presets=session.id in _without_presets(transaction, {session.id}),
        ),
        ended_as=session.ended_as,
        extended=timedelta(seconds=session.extended_seconds),
        button_value=value_of(key, session.subject) if key else "",
        arm=session.arm,
    )


def view_trials(transaction: Transaction, trials: Sequence[Trial]) -> tuple[TrialView, ...]:
    """Within a transaction: the views of these trials, in the same order."""
    keys = [each.id for each in trials]
    comments = remarks_of(transaction, keys)
    of_sessions = {each.session_id for each in trials}
    button_keys, without_presets = keys_of(transaction, of_sessions), _without_presets(transaction, of_sessions)
    losses: dict[int, list[float]] = {key: [] for key in keys}
    accuracies: dict[int, list[float]] = {key: [] for key in keys}
    query = select(Epoch.trial_id, Epoch.training_loss, Epoch.validation_accuracy).where(
        col(Epoch.trial_id).in_(keys), col(Epoch.training_loss).is_not(None)
    )
    for trial_id, loss, accuracy in transaction.exec(query.order_by(col(Epoch.number))):
        if trial_id is not None and loss is not None:
            losses[trial_id].append(loss)
        if trial_id is not None and accuracy is not None:
            accuracies[trial_id].append(accuracy)
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
            epoch_accuracies=tuple(accuracies[each.id]),
            button_value=value_of(button_keys[each.session_id], each.subject) if each.session_id in button_keys else "",
            hides_presets=each.session_id in without_presets,
        )
        for each in trials
    )


def remarks_of(transaction: Transaction, trial_ids: Sequence[int]) -> dict[int, dict[str, Remark]]:
    """Within a transaction: the comments on the values of these trials, by trial and hyperparameter."""
    comments: dict[int, dict[str, Remark]] = {key: {} for key in trial_ids}
    query = select(TrialComment).where(col(TrialComment.trial_id).in_(trial_ids))
    for row in transaction.exec(query):
        comments[row.trial_id][row.hyperparameter] = row.remark
    return comments


def _without_presets(transaction: Transaction, sessions: Collection[int]) -> frozenset[int]:
    """Of these sessions, those whose participants' arms hide the presets."""
    query = select(Session.id, Session.arm, Study.rules).join(
        Participant, col(Participant.id) == Session.participant_id
    )
    query = query.join(Study).where(col(Session.id).in_(sessions), col(Session.arm).is_not(None))
    return frozenset(key for key, arm, rules in transaction.exec(query) if hides_presets(parse_rules(rules), arm))
