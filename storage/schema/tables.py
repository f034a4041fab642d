"""The tables. Their constraints forbid what no transition may ever write."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from secrets import token_hex
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from storage.schema.assignment_table import Assignment as Assignment
from storage.schema.base import NEVER_AGAIN
from storage.schema.base import Table as Table
from storage.schema.bot_tables import Alert as Alert
from storage.schema.bot_tables import Heartbeat as Heartbeat
from storage.schema.bot_tables import Notice as Notice
from storage.schema.columns import Loss64, UtcDateTime, choice
from storage.schema.comments import Comment, Remark
from storage.schema.registration_tables import Preregistration as Preregistration
from storage.schema.slack_tables import PendingDeletion as PendingDeletion
from storage.schema.slack_tables import Post as Post
from storage.schema.slack_tables import SlackCheck as SlackCheck
from storage.schema.states import (
    Background,
    Chooser,
    EventKind,
    JobKind,
    ParticipantState,
    Searcher,
    SessionEnd,
    SessionState,
    StudyState,
    Suggestion,
    TrialState,
)
from training.hyperparameters import Configuration, Loss, Optimizer


def _at_most_one(name: str, *columns: str, unless: Iterable[StrEnum], where: str | None = None) -> Index:
    """A unique index of the rows whose state is not one of ``unless``, and for which ``where`` holds."""
    finished = ", ".join(f"'{state}'" for state in unless)
    rows = text(f"state NOT IN ({finished})" + (f" AND {where}" if where else ""))
    return Index(name, *columns, unique=True, sqlite_where=rows, postgresql_where=rows)


class Study(Table, table=True):
    """One experiment with its rules.

    Attributes:
        current: True until it is closed, and NULL then. It is unique, so only one study is not closed.
        rules: Canonical JSON.
        rules_hash: The SHA-256 of the rules.
        opened_at: NULL until a researcher opens it.
        background: How much its data tell of people. Less than all only in a study that was imported.
        assignment_secret: What the allocation sequences follow from (:mod:`storage.allocation`). It may be shown when
            the study is closed, and not before. NULL in a study that opened before studies had one.
    """

    __tablename__ = "study"
    __table_args__ = (
        CheckConstraint("(state = 'closed') = (current IS NULL)", name="current"),
        NEVER_AGAIN,
    )

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    state: StudyState = Field(default=StudyState.PREPARED, sa_type=choice(StudyState))
    current: bool | None = Field(default=True, unique=True)
    rules: str = Field(sa_type=Text)
    rules_hash: str
    prepared_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    background: Background = Field(
        default=Background.FULL, sa_type=choice(Background), sa_column_kwargs={"server_default": Background.FULL.value}
    )
    assignment_secret: str | None = None


class Amendment(Table, table=True):
    """A change of the rules of a study after it had opened.

    ``rules`` are the rules from then on, and ``old_rules`` those before; both are canonical JSON.
    """

    __tablename__ = "amendment"
    __table_args__ = (UniqueConstraint("study_id", "name"),)

    id: int = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    name: str
    reason: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    old_rules_hash: str
    old_rules: str = Field(default="", sa_type=Text)
    rules_hash: str
    rules: str = Field(sa_type=Text)


class Baseline(Table, table=True):
    """A searcher that takes part in a study.

    Attributes:
        searcher: The program.
        code: ``R1``, ``R2``, … for random search, ``T1``, ``T2``, … for TPE.
        wanted: How many settings random search draws, or how many artificial participants TPE is to have.
        tries, seconds: The budget of each artificial participant: trials, and seconds of training. Random search has
            no budget.
        seed: The seed of all that it draws.
        started_by: The actor, such as ``researcher-1``.
        stopped_at: When a researcher stopped it; NULL if nobody did.
    """

    __tablename__ = "baseline"
    __table_args__ = (UniqueConstraint("study_id", "code"), CheckConstraint("wanted >= 1", name="wanted"))

    id: int = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    searcher: Searcher = Field(sa_type=choice(Searcher))
    code: str
    task: str
    wanted: int
    tries: int | None = None
    seconds: float | None = None
    seed: int
    started_at: datetime = Field(sa_type=UtcDateTime)
    started_by: str
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Participant(Table, table=True):
    """A person, known by a code; or an artificial participant, which belongs to a baseline.

    Attributes:
        months: Deep-learning experience.
        task: What they train. It is assigned when they describe themselves.
        block_group: The group in which the task was assigned.
        arm: The condition to which they were assigned, together with the task; NULL in a study without arms.
        waiting_since: Since when they are in the queue; NULL if they are not.
        called_at: When they were called from the queue; NULL if they were not.
        baseline_id: NULL for a person.
    """

    __tablename__ = "participant"
    __table_args__ = (
        UniqueConstraint("study_id", "code"),
        CheckConstraint("months >= 0", name="months"),
    )

    id: int = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    code: str
    state: ParticipantState = Field(default=ParticipantState.INVITED, sa_type=choice(ParticipantState))
    invited_at: datetime = Field(sa_type=UtcDateTime)
    consented_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    consent_hash: str | None = None
    described_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    months: float | None = None
    education: str | None = None
    answers: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    called_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    task: str | None = None
    block_group: str | None = None
    baseline_id: int | None = Field(default=None, foreign_key="baseline.id", index=True)
    arm: str | None = None


class Researcher(Table, table=True):
    """A Slack user who acted as a researcher or an admin. Other tables have ``researcher-<id>`` or ``admin-<id>``."""

    __tablename__ = "researcher"

    id: int = Field(default=None, primary_key=True)
    slack_user: str = Field(unique=True)


class Identity(Table, table=True):
    """The only table that links a code to a Slack user. It can be emptied, and the results stay the same.

    Attributes:
        button_key: The secret from which the values of this participant's buttons follow, in hexadecimal. Without it,
            nobody can tell from a button in a conversation which session it belonged to.
    """

    __tablename__ = "identity"

    participant_id: int = Field(primary_key=True, foreign_key="participant.id")
    slack_user: str = Field(unique=True)
    slack_channel: str
    button_key: str = Field(default_factory=token_hex)


class FormerParticipant(Table, table=True):
    """Somebody who had agreed to take part and has left the study that is not closed yet.

    It tells whether a Slack user is one of them, and not which code they had: it has no time, no code and no number,
    and :mod:`storage.transitions.former_participants` writes the rows anew, in the order of their hashes, whenever
    somebody leaves. All rows are deleted when the study is closed.

    Attributes:
        user_hash: The HMAC-SHA256 of the Slack user's ID, in hexadecimal.
        key: The key of this HMAC, drawn for this row, in hexadecimal.
    """

    __tablename__ = "former_participant"
    __table_args__ = ({"sqlite_with_rowid": False},)

    user_hash: str = Field(primary_key=True)
    key: str


class Session(Table, table=True):
    """The timed part of a participant.

    The session of an artificial participant has a deadline too, but it does not expire: its baseline has a budget.

    Attributes:
        seed: The seed that all its trials are trained with. It is the same for everybody.
        warned_until: A warning whose moment is not after this one was given, or is not to be given any more. NULL
            before the first warning.
        arm: The participant's arm; NULL in a study without arms.
    """

    __tablename__ = "session"
    __table_args__ = (
        _at_most_one("one_unfinished_session", "participant_id", unless=[SessionState.FINISHED]),
        CheckConstraint("(state = 'finished') = (finished_at IS NOT NULL)", name="finished_at"),
        CheckConstraint("state <> 'choosing' OR grace_ends_at IS NOT NULL", name="grace"),
        CheckConstraint("(state = 'finished') = (ended_as IS NOT NULL)", name="ended_as"),
        NEVER_AGAIN,
    )

    id: int = Field(default=None, primary_key=True)
    participant_id: int = Field(foreign_key="participant.id", index=True)
    task: str
    seed: int
    state: SessionState = Field(default=SessionState.ACTIVE, sa_type=choice(SessionState), index=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    limit_seconds: float
    deadline: datetime = Field(sa_type=UtcDateTime)
    grace_ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_as: SessionEnd | None = Field(default=None, sa_type=choice(SessionEnd))
    given_back_seconds: float = 0.0
    extended_seconds: float = 0.0
    warned_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    arm: str | None = None

    @property
    def subject(self) -> str:
        """Its name for the event log and the posts: ``session:3``."""
        return f"session:{self.id}"


class ConfigurationColumns(Table):
    """One column for each of the 15 hyperparameters."""

    epochs: int
    batch_size: int
    loss: Loss = Field(sa_type=choice(Loss))
    optimizer: Optimizer = Field(sa_type=choice(Optimizer))
    learning_rate: float
    weight_decay: float
    momentum: float
    rho: float
    lambd: float
    alpha: float
    epsilon: float
    learning_rate_decay: float
    initial_accumulator_value: float
    beta1: float
    beta2: float

    @property
    def configuration(self) -> Configuration:
        """The 15 columns as one value, equal to the one that they were written from."""
        return Configuration(**{name: getattr(self, name) for name in ConfigurationColumns.model_fields})

    @staticmethod
    def values(configuration: Configuration) -> dict[str, Any]:
        """The values of the 15 columns of a new row."""
        return {name: getattr(configuration, name) for name in ConfigurationColumns.model_fields}


class RunColumns(Table):
    """What a trial and an evaluation have in common: they wait, run in a slot, and end.

    Attributes:
        started_at: When a slot claimed it, the last time.
        attempts: How often a slot claimed it. A message of a worker counts only for the attempt that it belongs to.
        lost_runs: How often its worker was lost. It begins at 0 again when a researcher lets it run again.
        reason: Why it failed.
        seconds: How long it trained.
        images_per_second: The speed of training.
        environment: Facts about what it was trained on: device, versions, threads.
    """

    state: TrialState = Field(default=TrialState.WAITING, sa_type=choice(TrialState), index=True)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    slot: int | None = None
    attempts: int = 0
    lost_runs: int = 0
    reason: str | None = Field(default=None, sa_type=Text)
    seconds: float | None = None
    images_per_second: float | None = None
    environment: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Trial(ConfigurationColumns, RunColumns, table=True):
    """A configuration, trained once on the training split.

    Attributes:
        number: Its number in the session, from 1.
        validation_accuracy: In percent.
        drawn: Whether random search drew it, in advance. Many such trials of one session may wait at once.
        suggestion: Whether the form in which it was entered showed suggested values, and whether they were taken
            over; NULL if it showed none.
    """

    __tablename__ = "trial"
    __table_args__ = (
        UniqueConstraint("session_id", "number"),
        _at_most_one(
            "one_unfinished_trial",
            "session_id",
            unless=[state for state in TrialState if state.is_finished],
            where="NOT drawn",
        ),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("state <> 'complete' OR validation_accuracy IS NOT NULL", name="measured"),
        NEVER_AGAIN,
    )

    id: int = Field(default=None, primary_key=True)
    session_id: int = Field(foreign_key="session.id")
    number: int
    submitted_at: datetime = Field(sa_type=UtcDateTime)
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    validation_accuracy: float | None = None
    drawn: bool = False
    suggestion: Suggestion | None = Field(default=None, sa_type=choice(Suggestion))

    @property
    def subject(self) -> str:
        """Its name for the event log and the posts: ``trial:17``."""
        return f"{JobKind.TRIAL}:{self.id}"


class TrialComment(Table, table=True):
    """Why the participant chose one value of one trial."""

    __tablename__ = "trial_comment"

    trial_id: int = Field(primary_key=True, foreign_key="trial.id")
    hyperparameter: str = Field(primary_key=True)
    comment: Comment = Field(sa_type=choice(Comment))
    text: str = Field(default="", sa_type=Text)

    @property
    def remark(self) -> Remark:
        """The comment as it was given."""
        return Remark(self.comment, self.text)


class FinalChoice(ConfigurationColumns, table=True):
    """The configuration that a session ends with. ``trial_id`` is NULL if the participant did not choose a trial."""

    __tablename__ = "final_choice"
    __table_args__ = (NEVER_AGAIN,)

    id: int = Field(default=None, primary_key=True)
    session_id: int = Field(foreign_key="session.id", unique=True)
    trial_id: int | None = Field(default=None, foreign_key="trial.id")
    chosen_by: Chooser = Field(sa_type=choice(Chooser))
    chosen_at: datetime = Field(sa_type=UtcDateTime)


class Evaluation(RunColumns, table=True):
    """A final choice, trained on training and validation images with one of the seeds; ``test_accuracy`` in percent."""

    __tablename__ = "evaluation"
    __table_args__ = (
        UniqueConstraint("final_choice_id", "seed"),
        CheckConstraint("state <> 'complete' OR test_accuracy IS NOT NULL", name="measured"),
        NEVER_AGAIN,
    )

    id: int = Field(default=None, primary_key=True)
    final_choice_id: int = Field(foreign_key="final_choice.id")
    seed: int
    test_accuracy: float | None = None

    @property
    def subject(self) -> str:
        """Its name for the event log: ``evaluation:4``."""
        return f"{JobKind.EVALUATION}:{self.id}"


class Epoch(Table, table=True):
    """One epoch of a trial or of an evaluation.

    Attributes:
        number: From 1.
        batch_losses: As :mod:`storage.schema.losses` packs them.
        training_loss: The mean over the images of the epoch; NULL if the run ended within the epoch.
        validation_accuracy: In percent; NULL for an evaluation, or if the run ended within the epoch.
        seconds: How long it took.
    """

    __tablename__ = "epoch"
    __table_args__ = (
        UniqueConstraint("trial_id", "number"),
        UniqueConstraint("evaluation_id", "number"),
        CheckConstraint("(trial_id IS NULL) <> (evaluation_id IS NULL)", name="one_run"),
    )

    id: int = Field(default=None, primary_key=True)
    trial_id: int | None = Field(default=None, foreign_key="trial.id")
    evaluation_id: int | None = Field(default=None, foreign_key="evaluation.id")
    number: int
    batch_losses: bytes = Field(sa_type=LargeBinary)
    training_loss: float | None = Field(default=None, sa_type=Loss64)
    validation_accuracy: float | None = None
    seconds: float


class Event(Table, table=True):
    """One row of the append-only log: when, who, what. Triggers refuse to change or delete it."""

    __tablename__ = "event"

    id: int = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    kind: EventKind = Field(sa_type=choice(EventKind), index=True)
    subject: str = Field(index=True)
    participant: str | None = Field(default=None, index=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
