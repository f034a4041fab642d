"""A job's life, for trials and evaluations alike: claim → started → record_epoch … → finish, or lost → claim again.

A :class:`Job` is a claim on one run. When the run was lost and claimed again, messages for the old claim are ignored:
``attempts`` tells them apart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.losses import Losses, pack
from storage.schema.states import Actor, EventKind, JobKind, SessionState, TrialState
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Participant, Session, Trial
from storage.transitions.time_credit import code_of, extend
from training.hyperparameters import Configuration

MOST_LOST_RUNS = 3
"""A job whose worker was lost so often is not tried again by itself."""

LOST_TOO_OFTEN = (
    "The machine that trains failed three times with this trial. That was not your fault. "
    "The time it took was given back to you, and you can submit the same configuration again."
)
"""What the participant reads then."""

NOBODYS_LOST_TOO_OFTEN = "The machine that trains was lost three times with this one."
"""What the researcher reads when nobody waited for it: an evaluation, or a searcher's trial."""

Run = Trial | Evaluation


@dataclass(frozen=True)
class Job:
    """One run that a slot has claimed.

    Attributes:
        kind, id: Which trial or evaluation.
        task: The task's name.
        configuration, seed: What to train, and with which seed.
        attempts: The how manieth run of it this is, from 1.
        slot: Where it runs.
        session_id: Whose session it belongs to.
        number: The trial's number in its session; ``None`` for an evaluation.
        participant: The participant's code.
        of_searcher: Whether the participant is an artificial one: the job gives way to people's.
    """

    kind: JobKind
    id: int
    task: str
    configuration: Configuration
    seed: int
    attempts: int
    slot: int
    session_id: int
    number: int | None
    participant: str
    of_searcher: bool = False

    @property
    def key(self) -> str:
        """What the workers, the posts and the event log call it: ``trial:17``, ``evaluation:4``."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class PartialEpoch:
    """The batch losses of an epoch that did not end: the run was stopped or diverged within it."""

    number: int
    batch_losses: Losses
    seconds: float = 0.0


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        state: ``COMPLETE``, ``CANCELLED``, ``DIVERGED`` or ``FAILED``.
        accuracy: In percent, validation for a trial and test for an evaluation; ``None`` unless complete.
        reason: One sentence for the participant, when it failed.
        seconds: Time trained.
        images_per_second: Speed of training.
        environment: What it was trained on, plain values by name.
        partial: The epoch it ended in, if it did not end with one.
        our_fault: The time since its start is given back to the session.
    """

    state: TrialState
    accuracy: float | None = None
    reason: str | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    environment: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    partial: PartialEpoch | None = None
    our_fault: bool = False

    def __post_init__(self) -> None:
        if not self.state.is_finished:
            raise ValueError(f"A run cannot end as {self.state}.")
        if (self.state is TrialState.COMPLETE) != (self.accuracy is not None):
            raise ValueError("A run has an accuracy when, and only when, it is complete.")


def claim(store: Store, *, now: datetime, slot: int, kinds: Collection[JobKind] = tuple(JobKind)) -> Job | None:
    """Give a slot the next job. Waiting → running.

    People's trials come first, in the order of submission; then people's evaluations, searchers' trials, searchers'
    evaluations.

    Args:
        slot: The slot's number.
        kinds: What the slot may be given. One that may not be given everything is lent, and searchers get none of it.
    """
    now = utc(now)
    with store.write() as transaction:
        run = _next(transaction, kinds)
        if run is None:
            return None
        run.state, run.started_at, run.slot = TrialState.RUNNING, now, slot
        run.attempts += 1
        session = session_of(transaction, run)
        participant = transaction.need(Participant, session.participant_id)
        job = Job(
            kind=JobKind.TRIAL if isinstance(run, Trial) else JobKind.EVALUATION,
            id=run.id,
            task=session.task,
            configuration=_configuration(transaction, run),
            seed=session.seed if isinstance(run, Trial) else run.seed,
            attempts=run.attempts,
            slot=slot,
            session_id=session.id,
            number=run.number if isinstance(run, Trial) else None,
            participant=participant.code,
            of_searcher=participant.baseline_id is not None,
        )
        record_run(transaction, run, EventKind.CLAIMED, now, Actor.BOT, slot=slot, attempt=run.attempts)
        return job


