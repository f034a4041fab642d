"""The life of a job, for trials and evaluations alike: claim → record_epoch … → finish, or lost → claim again.

A :class:`Job` is a claim on one run. After a run was lost and claimed again, messages about the old claim are ignored:
``attempts`` tells the claims apart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func
from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.losses import Losses, pack
from storage.schema.states import Actor, EventKind, JobKind, NoticeKind, SessionState, TrialState
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Participant, Session, Trial
from storage.transitions import notices
from storage.transitions.time_credit import code_of, extend, given_since
from training.hyperparameters import Configuration

MOST_LOST_RUNS = 3
"""A job fails when its worker was lost so often."""

LOST_TOO_OFTEN = (
    "The machine that trains failed three times with this trial. That was not your fault. "
    "The time it took was given back to you, and you can submit the same configuration again."
)
"""The reason that the participant reads then."""

NOBODYS_LOST_TOO_OFTEN = "The machine that trains was lost three times with this one."
"""The reason that the researcher reads then, for an evaluation or a searcher's trial: no participant waited for it."""

Run = Trial | Evaluation


@dataclass(frozen=True)
class Job:
    """One run that a slot has claimed.

    Attributes:
        kind, id: The trial or evaluation.
        task: The name of the task.
        configuration, seed: The configuration to train, and the seed to train it with.
        attempts: The number of this run, from 1.
        slot: The number of the slot it runs in.
        session_id: The session it belongs to.
        number: The number of the trial in its session; ``None`` for an evaluation.
        participant: The code of the participant.
        of_searcher: Whether the participant is an artificial one. Such a job gives way to those of people.
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
        """Its name for the workers, the posts and the event log: ``trial:17``, ``evaluation:4``."""
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
        accuracy: In percent, on validation images for a trial, on test images for an evaluation; ``None`` unless it is
            complete.
        reason: One sentence for the participant if it failed.
        seconds: How long it trained.
        images_per_second: The speed of training.
        environment: Facts about what it was trained on (device, versions, threads), by name.
        partial: The epoch in which it ended; ``None`` if it ended after an epoch.
        our_fault: Whether the time since its start is to be given back to the session.
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
            raise ValueError("A run has an accuracy if, and only if, it is complete.")


def claim(store: Store, *, now: datetime, slot: int, kinds: Collection[JobKind] = tuple(JobKind)) -> Job | None:
    """Give a slot the next job. Waiting → running.

    Trials of people come first, in the order of submission. Then come evaluations of people, trials of searchers, and
    evaluations of searchers. Final choices take turns: the one with the fewest running evaluations is next, of these
    the one whose evaluations have trained the shortest, so nobody's long ones hold up the others.

    Args:
        slot: The number of the slot.
        kinds: The kinds of jobs that the slot takes. A slot that does not take all kinds takes no job of a searcher.

    Returns:
        The job; ``None`` when nothing waits for such a slot.
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
    """Keep a whole epoch. An epoch that is recorded twice is kept once. Nothing is kept for a job that does not run.

    Args:
        epoch: The number of the epoch, from 1.
        batch_losses: One float32 per batch; they may be infinite or NaN.
        training_loss: The loss of the epoch, the mean over its images.
        validation_accuracy: In percent; ``None`` for an evaluation.
        seconds: How long the epoch took.

    Returns:
        Whether the epoch is kept, by this call or an earlier one.
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
        Refused: The job does not run (``NOT_RUNNING``): it has ended, or was lost and perhaps claimed again.
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
    """The worker of the job is gone. The run waits again and starts over. A person gets back the time that it took.

    A run that was to be stopped anyway is cancelled instead. A run that was lost ``MOST_LOST_RUNS`` times fails.

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


# Within a transaction: these are for other transitions too.


def requeue(transaction: Transaction, run: Run, now: datetime, actor: Actor) -> bool:
    """Let a running job wait again. Its epochs are deleted, since it runs again bit for bit; its start is kept.

    Returns:
        Whether it waits now. A trial that was to be stopped, or whose session is not active, is cancelled instead.
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
    """Delete the epochs of a run that starts over."""
    owner = Epoch.trial_id if isinstance(run, Trial) else Epoch.evaluation_id
    transaction.execute(delete(Epoch).where(col(owner) == run.id))


def give_back_run(transaction: Transaction, run: Run, now: datetime, why: str) -> timedelta:
    """Give a person's active session back the time since the start of the trial, as far as it lies before the deadline.

    What was given back of that time already, because nobody was served, is not given twice.

    Returns:
        How much was given back; nothing for an evaluation, and nothing for a searcher, whose session has no clock.
    """
    session = session_of(transaction, run)
    if not isinstance(run, Trial) or run.started_at is None or session.state is not SessionState.ACTIVE:
        return timedelta(0)
    if _is_searchers(transaction, run):
        return timedelta(0)
    lost = min(now, session.deadline) - run.started_at - given_since(transaction, session, run.started_at)
    return extend(transaction, session, lost, why=why, now=now, actor=Actor.BOT)


def end_run(transaction: Transaction, run: Run, state: TrialState, now: datetime, actor: str) -> None:
    """Give a run its final state. The participant of a trial is to be told of it."""
    run.state, run.ended_at = state, now
    record_run(transaction, run, EventKind.ENDED, now, actor, state=str(state), reason=run.reason)
    if isinstance(run, Trial):
        session = transaction.need(Session, run.session_id)
        notices.add(
            transaction, NoticeKind.TRIAL_ENDED, session.participant_id, now=now, session_id=session.id, trial=run.id
        )


def session_of(transaction: Transaction, run: Run) -> Session:
    """The session that a trial, or the final choice of an evaluation, belongs to."""
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
            turns = _turns().subquery()
            evaluations = evaluations.join(turns, turns.c.final_choice_id == col(Evaluation.final_choice_id))
            in_turn = evaluations.order_by(turns.c.running, turns.c.seconds, col(Evaluation.id))
            evaluation = transaction.exec(in_turn).first()
            if evaluation is not None:
                return evaluation
    return None


def _turns() -> Any:
    """A query for what each final choice has had: its running evaluations, and the seconds of those that ended."""
    running = case((col(Evaluation.state) == TrialState.RUNNING, 1), else_=0)
    return select(
        Evaluation.final_choice_id,
        func.sum(running).label("running"),
        func.coalesce(func.sum(col(Evaluation.seconds)), 0.0).label("seconds"),
    ).group_by(col(Evaluation.final_choice_id))


def _is_searchers(transaction: Transaction, run: Run) -> bool:
    session = session_of(transaction, run)
    return transaction.need(Participant, session.participant_id).baseline_id is not None


def _running(transaction: Transaction, job: Job) -> Run | None:
    """The run of the job, if the claim still holds. It may have been deleted, too."""
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
