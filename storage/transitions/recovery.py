"""After the bot was down: what ran starts over, and people get back the time in which it was down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, SessionState, TrialState
from storage.schema.tables import Evaluation, Event, Heartbeat, Participant, Session, Trial
from storage.transitions.jobs import Run, requeue
from storage.transitions.time_credit import code_of, extend

BOT_WAS_DOWN = "the bot was down"
"""Why time was given back at a start, in the event log."""


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
        crashed: Whether it had started before and was not stopped: see :func:`note_stop`.
        trials: The trials that ran. They wait again, and start over.
        cancelled: The trials that were to be stopped, and are cancelled.
        evaluations: The evaluations that ran. They wait again, and start over.
        given_back: The sessions that got time back.
    """

    down_since: datetime | None
    crashed: bool
    trials: tuple[Trial, ...]
    cancelled: tuple[Trial, ...]
    evaluations: tuple[Evaluation, ...]
    given_back: tuple[GivenBack, ...]


def heartbeat(store: Store, *, now: datetime) -> None:
    """Note that the bot is alive. It has to be called every few seconds: a crash costs as much time as lies between."""
    now = utc(now)
    with store.write() as transaction:
        _beat(transaction, now)


def note_stop(store: Store, *, now: datetime) -> None:
    """Note that the bot is being stopped. A bot that starts and does not find this, has crashed before."""
    now = utc(now)
    with store.write() as transaction:
        _beat(transaction, now)
        events.record(transaction, at=now, actor=Actor.BOT, kind=EventKind.BOT_STOPPED, subject="bot")


def reconcile(store: Store, *, now: datetime) -> Reconciled:
    """Note that the bot starts, and set everything right, before anything is claimed. A second call changes nothing.

    Every trial and evaluation that ran waits again. Its epochs are deleted, since it runs again bit for bit.
    A person's session gets back the time since the bot was last alive or, if that is earlier, since the start of the
    trial that starts over. The deadline of an active session moves, or the end of the grace period. A session whose
    time was up by then gets nothing back.
    """
    now = utc(now)
    with store.write() as transaction:
        row = transaction.get(Heartbeat, 1)
        down_since = None if row is None else min(row.at, now)
        crashed = _was_running(transaction)
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
            if extend(transaction, session, duration, why=BOT_WAS_DOWN, now=now, actor=Actor.BOT):
                given.append(GivenBack(session, code_of(transaction, session), duration))
        _beat(transaction, now)
        events.record(
            transaction,
            at=now,
            actor=Actor.BOT,
            kind=EventKind.RECONCILED,
            subject="bot",
            crashed=crashed,
            down_seconds=None if down_since is None else (now - down_since).total_seconds(),
            restarted=len(again),
            sessions=len(given),
        )
        return Reconciled(
            down_since=down_since,
            crashed=crashed,
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


def _was_running(transaction: Transaction) -> bool:
    """Whether the newest start of the bot has no stop after it."""
    kinds = (EventKind.RECONCILED, EventKind.BOT_STOPPED)
    query = select(Event.kind).where(col(Event.kind).in_(kinds)).order_by(col(Event.id).desc())
    return transaction.exec(query).first() is EventKind.RECONCILED


def _beat(transaction: Transaction, now: datetime) -> None:
    row = transaction.get(Heartbeat, 1)
    if row is None:
        transaction.add(Heartbeat(at=now))
    else:
        row.at = max(row.at, now)
