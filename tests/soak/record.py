"""What the bot has kept, and what people see of it, as plain data to be compared with the books."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlmodel import col, select

from bot.sandbox.client.person import Person
from storage import events
from storage.database import Store
from storage.schema.states import EventKind, SessionEnd, TrialState
from storage.schema.tables import Evaluation, FinalChoice, Notice, Session, Trial

_RESULT = re.compile(r"Trial \d+ · (?:validation accuracy|cancelled|diverged|failed)")
_RATE = re.compile(r"learning rate ([\d.e-]+\d)")
_TIME_IS_UP = "Your time is up"


@dataclass(frozen=True)
class StoredTrial:
    """A trial in the database. Moments are Unix time."""

    id: int
    session: int
    number: int
    rate: float
    state: TrialState
    submitted_at: float
    ended_at: float | None


@dataclass(frozen=True)
class StoredSession:
    """A session in the database. Moments are Unix time, durations seconds.

    Attributes:
        evaluations: The state of each evaluation of its final choice, by its seed.
    """

    id: int
    started_at: float
    limit: float
    deadline: float
    given_back: float
    expired_at: float | None
    grace_ends_at: float | None
    finished_at: float | None
    ended_as: SessionEnd | None
    has_choice: bool = False
    evaluations: Mapping[int, TrialState] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The reply with a trial's result, as somebody sees it."""

    person: str
    rate: float
    at: float


@dataclass(frozen=True)
class Record:
    """All of it.

    Attributes:
        results: Replies with results on the screens.
        told_up: For each person, when they were told that their time was up.
        notices: How many notices wait to be posted.
        log: What the bots said.
    """

    trials: list[StoredTrial]
    sessions: list[StoredSession]
    results: list[Result]
    told_up: Mapping[str, list[float]]
    notices: int
    log: str


def read(database: str, people: Iterable[Person], log: Path) -> Record:
    """Read the database and the screens."""
    store = Store(database)
    try:
        trials, sessions, notices = _trials(store), _sessions(store), _notices(store)
    finally:
        store.close()
    results: list[Result] = []
    told_up: dict[str, list[float]] = {}
    for person in people:
        for message in person.messages():
            if not message.bot or message.deleted:
                continue
            rate = _RATE.search(message.text)
            if _RESULT.match(message.text) and rate is not None:
                results.append(Result(person.id, float(rate[1]), float(message.ts)))
            elif _TIME_IS_UP in message.text:
                told_up.setdefault(person.id, []).append(float(message.ts))
    return Record(trials, sessions, results, told_up, notices, log.read_text(errors="replace"))


def _trials(store: Store) -> list[StoredTrial]:
    with store.read() as transaction:
        return [
            StoredTrial(
                id=each.id,
                session=each.session_id,
                number=each.number,
                rate=each.learning_rate,
                state=each.state,
                submitted_at=each.submitted_at.timestamp(),
                ended_at=_unix(each.ended_at),
            )
            for each in transaction.exec(select(Trial).order_by(col(Trial.id)))
        ]


def _sessions(store: Store) -> list[StoredSession]:
    expired = {each.subject: each.at for each in events.read(store, kind=EventKind.SESSION_EXPIRED)}
    with store.read() as transaction:
        choices = {each.session_id: each.id for each in transaction.exec(select(FinalChoice))}
        evaluations: dict[int, dict[int, TrialState]] = {}
        for each in transaction.exec(select(Evaluation)):
            evaluations.setdefault(each.final_choice_id, {})[each.seed] = each.state
        return [
            StoredSession(
                id=each.id,
                started_at=each.started_at.timestamp(),
                limit=each.limit_seconds,
                deadline=each.deadline.timestamp(),
                given_back=each.given_back_seconds,
                expired_at=_unix(expired.get(each.subject)),
                grace_ends_at=_unix(each.grace_ends_at),
                finished_at=_unix(each.finished_at),
                ended_as=each.ended_as,
                has_choice=each.id in choices,
                evaluations=evaluations.get(choices.get(each.id, 0), {}),
            )
            for each in transaction.exec(select(Session).order_by(col(Session.id)))
        ]


def _notices(store: Store) -> int:
    with store.read() as transaction:
        return len(transaction.exec(select(Notice.id)).all())


def _unix(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def is_quiet(store: Store) -> bool:
    """Whether nothing waits, runs, or is to be told."""
    unfinished = [state for state in TrialState if not state.is_finished]
    with store.read() as transaction:
        trials = transaction.exec(select(Trial.id).where(col(Trial.state).in_(unfinished))).first()
        evaluations = transaction.exec(select(Evaluation.id).where(col(Evaluation.state).in_(unfinished))).first()
        notices = transaction.exec(select(Notice.id)).first()
    return trials is None and evaluations is None and notices is None
