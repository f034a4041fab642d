"""Evaluations of final choices: how far they are, their results, and what adds or repeats one.

An evaluation runs as a job: see :mod:`storage.transitions.jobs`.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.current import need_newest
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, ParticipantState, TrialState
from storage.schema.tables import Evaluation, Event, FinalChoice, Participant, Session
from storage.transitions.choices import check_seeds
from storage.transitions.jobs import end_run, forget_epochs, record_run

_UNFINISHED = tuple(each for each in TrialState if not each.is_finished)


@dataclass(frozen=True)
class EvaluationSummary:
    """The evaluations of a final choice together.

    Attributes:
        final_choice_id: The final choice.
        total: How many evaluations there are, one for each seed.
        done: How many have ended, in whatever way.
        complete: How many have a test accuracy.
        diverged, failed, cancelled: How many ended so.
        accuracies: The test accuracies in percent of the complete ones, in the order of the seeds.
        mean: Their mean; ``None`` without any.
        sd: Their standard deviation (ddof = 1); ``None`` for fewer than two.
    """

    final_choice_id: int
    total: int
    done: int
    complete: int
    diverged: int
    failed: int
    accuracies: tuple[float, ...]
    mean: float | None
    sd: float | None
    cancelled: int = 0

    @property
    def all_done(self) -> bool:
        """Whether no evaluation waits or runs any more."""
        return self.done == self.total


def due(store: Store) -> list[Evaluation]:
    """The evaluations that wait or run, in the order in which they were added."""
    with store.read() as transaction:
        query = select(Evaluation).where(col(Evaluation.state).in_(_UNFINISHED)).order_by(col(Evaluation.id))
        return list(transaction.exec(query).all())


def of_choice(store: Store, final_choice_id: int) -> list[Evaluation]:
    """The evaluations of a final choice, in the order in which they were added."""
    with store.read() as transaction:
        query = select(Evaluation).where(Evaluation.final_choice_id == final_choice_id).order_by(col(Evaluation.id))
        return list(transaction.exec(query).all())


def evaluation_summary(store: Store, final_choice_id: int) -> EvaluationSummary:
    """How far the evaluations of a final choice are, and their results so far.

    Raises:
        Refused: There is no such final choice (``UNKNOWN``).
    """
    with store.read() as transaction:
        transaction.need(FinalChoice, final_choice_id)
    rows = of_choice(store, final_choice_id)
    accuracies = tuple(each.test_accuracy for each in rows if each.test_accuracy is not None)
    return EvaluationSummary(
        final_choice_id=final_choice_id,
        total=len(rows),
        done=sum(each.state.is_finished for each in rows),
        complete=sum(each.state is TrialState.COMPLETE for each in rows),
        diverged=sum(each.state is TrialState.DIVERGED for each in rows),
        failed=sum(each.state is TrialState.FAILED for each in rows),
        cancelled=sum(each.state is TrialState.CANCELLED for each in rows),
        accuracies=accuracies,
        mean=statistics.fmean(accuracies) if accuracies else None,
        sd=statistics.stdev(accuracies) if len(accuracies) > 1 else None,
    )


def retry_failed(
    store: Store,
    *,
    now: datetime,
    final_choice_id: int | None = None,
    cancelled_too: bool = False,
    actor: str = Actor.RESEARCHER,
) -> list[Evaluation]:
    """Let failed evaluations wait again. Diverged ones, and those of participants who have withdrawn, stay as they are.

    Args:
        store: The database.
        now: The time, aware.
        final_choice_id: The final choice whose evaluations are meant; ``None`` means all.
        cancelled_too: Whether cancelled evaluations wait again, too.
        actor: Who wants it.

    Returns:
        The evaluations that wait again.
    """
    now = utc(now)
    with store.write() as transaction:
        query = _of_present(transaction, select(Evaluation).join(FinalChoice)).where(
            col(Evaluation.state).in_([TrialState.FAILED, *([TrialState.CANCELLED] if cancelled_too else [])])
        )
        query = query.order_by(col(Evaluation.id))
        if final_choice_id is not None:
            query = query.where(Evaluation.final_choice_id == final_choice_id)
        failed = list(transaction.exec(query).all())
        for evaluation in failed:
            evaluation.state, evaluation.lost_runs = TrialState.WAITING, 0
            evaluation.reason = evaluation.ended_at = None
            forget_epochs(transaction, evaluation)
            record_run(transaction, evaluation, EventKind.RETRIED, now, actor)
        return failed


@dataclass(frozen=True)
class Cancelled:
    """The evaluations that :func:`cancel` cancelled. A worker has to stop those of ``running``."""

    count: int
    running: tuple[Evaluation, ...]


def cancel(store: Store, participant_id: int, *, now: datetime, actor: str = Actor.RESEARCHER) -> Cancelled:
    """Cancel the evaluations of a participant that wait or run. Those that have ended keep their results.

    Raises:
        Refused: None of them waits or runs (``NOT_RUNNING``), or there is no such participant (``UNKNOWN``).
    """
    now = utc(now)
    with store.write() as transaction:
        participant = transaction.need(Participant, participant_id)
        query = select(Evaluation).join(FinalChoice).join(Session, col(FinalChoice.session_id) == Session.id)
        query = query.where(Session.participant_id == participant_id, col(Evaluation.state).in_(_UNFINISHED))
        unfinished = transaction.exec(query.order_by(col(Evaluation.id))).all()
        if not unfinished:
            raise Refused(
                Reason.NOT_RUNNING,
                f"No evaluation of {participant.code} is waiting or running, so there is nothing to cancel.",
            )
        running = tuple(each for each in unfinished if each.state is TrialState.RUNNING)
        for evaluation in unfinished:
            end_run(transaction, evaluation, TrialState.CANCELLED, now, actor)
        events.record(
            transaction,
            at=now,
            actor=actor,
            kind=EventKind.EVALUATIONS_CANCELLED,
            subject=f"participant:{participant_id}",
            participant=participant.code,
            count=len(unfinished),
        )
        return Cancelled(len(unfinished), running)


def ensure(store: Store, *, seeds: Sequence[int], now: datetime, actor: str = Actor.BOT) -> int:
    """Add the evaluations that are missing after an amendment: every final choice gets one for each of these seeds.

    The study is the current one, or the newest when all are closed. Participants who have withdrawn are left out.

    Returns:
        How many evaluations were added; they wait.

    Raises:
        Refused: There is no study (``NO_STUDY``).
        ValueError: There are no seeds, or a seed twice.
    """
    now = utc(now)
    check_seeds(seeds)
    with store.write() as transaction:
        study = need_newest(transaction)
        query = _of_present(transaction, select(FinalChoice)).where(Participant.study_id == study.id)
        chosen = transaction.exec(query.order_by(col(FinalChoice.id))).all()
        there = select(Evaluation.final_choice_id, Evaluation.seed)
        pairs = {(choice_id, seed) for choice_id, seed in transaction.exec(there)}
        added = [
            Evaluation(final_choice_id=each.id, seed=seed)
            for each in chosen
            for seed in seeds
            if (each.id, seed) not in pairs
        ]
        transaction.add_all(added)
        if added:
            events.record(
                transaction,
                at=now,
                actor=actor,
                kind=EventKind.EVALUATIONS_ADDED,
                subject=f"study:{study.id}",
                count=len(added),
            )
        return len(added)


def _of_present(transaction: Transaction, query: Any) -> Any:
    """Restrict a query about final choices to those that are ours, and whose participants have not withdrawn."""
    query = query.join(Session, col(FinalChoice.session_id) == Session.id).join(Participant)
    query = query.where(Participant.state != ParticipantState.WITHDRAWN)
    return query.where(col(Participant.study_id).not_in(_imported(transaction)))


def _imported(transaction: Transaction) -> list[int]:
    """The studies that came out of a bundle. Nothing more is trained for them."""
    query = select(Event.subject).where(Event.kind == EventKind.STUDY_IMPORTED)
    return [int(subject.removeprefix("study:")) for subject in transaction.exec(query).all()]