def started(store: Store, job: Job, *, now: datetime) -> bool:
    """Note that the slot's worker has begun. Returns whether the claim still holds."""
    now = utc(now)
    with store.write() as transaction:
        run = _running(transaction, job)
        if run is None:
            return False
        run.started_at = now
        record_run(transaction, run, EventKind.STARTED, now, Actor.WORKER, slot=job.slot, attempt=run.attempts)
        return True


def record_epoch(
    store: Store,
    job: Job,
    *,
    epoch: int,
    batch_losses: Losses,
    training_loss: float,
    validation_accuracy: float | None,
    seconds: float,
) -> bool:
    """Keep one epoch, whole. Recorded twice it is kept once; for a job that does not run (any more) nothing is kept.

    Args:
        epoch: Its number, from 1.
        batch_losses: One float32 per batch, infinite and NaN included.
        training_loss: The epoch's loss, the mean over its images.
        validation_accuracy: In percent; ``None`` for an evaluation.
        seconds: How long the epoch took.

    Returns:
        Whether the epoch is kept now: by this call or an earlier one.
    """
    packed = pack(batch_losses)
    with store.write() as transaction:
        if _running(transaction, job) is None:
            return False
        if not _has_epoch(transaction, job, epoch):
            row = _epoch(job, epoch, packed, seconds)
            row.training_loss, row.validation_accuracy = float(training_loss), validation_accuracy
            transaction.add(row)
        return True


def finish(store: Store, job: Job, ending: Ending, *, now: datetime) -> Run:
    """End a run as its worker says. Running → complete | cancelled | diverged | failed.

    Raises:
        Refused: The job does not run (``NOT_RUNNING``): it has ended, or was lost and is another claim's now.
    """
    now = utc(now)
    with store.write() as transaction:
        run = _need_running(transaction, job)
        partial = ending.partial
        if partial is not None and len(partial.batch_losses) and not _has_epoch(transaction, job, partial.number):
            transaction.add(_epoch(job, partial.number, pack(partial.batch_losses), partial.seconds))
        if isinstance(run, Trial):
            run.validation_accuracy = ending.accuracy
        else:
            run.test_accuracy = ending.accuracy
        run.reason, run.seconds, run.images_per_second = ending.reason, ending.seconds, ending.images_per_second
        run.environment = dict(ending.environment)
        if ending.our_fault:
            give_back_run(transaction, run, now, "a trial failed through our fault")
        end_run(transaction, run, ending.state, now, Actor.WORKER)
        return run


def lost(store: Store, job: Job, *, now: datetime) -> Run:
    """The job's worker is gone. The run goes back in line and starts over; the time it took a person is given back.

    One that was to be stopped anyway is cancelled instead, and one that was lost ``MOST_LOST_RUNS`` times fails.

    Raises:
        Refused: The job does not run (``NOT_RUNNING``).
    """
    now = utc(now)
    with store.write() as transaction:
        run = _need_running(transaction, job)
        run.lost_runs += 1
        again = requeue(transaction, run, now, Actor.WORKER)
        if again:
            give_back_run(transaction, run, now, "the machine that trained was lost")
        if again and run.lost_runs >= MOST_LOST_RUNS:
            waited_for = isinstance(run, Trial) and not _is_searchers(transaction, run)
            run.reason = LOST_TOO_OFTEN if waited_for else NOBODYS_LOST_TOO_OFTEN
            end_run(transaction, run, TrialState.FAILED, now, Actor.WORKER)
        return run


# Within a transaction; recovery and the sessions use these too.


def requeue(transaction: Transaction, run: Run, now: datetime, actor: Actor) -> bool:
    """Put a running job back in line, its epochs deleted, since it runs again bit for bit. Its start is kept.

    Returns:
        Whether it waits now: one that was to be stopped, or whose session is over, is cancelled instead.
    """
    record_run(transaction, run, EventKind.LOST, now, actor, attempt=run.attempts)
    if isinstance(run, Trial) and (
        run.cancel_requested_at is not None or session_of(transaction, run).state is not SessionState.ACTIVE
    ):
        end_run(transaction, run, TrialState.CANCELLED, now, actor)
        return False
    run.state, run.slot = TrialState.WAITING, None
    forget_epochs(transaction, run)
    return True


def forget_epochs(transaction: Transaction, run: Run) -> None:
    """Delete what was recorded of a run that runs again from its beginning."""
    owner = Epoch.trial_id if isinstance(run, Trial) else Epoch.evaluation_id
    transaction.execute(delete(Epoch).where(col(owner) == run.id))


