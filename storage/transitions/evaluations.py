"""Evaluations of final choices: how far they are, and their results. :mod:`storage.transitions.jobs` runs them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.current import need_newest
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, ParticipantState, TrialState
from storage.schema.tables import Evaluation, FinalChoice, Participant, Session
from storage.transitions.choices import check_seeds
from storage.transitions.jobs import forget_epochs, record_run


@dataclass(frozen=True)
class EvaluationSummary:
    """A final choice's evaluations together.

    Attributes:
        final_choice_id: Whose.
        total: How many there are to be, one per seed.
        done: How many have ended, however they ended.
        complete: How many were measured.
        diverged, failed: How many were not.
        accuracies: Test accuracies in percent of the measured ones, in the order of the seeds given.
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

    @property
    def all_done(self) -> bool:
        """Whether nothing waits or runs any more."""
        return self.done == self.total


def final_choice_of(store: Store, session_id: int) -> FinalChoice | None:
    """What a session ended with."""
    with store.read() as transaction:
        return transaction.exec(select(FinalChoice).where(FinalChoice.session_id == session_id)).first()


def of_choice(store: Store, final_choice_id: int) -> list[Evaluation]:
    """A final choice's evaluations, in the order of the seeds given."""
    with store.read() as transaction:
        return list(_of_choice(transaction, final_choice_id))


def due(store: Store) -> list[Evaluation]:
    """The evaluations that wait or run, in the order in which they are claimed."""
    unfinished = [each for each in TrialState if not each.is_finished]
    with store.read() as transaction:
        query = select(Evaluation).where(col(Evaluation.state).in_(unfinished)).order_by(col(Evaluation.id))
        return list(transaction.exec(query).all())


def evaluation_summary(store: Store, final_choice_id: int) -> EvaluationSummary:
    """What a final choice's evaluations came to so far.

    Raises:
        Refused: There is no such final choice (``UNKNOWN``).
    """
    with store.read() as transaction:
        transaction.need(FinalChoice, final_choice_id)
        rows = _of_choice(transaction, final_choice_id)
    accuracies = tuple(each.test_accuracy for each in rows if each.test_accuracy is not None)
    return EvaluationSummary(
        final_choice_id=final_choice_id,
        total=len(rows),
        done=sum(each.state.is_finished for each in rows),
        complete=sum(each.state is TrialState.COMPLETE for each in rows),
        diverged=sum(each.state is TrialState.DIVERGED for each in rows),
        failed=sum(each.state is TrialState.FAILED for each in rows),
        accuracies=accuracies,
        mean=statistics.fmean(accuracies) if accuracies else None,
        sd=statistics.stdev(accuracies) if len(accuracies) > 1 else None,
    )


def all_done(store: Store, final_choice_id: int) -> bool:
    """Whether none of a final choice's evaluations waits or runs any more."""
    return evaluation_summary(store, final_choice_id).all_done


def retry_failed(
    store: Store, *, now: datetime, final_choice_id: int | None = None, actor: str = Actor.RESEARCHER
) -> list[Evaluation]:
    """Put failed evaluations (all, or one final choice's) back in line, and return them.

    Diverged ones stay so, and those of participants who have withdrawn.
    """
    now = utc(now)
    with store.write() as transaction:
        query = _of_present(select(Evaluation).join(FinalChoice)).where(Evaluation.state == TrialState.FAILED)
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


def ensure(store: Store, *, seeds: Sequence[int], now: datetime, actor: str = Actor.BOT) -> int:
    """Give every final choice of the study an evaluation for each of these seeds that it lacks (after an amendment).

    The study is the current one, or the newest when all are closed. Who has withdrawn is left out.

    Returns:
        How many evaluations were added; they wait.

    Raises:
        Refused: There is no study (``NO_STUDY``).
        ValueError: The seeds are none, or not different.
    """
    now = utc(now)
    check_seeds(seeds)
    with store.write() as transaction:
        study = need_newest(transaction)
        query = _of_present(select(FinalChoice)).where(Participant.study_id == study.id)
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


def _of_present(query: Any) -> Any:
    """Of those final choices whose participants have not withdrawn."""
    query = query.join(Session, col(FinalChoice.session_id) == Session.id).join(Participant)
    return query.where(Participant.state != ParticipantState.WITHDRAWN)


def _of_choice(transaction: Transaction, final_choice_id: int) -> Sequence[Evaluation]:
    query = select(Evaluation).where(Evaluation.final_choice_id == final_choice_id).order_by(col(Evaluation.id))
    return transaction.exec(query).all()
