"""Searchers take part in a study: random search and TPE are artificial participants.

Random search is one artificial participant. All the settings that it drew are trials of its one session. TPE has as
many artificial participants as are wanted; each has a session, a budget and a final choice, as people have. An
artificial participant has no clock, no seat and no Slack user.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func
from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.baseline_status import BaselineStatus as BaselineStatus
from storage.queries.baseline_status import statuses_in
from storage.queries.current import need_begun
from storage.queries.views import SessionView, view_session
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import (
    Actor,
    Chooser,
    EventKind,
    ParticipantState,
    Searcher,
    SessionEnd,
    SessionState,
    TrialState,
)
from storage.schema.tables import Baseline, Evaluation, FinalChoice, Participant, Session, Study, Trial
from storage.transitions import choices
from storage.transitions.choices import Chosen, best_trial, check_seeds, need_unfinished
from storage.transitions.jobs import end_run
from storage.transitions.sessions import end_session
from storage.transitions.trials import UNFINISHED, add_next, record_submitted
from storage.transitions.trials import stop_all as stop_trials
from training.hyperparameters import Configuration


@dataclass(frozen=True)
class Stopped:
    """What stopping did.

    Attributes:
        baselines: The baselines that ran.
        trials: Their trials that waited or ran. A worker has to stop those whose state is ``RUNNING``.
    """

    baselines: tuple[Baseline, ...]
    trials: tuple[Trial, ...]


def start_random(
    store: Store,
    *,
    task: str,
    configurations: Sequence[Configuration],
    seed: int,
    training_seed: int,
    actor: str,
    now: datetime,
) -> Baseline:
    """Begin random search: everything that it drew is submitted at once.

    Args:
        configurations: What was drawn; at least one configuration.
        seed: The seed that it was drawn with.
        training_seed: The seed that all trials of the study are trained with.

    Raises:
        Refused: Random search runs already (``BASELINE_RUNNING``); the study is not open yet (``STUDY_NOT_OPEN``),
            closed (``STUDY_CLOSED``), or there is none (``NO_STUDY``).
        ValueError: There are no configurations.
    """
    now = utc(now)
    if not configurations:
        raise ValueError("Random search needs at least one configuration.")
    with store.write() as transaction:
        baseline = _start(
            transaction,
            Searcher.RANDOM,
            task=task,
            wanted=len(configurations),
            seed=seed,
            started_at=now,
            started_by=actor,
        )
        session = _add_member(transaction, baseline, baseline.code, training_seed, now)
        trials = [
            Trial(session_id=session.id, number=number, submitted_at=now, drawn=True, **Trial.values(configuration))
            for number, configuration in enumerate(configurations, start=1)
        ]
        transaction.add_all(trials)
        transaction.flush()
        for trial in trials:
            record_submitted(transaction, trial, now)
        return baseline


def start_tpe(
    store: Store,
    *,
    task: str,
    wanted: int,
    tries: int | None,
    seconds: float | None,
    seed: int,
    actor: str,
    now: datetime,
) -> Baseline:
    """Begin a baseline of TPE. :func:`next_member` adds its artificial participants one by one.

    Args:
        wanted: How many artificial participants there are to be.
        tries, seconds: The budget of each: trials, and seconds of training. ``None`` means no limit of that kind.
        seed: The seed that all their draws follow from.

    Raises:
        Refused: As for :func:`start_random`.
        ValueError: No participant is wanted, or there is no budget, or an empty one.
    """
    now = utc(now)
    if wanted < 1:
        raise ValueError(f"A baseline needs at least one artificial participant: {wanted} is not.")
    budget = [each for each in (tries, seconds) if each is not None]
    if not budget or min(budget) <= 0:
        raise ValueError(f"An artificial participant needs a budget of tries or seconds: {tries}, {seconds}.")
    with store.write() as transaction:
        return _start(
            transaction,
            Searcher.TPE,
            task=task,
            wanted=wanted,
            tries=tries,
            seconds=seconds,
            seed=seed,
            started_at=now,
            started_by=actor,
        )


def next_member(store: Store, baseline_id: int, *, training_seed: int, now: datetime) -> Session | None:
    """Add the next artificial participant of a TPE baseline, with a session; ``None`` when no more are wanted.

    Args:
        training_seed: The seed that all trials of the study are trained with.

    Raises:
        Refused: There is no such baseline (``UNKNOWN``), or it is random search (``NO_BASELINE``).
    """
    now = utc(now)
    with store.write() as transaction:
        baseline = transaction.need(Baseline, baseline_id)
        if baseline.searcher is not Searcher.TPE:
            raise Refused(Reason.NO_BASELINE, f"{baseline.code} is random search. It has one participant only.")
        count = transaction.exec(select(func.count()).where(col(Participant.baseline_id) == baseline_id)).one()
        if baseline.stopped_at is not None or count >= baseline.wanted:
            return None
        return _add_member(transaction, baseline, f"{baseline.code}-{count + 1:02}", training_seed, now)


def submit(store: Store, session_id: int, configuration: Configuration, *, now: datetime) -> Trial:
    """Submit the next configuration of an artificial participant of TPE.

    Raises:
        Refused: The session is over (``SESSION_OVER``), one of its trials waits or runs (``TRIAL_UNFINISHED``), or it
            does not belong to TPE (``NO_BASELINE``).
    """
    now = utc(now)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        _need_searcher(transaction, session, Searcher.TPE)
        need_unfinished(session)
        return add_next(transaction, session, configuration, now)


def choose(store: Store, session_id: int, *, seeds: Sequence[int], now: datetime) -> Chosen:
    """End the session of an artificial participant of TPE with its complete trial of the best validation accuracy.

    Its evaluations wait from now on. Without a complete trial there is no final choice.

    Args:
        seeds: There is one evaluation for each seed. They are the same as those of people.

    Raises:
        Refused: The session is over (``SESSION_OVER``), or does not belong to TPE (``NO_BASELINE``).
        ValueError: There are no seeds, or a seed twice.
    """
    now = utc(now)
    check_seeds(seeds)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        _need_searcher(transaction, session, Searcher.TPE)
        need_unfinished(session)
        trial = best_trial(transaction, session_id)
        configuration = trial.configuration if trial is not None else None
        return choices.end_with(
            transaction, session, configuration, trial, seeds, now, Actor.SEARCHER, Chooser.SEARCHER
        )


def end_random(store: Store, session_id: int, *, now: datetime) -> Session:
    """End the session of random search after all its trials have ended. It has no final choice.

    Raises:
        Refused: A trial waits or runs (``TRIAL_UNFINISHED``), the session is over (``SESSION_OVER``), or it does not
            belong to random search (``NO_BASELINE``).
    """
    now = utc(now)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        _need_searcher(transaction, session, Searcher.RANDOM)
        need_unfinished(session)
        unfinished = select(func.count()).where(col(Trial.session_id) == session_id, col(Trial.state).in_(UNFINISHED))
        if left := transaction.exec(unfinished).one():
            raise Refused(Reason.TRIAL_UNFINISHED, f"{left} of the trials of random search have not ended yet.")
        why = "all that was drawn is trained"
        end_session(transaction, session, SessionEnd.EMPTY, now=now, actor=Actor.SEARCHER, why=why)
        return session


def stop(store: Store, *, actor: str, now: datetime) -> Stopped:
    """Stop every baseline that runs. Trials and evaluations that wait are cancelled; trials that run are to be stopped.

    Evaluations that run go on to their end.

    Raises:
        Refused: No baseline runs (``NO_BASELINE``); the study is not open yet (``STUDY_NOT_OPEN``), closed
            (``STUDY_CLOSED``), or there is none (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        need_begun(transaction)
        stopped = stop_all(transaction, actor=actor, now=now)
        if not stopped.baselines:
            raise Refused(Reason.NO_BASELINE, "No baseline runs at the moment, so there is nothing to stop.")
        return stopped


def running(store: Store) -> list[Baseline]:
    """The baselines that have a session to go on with, or a participant to add. Evaluations do not count."""
    with store.read() as transaction:
        return _running(transaction)


def members(store: Store, baseline_id: int) -> list[SessionView]:
    """The sessions of a baseline's artificial participants, in the order in which they began."""
    with store.read() as transaction:
        query = select(Session).join(Participant).where(Participant.baseline_id == baseline_id)
        return [view_session(transaction, each) for each in transaction.exec(query.order_by(col(Session.id))).all()]


def statuses(store: Store, study_id: int) -> list[BaselineStatus]:
    """How far the baselines of a study are, in the order in which they were started."""
    with store.read() as transaction:
        return list(statuses_in(transaction, study_id))


def stop_all(transaction: Transaction, *, actor: str, now: datetime) -> Stopped:
    """Within a transaction: do what :func:`stop` does. If no baseline runs, nothing is changed."""
    found = _running(transaction)
    stopped: list[Trial] = []
    for baseline in found:
        baseline.stopped_at = now
        of_baseline = Participant.baseline_id == baseline.id
        sessions = select(Session).join(Participant).where(of_baseline, Session.state != SessionState.FINISHED)
        for session in transaction.exec(sessions.order_by(col(Session.id))).all():
            stopped += stop_trials(transaction, session.id, now=now, actor=actor)
            end_session(transaction, session, SessionEnd.CANCELLED, now=now, actor=actor, why="baseline stopped")
        waiting = select(Evaluation).join(FinalChoice).join(Session, col(FinalChoice.session_id) == Session.id)
        waiting = waiting.join(Participant).where(of_baseline, Evaluation.state == TrialState.WAITING)
        for evaluation in transaction.exec(waiting.order_by(col(Evaluation.id))).all():
            end_run(transaction, evaluation, TrialState.CANCELLED, now, actor)
        _record(transaction, baseline, EventKind.BASELINE_STOPPED, now, actor)
    return Stopped(tuple(found), tuple(stopped))


def _running(transaction: Transaction) -> list[Baseline]:
    """Those of the current study. A baseline is done when it has all its participants, and none is in a session."""
    unfinished = exists().where(
        col(Participant.baseline_id) == Baseline.id,
        col(Session.participant_id) == Participant.id,
        col(Session.state) != SessionState.FINISHED,
    )
    wanted = select(func.count()).where(col(Participant.baseline_id) == Baseline.id)
    to_come = (col(Baseline.searcher) == Searcher.TPE) & (wanted.scalar_subquery() < col(Baseline.wanted))
    query = select(Baseline).join(Study).where(col(Study.current).is_(True), col(Baseline.stopped_at).is_(None))
    return list(transaction.exec(query.where(unfinished | to_come).order_by(col(Baseline.id))).all())


def _start(transaction: Transaction, searcher: Searcher, **columns: Any) -> Baseline:
    study = need_begun(transaction)
    for other in _running(transaction):
        if other.searcher is searcher:
            raise Refused(
                Reason.BASELINE_RUNNING,
                f"The baseline {other.code} runs, and there can be one of {_NAMES[other.searcher]} at a time. "
                "Wait until it ends, or stop it.",
            )
    before = select(func.count()).where(col(Baseline.study_id) == study.id, col(Baseline.searcher) == searcher)
    number = transaction.exec(before).one() + 1
    baseline = Baseline(study_id=study.id, searcher=searcher, code=f"{_LETTERS[searcher]}{number}", **columns)
    transaction.add(baseline)
    transaction.flush()
    _record(
        transaction,
        baseline,
        EventKind.BASELINE_STARTED,
        baseline.started_at,
        baseline.started_by,
        searcher=str(searcher),
        task=baseline.task,
        wanted=baseline.wanted,
        tries=baseline.tries,
        seconds=baseline.seconds,
        seed=baseline.seed,
    )
    return baseline


_LETTERS = {Searcher.RANDOM: "R", Searcher.TPE: "T"}
_NAMES = {Searcher.RANDOM: "random search", Searcher.TPE: "TPE"}


def _add_member(transaction: Transaction, baseline: Baseline, code: str, training_seed: int, now: datetime) -> Session:
    member = Participant(
        study_id=baseline.study_id,
        code=code,
        state=ParticipantState.DESCRIBED,
        invited_at=now,
        task=baseline.task,
        baseline_id=baseline.id,
    )
    transaction.add(member)
    transaction.flush()
    limit = baseline.seconds or 0.0
    session = Session(
        participant_id=member.id,
        task=baseline.task,
        seed=training_seed,
        started_at=now,
        limit_seconds=limit,
        deadline=now + timedelta(seconds=limit),
    )
    transaction.add(session)
    transaction.flush()
    events.record(
        transaction,
        at=now,
        actor=Actor.SEARCHER,
        kind=EventKind.SESSION_BEGUN,
        subject=session.subject,
        participant=code,
        limit_seconds=limit,
    )
    return session


def _need_searcher(transaction: Transaction, session: Session, searcher: Searcher) -> None:
    participant = transaction.need(Participant, session.participant_id)
    if participant.baseline_id is None:
        raise Refused(Reason.NO_BASELINE, f"{participant.code} is a person, not a searcher. Nothing was changed.")
    if transaction.need(Baseline, participant.baseline_id).searcher is not searcher:
        raise Refused(Reason.NO_BASELINE, f"{participant.code} is not {_NAMES[searcher]}. Nothing was changed.")


def _record(
    transaction: Transaction, baseline: Baseline, kind: EventKind, now: datetime, actor: str, **details: events.Detail
) -> None:
    events.record(
        transaction,
        at=now,
        actor=actor,
        kind=kind,
        subject=f"baseline:{baseline.id}",
        participant=None,
        code=baseline.code,
        **details,
    )
