"""After the bot was down: what ran starts over, and people get back the time in which it was down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, SessionState, TrialState
from storage.schema.tables import Evaluation, Heartbeat, Participant, Session, Trial
from storage.transitions.jobs import Run, requeue
from storage.transitions.time_credit import code_of, extend


@dataclass(frozen=True)
class GivenBack:
    """Time that was given back to one session of one participant (a code)."""

    session: Session
    participant: str
    duration: timedelta


@dataclass(frozen=True)
class Reconciled:
    """What :func:`reconcile` did.

    Attributes:
        down_since: When the bot was last alive; ``None`` at its first start.
        trials: The trials that ran. They wait again, and start over.
        cancelled: The trials that were to be stopped, and are cancelled.
        evaluations: The evaluations that ran. They wait again, and start over.
        given_back: The sessions that got time back.
    """

    down_since: datetime | None
    trials: tuple[Trial, ...]
    cancelled: tuple[Trial, ...]
    evaluations: tuple[Evaluation, ...]
    given_back: tuple[GivenBack, ...]


def heartbeat(store: Store, *, now: datetime) -> None:
    """Note that the bot is alive. It has to be called every few seconds: a crash costs as much time as lies between."""
    now = utc(now)
    with store.write() as transaction:
        _beat(transaction, now)


def last_heartbeat(store: Store) -> datetime | None:
    """When the bot was last alive; ``None`` if it never ran."""
    with store.read() as transaction:
        row = transaction.get(Heartbeat, 1)
        return None if row is None else row.at


def reconcile(store: Store, *, now: datetime) -> Reconciled:
    """Set everything right on start, before anything is claimed. A second call finds nothing to do.

    Every trial and evaluation that ran waits again. Its epochs are deleted, since it runs again bit for bit.
    A person's session gets back the time since the bot was last alive or, if that is earlier, since the start of the
    trial that starts over. The deadline of an active session moves, or the end of the grace period. A session whose
    time was up by then gets nothing back.
    """
    now = utc(now)
    with store.write() as transaction:
        row = transaction.get(Heartbeat, 1)
        down_since = None if row is None else min(row.at, now)
        running: list[Run] = list(transaction.exec(select(Trial).where(Trial.state == TrialState.RUNNING)).all())
        running.extend(transaction.exec(select(Evaluation).where(Evaluation.state == TrialState.RUNNING)).all())
        again = [run for run in running if requeue(transaction, run, now, Actor.BOT)]
        restarted = {run.session_id: run for run in again if isinstance(run, Trial)}
        given: list[GivenBack] = []
        people = select(Session).join(Participant).where(col(Participant.baseline_id).is_(None))
        for session in transaction.exec(people.where(Session.state != SessionState.FINISHED)).all():
            trial = restarted.get(session.id)
            lost_since = [down_since, trial.started_at if trial is not None else None]
            duration = _lost_time(session, [moment for moment in lost_since if moment is not None], now)
            why = "the bot was down"
            if extend(transaction, session, duration, why=why, now=now, actor=Actor.BOT):
                given.append(GivenBack(session, code_of(transaction, session), duration))
        _beat(transaction, now)
        if running or given:
            events.record(
                transaction,
                at=now,
                actor=Actor.BOT,
                kind=EventKind.RECONCILED,
                subject="bot",
                down_seconds=None if down_since is None else (now - down_since).total_seconds(),
                restarted=len(again),
                sessions=len(given),
            )
        return Reconciled(
            down_since=down_since,
            trials=tuple(run for run in again if isinstance(run, Trial)),
            cancelled=tuple(run for run in running if isinstance(run, Trial) and run.state.is_finished),
            evaluations=tuple(run for run in again if isinstance(run, Evaluation)),
            given_back=tuple(given),
        )


def _lost_time(session: Session, lost_since: list[datetime], now: datetime) -> timedelta:
    """The time from the first of these moments until now; nothing if the time of the session was up then."""
    if not lost_since:
        return timedelta(0)
    end = session.deadline if session.state is SessionState.ACTIVE else session.grace_ends_at
    start = max(min(lost_since), session.started_at)
    return now - start if end is not None and start < end else timedelta(0)


def _beat(transaction: Transaction, now: datetime) -> None:
    row = transaction.get(Heartbeat, 1)
    if row is None:
        transaction.add(Heartbeat(at=now))
    else:
        row.at = max(row.at, now)