def give_back_run(transaction: Transaction, run: Run, now: datetime, why: str) -> timedelta:
    """Give the time since the run's start, as far as it lies before the deadline, back to a session that goes on.

    A searcher's session has no clock.
    """
    session = session_of(transaction, run)
    if not isinstance(run, Trial) or run.started_at is None or session.state is not SessionState.ACTIVE:
        return timedelta(0)
    if _is_searchers(transaction, run):
        return timedelta(0)
    return extend(transaction, session, min(now, session.deadline) - run.started_at, why=why, now=now, actor=Actor.BOT)


def end_run(transaction: Transaction, run: Run, state: TrialState, now: datetime, actor: str) -> None:
    """Give a run its final state."""
    run.state, run.ended_at = state, now
    record_run(transaction, run, EventKind.ENDED, now, actor, state=str(state), reason=run.reason)


def session_of(transaction: Transaction, run: Run) -> Session:
    """The session that a trial, or an evaluation's final choice, belongs to."""
    if isinstance(run, Trial):
        return transaction.need(Session, run.session_id)
    return transaction.need(Session, transaction.need(FinalChoice, run.final_choice_id).session_id)


def record_run(
    transaction: Transaction, run: Run, kind: EventKind, now: datetime, actor: str, **details: events.Detail
) -> None:
    """Write what happened to a run into the event log."""
    participant = code_of(transaction, session_of(transaction, run))
    events.record(transaction, at=now, actor=actor, kind=kind, subject=run.subject, participant=participant, **details)


def _configuration(transaction: Transaction, run: Run) -> Configuration:
    if isinstance(run, Trial):
        return run.configuration
    return transaction.need(FinalChoice, run.final_choice_id).configuration


def _next(transaction: Transaction, kinds: Collection[JobKind]) -> Run | None:
    for searchers in (False, True) if set(JobKind) <= set(kinds) else (False,):
        whose = col(Participant.baseline_id).is_not(None) if searchers else col(Participant.baseline_id).is_(None)
        if JobKind.TRIAL in kinds:
            trials = select(Trial).join(Session).join(Participant).where(whose, Trial.state == TrialState.WAITING)
            trial = transaction.exec(trials.order_by(col(Trial.submitted_at), col(Trial.id))).first()
            if trial is not None:
                return trial
        if JobKind.EVALUATION in kinds:
            evaluations = (
                select(Evaluation)
                .join(FinalChoice)
                .join(Session, col(FinalChoice.session_id) == Session.id)
                .join(Participant)
                .where(whose, Evaluation.state == TrialState.WAITING)
            )
            evaluation = transaction.exec(evaluations.order_by(col(Evaluation.id))).first()
            if evaluation is not None:
                return evaluation
    return None


def _is_searchers(transaction: Transaction, run: Run) -> bool:
    session = session_of(transaction, run)
    return transaction.need(Participant, session.participant_id).baseline_id is not None


def _running(transaction: Transaction, job: Job) -> Run | None:
    """The job's run, if the claim still holds: its participant may have had it deleted, too."""
    of_trial = job.kind is JobKind.TRIAL
    run = transaction.get(Trial, job.id) if of_trial else transaction.get(Evaluation, job.id)
    return run if run is not None and run.state is TrialState.RUNNING and run.attempts == job.attempts else None


def _need_running(transaction: Transaction, job: Job) -> Run:
    run = _running(transaction, job)
    if run is None:
        raise Refused(
            Reason.NOT_RUNNING, f"The job {job.key} does not run in slot {job.slot} any more. Nothing was changed."
        )
    return run


def _epoch(job: Job, number: int, packed: bytes, seconds: float) -> Epoch:
    return Epoch(
        trial_id=job.id if job.kind is JobKind.TRIAL else None,
        evaluation_id=job.id if job.kind is JobKind.EVALUATION else None,
        number=number,
        batch_losses=packed,
        seconds=seconds,
    )


def _has_epoch(transaction: Transaction, job: Job, number: int) -> bool:
    owner = Epoch.trial_id if job.kind is JobKind.TRIAL else Epoch.evaluation_id
    count = transaction.exec(select(func.count()).where(col(owner) == job.id, col(Epoch.number) == number)).one()
    return count > 0
