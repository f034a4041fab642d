"""After the bot was down, or did not serve people: what ran starts over, and people get back the time.

The heartbeat says until when people were served. So a bot that runs and cannot serve them leaves it as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.due import CALL_HOLDS
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, SessionState, TrialState
from storage.schema.tables import Evaluation, Event, Heartbeat, Identity, Participant, Session, Trial
from storage.transitions.jobs import Run, requeue
from storage.transitions.time_credit import GivenSince, code_of, extend

BOT_WAS_DOWN = "the bot was down"
"""Why time was given back at a start, in the event log."""

BOT_WAS_SUSPENDED, SLACK_WAS_AWAY = "the bot was suspended", "Slack could not be reached"
"""Why time was given back while the bot ran."""

_UNSERVED = (BOT_WAS_DOWN, BOT_WAS_SUSPENDED, SLACK_WAS_AWAY)
"""Reasons of which two never hold at the same time."""


@dataclass(frozen=True)
class Unserved:
    """A time in which nobody was served, although the bot ran.

    Attributes:
        since, until: Its first and its last moment.
        why: The reason, for the event log.
    """

    since: datetime
    until: datetime
    why: str


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


def correct(
    store: Store, *, unserved: Sequence[Unserved], clock_set: timedelta, now: datetime
) -> tuple[Sequence[int], tuple[GivenBack, ...]]:
    """Note that the bot is alive, and set the time right first.

    When the machine's clock was set, everything that is under way moves with it: sessions keep the time that is left,
    and the moments of their trials stay as far apart as they were. Then people get back the time in which nobody was
    served, as at a start (see :func:`reconcile`). What was given back within that time already, is not given twice.

    Args:
        store: The database.
        unserved: The times in which nobody was served, in order, as the clock shows them now.
        clock_set: How much the clock was set forward; negative if it was set back.
        now: The time, as the clock shows it now.

    Returns:
        The keys of the sessions whose time has changed, and what was given back.
    """
    now = utc(now)
    with store.write() as transaction:
        people = _PeopleWithTime(transaction)
        if clock_set:
            _move(transaction, people.sessions, clock_set, now)
        given: list[GivenBack] = []
        for time in unserved:
            since, until = utc(time.since), utc(time.until)
            before = GivenSince(transaction, since, leave_out=_UNSERVED)
            for session in people.sessions:
                duration = _lost_time(session, [since], until) - before.to(session, since)
                if extend(transaction, session, duration, why=time.why, now=now, actor=Actor.BOT):
                    given.append(GivenBack(session, code_of(transaction, session), duration))
            _keep_calls(transaction, since, until)
        _beat(transaction, now, at_once=bool(clock_set))
        changed = [each.id for each in people.sessions] if clock_set else [each.session.id for each in given]
        return changed, tuple(given)


def note_stop(store: Store, *, now: datetime, served_until: datetime | None = None) -> None:
    """Note that the bot is being stopped. A bot that starts and does not find this, has crashed before.

    Args:
        store: The database.
        now: The time, aware.
        served_until: Until when people were served, if that is earlier; the rest is given back at the next start.
    """
    now = utc(now)
    with store.write() as transaction:
        _beat(transaction, now if served_until is None else min(utc(served_until), now))
        events.record(transaction, at=now, actor=Actor.BOT, kind=EventKind.BOT_STOPPED, subject="bot")


def reconcile(store: Store, *, now: datetime) -> Reconciled:
    """Note that the bot starts, and set everything right, before anything is claimed. A second call changes nothing.

    Every trial and evaluation that ran waits again. Its epochs are deleted, since it runs again bit for bit.
    A person's session gets back the time since the bot was last alive or, if that is earlier, since the start of the
    trial that starts over. The deadline of an active session moves, or the end of the grace period. A session whose
    time was up by then gets nothing back, and what was given back of that time already is not given twice.
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
        starts = [trial.started_at for trial in restarted.values()]
        before = GivenSince(transaction, min((each for each in (down_since, *starts) if each is not None), default=now))
        people = _PeopleWithTime(transaction)
        for session in people.sessions:
            trial = restarted.get(session.id)
            moments = [down_since, trial.started_at if trial is not None else None]
            lost_since = [moment for moment in moments if moment is not None]
            duration = _lost_time(session, lost_since, now)
            if duration:
                duration -= before.to(session, min(lost_since))
            if extend(transaction, session, duration, why=BOT_WAS_DOWN, now=now, actor=Actor.BOT):
                given.append(GivenBack(session, code_of(transaction, session), duration))
        if down_since is not None:
            _keep_calls(transaction, down_since, now)
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


class _PeopleWithTime:
    """People's unfinished sessions. Their participants and links are read at once, and kept for the transaction.

    A transaction forgets rows that nobody holds, and would read each of them anew for every session.
    """

    def __init__(self, transaction: Transaction) -> None:
        query = (
            select(Session, Participant, Identity)
            .join(Participant, col(Participant.id) == col(Session.participant_id))
            .join(Identity, col(Identity.participant_id) == col(Participant.id), isouter=True)
            .where(col(Participant.baseline_id).is_(None), Session.state != SessionState.FINISHED)
            .order_by(col(Session.id))
        )
        self._rows = transaction.exec(query).all()
        self.sessions: Sequence[Session] = [session for session, _, _ in self._rows]


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


def _beat(transaction: Transaction, now: datetime, *, at_once: bool = False) -> None:
    """Move the heartbeat, forward only unless ``at_once``."""
    row = transaction.get(Heartbeat, 1)
    if row is None:
        transaction.add(Heartbeat(at=now))
    else:
        row.at = now if at_once else max(row.at, now)


def _move(transaction: Transaction, sessions: Sequence[Session], clock_set: timedelta, now: datetime) -> None:
    """Move all moments of what is under way: of sessions, of their trials, of the queue."""
    for session in sessions:
        session.started_at += clock_set
        session.deadline += clock_set
        session.grace_ends_at = _moved(session.grace_ends_at, clock_set)
        session.warned_until = _moved(session.warned_until, clock_set)
        for trial in transaction.exec(select(Trial).where(Trial.session_id == session.id)).all():
            trial.submitted_at += clock_set
            trial.started_at = _moved(trial.started_at, clock_set)
            trial.ended_at = _moved(trial.ended_at, clock_set)
            trial.cancel_requested_at = _moved(trial.cancel_requested_at, clock_set)
    for participant in transaction.exec(select(Participant).where(col(Participant.waiting_since).is_not(None))).all():
        participant.waiting_since = _moved(participant.waiting_since, clock_set)
        participant.called_at = _moved(participant.called_at, clock_set)
    events.record(
        transaction,
        at=now,
        actor=Actor.BOT,
        kind=EventKind.CLOCK_SET,
        subject="bot",
        seconds=clock_set.total_seconds(),
        sessions=len(sessions),
    )


def _moved(moment: datetime | None, duration: timedelta) -> datetime | None:
    return None if moment is None else moment + duration


def _keep_calls(transaction: Transaction, since: datetime, until: datetime) -> None:
    """Hold the seats of those who were called from the queue for as much longer as nobody was served."""
    called = select(Participant).where(col(Participant.waiting_since).is_not(None), col(Participant.called_at) < until)
    for participant in transaction.exec(called).all():
        if participant.called_at is not None and since - CALL_HOLDS < participant.called_at:
            participant.called_at += until - max(since, participant.called_at)
