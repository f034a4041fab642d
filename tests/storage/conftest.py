"""A real database per test, SQLite and PostgreSQL, and a study in it that a test can move through by name."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from storage.database import Store
from storage.schema.comments import Comment, Remark
from storage.schema.states import Actor, TrialState
from storage.schema.tables import Baseline, Participant, Session, Study, Trial
from storage.transitions import baselines, choices, jobs, participants, sessions, studies, trials
from storage.transitions.jobs import Ending, Job
from storage.transitions.participants import Withdrawal
from storage.transitions.time_credit import extend
from tests.storage import databases
from tests.storage.databases import BOTH
from tests.storage.postgresql import PostgreSQL
from training.hyperparameters import Configuration

NINE = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
SEEDS = tuple(range(10))
RESEARCHER = "researcher-1"


@dataclass
class Lab:
    """A study in progress, with a clock that the test moves."""

    store: Store
    now: datetime = NINE
    seats: int = 2
    seeds: tuple[int, ...] = SEEDS
    limit: timedelta = timedelta(hours=2)
    grace: timedelta = timedelta(minutes=10)
    tasks: tuple[str, ...] = ("digits",)
    arms: tuple[str, ...] = ()
    invited: int = field(default=0)

    def later(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now

    def prepare(self, name: str = "skill", rules: str = "a") -> Study:
        return studies.prepare_study(self.store, name=name, rules=rules, rules_hash=rules * 64, now=self.now)

    def open(self, name: str = "skill", rules: str = "a") -> Study:
        self.prepare(name, rules)
        return studies.open_study(self.store, actor=RESEARCHER, now=self.now)

    def invite(self) -> Participant:
        self.invited += 1
        return participants.invite(
            self.store, slack_user=f"U{self.invited:04}", slack_channel=f"D{self.invited:04}", now=self.now
        )

    def described(self, *, group: str = "medium", months: float = 6) -> Participant:
        participant = self.invite()
        participants.consent(self.store, participant.id, consent_hash="c", now=self.now)
        return participants.describe(
            self.store,
            participant.id,
            months=months,
            education="Masters (enrolled)",
            answers={"age": "30"},
            tasks=self.tasks,
            group=group,
            arms=self.arms,
            block_seed=5,
            now=self.now,
        )

    def begin(self, participant: Participant) -> Session:
        return sessions.begin(
            self.store, participant.id, task="digits", limit=self.limit, seats=self.seats, now=self.now
        )

    def seated(self) -> Session:
        return self.begin(self.described())

    def submit(self, session: Session, *, form: str = "", **values: Any) -> Trial:
        return trials.submit(
            self.store,
            session.id,
            configuration=configuration(**values),
            comments={"learning_rate": Remark(Comment.GUESS), "epochs": Remark(Comment.OTHER, "time is short")},
            form=form,
            now=self.now,
        )

    def claim(self, slot: int = 0, **options: Any) -> Job:
        job = jobs.claim(self.store, now=self.now, slot=slot, **options)
        assert job is not None
        return job

    def claim_nothing(self) -> bool:
        """Whether a slot that asks gets nothing."""
        return jobs.claim(self.store, now=self.now, slot=0) is None

    def complete(self, job: Job, accuracy: float = 50.0) -> None:
        jobs.finish(self.store, job, Ending(TrialState.COMPLETE, accuracy=accuracy, seconds=3.0), now=self.now)

    def tried(self, session: Session, accuracy: float, **values: Any) -> Trial:
        """A trial of this session, trained to its end."""
        trial = self.submit(session, **values)
        self.complete(self.claim(), accuracy)
        return trials.get(self.store, trial.id)

    def choose(self, session: Session, choice: int | Configuration) -> choices.Chosen:
        return choices.choose(
            self.store, session.id, choice=choice, seeds=self.seeds, training_images=1437, now=self.now
        )

    def give_back(self, session: Session, **duration: float) -> Session:
        """Time credit, as jobs and recovery give it."""
        with self.store.write() as transaction:
            moved = transaction.need(Session, session.id)
            extend(transaction, moved, timedelta(**duration), why="power cut", now=self.now, actor=Actor.BOT)
            return moved

    def expire(self, session: Session) -> sessions.Expired:
        return sessions.expire(self.store, session.id, grace=self.grace, now=self.now)

    def withdraw(self, session: Session, *, delete_data: bool = False, actor: str | None = None) -> Withdrawal:
        return participants.withdraw(
            self.store, session.participant_id, delete_data=delete_data, actor=actor, now=self.now
        )

    def forget_links(self) -> int:
        """What closing the study does to the links."""
        with self.store.write() as transaction:
            return participants.forget_links(transaction, now=self.now, actor=RESEARCHER)

    def start_random(self, count: int) -> Baseline:
        drawn = [configuration(learning_rate=number / 100) for number in range(1, count + 1)]
        return baselines.start_random(
            self.store,
            task="digits",
            configurations=drawn,
            seed=1,
            training_seed=10,
            actor=RESEARCHER,
            now=self.now,
        )

    def start_tpe(self, wanted: int = 2, *, tries: int | None = 3, seconds: float | None = None) -> Baseline:
        return baselines.start_tpe(
            self.store,
            task="digits",
            wanted=wanted,
            tries=tries,
            seconds=seconds,
            seed=1,
            actor=RESEARCHER,
            now=self.now,
        )

    def member(self, baseline: Baseline) -> Session:
        """The next artificial participant's session."""
        session = baselines.next_member(self.store, baseline.id, training_seed=10, now=self.now)
        assert session is not None
        return session


def configuration(**values: Any) -> Configuration:
    return Configuration.create({"epochs": 2, "batch_size": 64, "loss": "nll", "optimizer": "sgd", **values})


@pytest.fixture(scope="session")
def migrated() -> Path:
    return databases.migrated()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def make_url(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Makes databases with the newest tables and nothing in them, on ``sqlite`` or on ``postgresql``."""
    names = (f"study{number or ''}.db" for number in itertools.count())
    with ExitStack() as stack:

        def make(kind: str) -> str:
            if kind == "postgresql":
                server: PostgreSQL = request.getfixturevalue("postgresql")
                url = server.new()
                stack.callback(server.drop, url)
                return url
            path = tmp_path / next(names)
            shutil.copy(migrated, path)
            return f"sqlite:///{path}"

        yield make


@pytest.fixture
def sqlite_store(make_url: Callable[[str], str]) -> Iterator[Store]:
    """For what is peculiar to SQLite: the file ``study.db`` in ``tmp_path``."""
    store = Store(make_url("sqlite"))
    yield store
    store.close()


@pytest.fixture(params=BOTH)
def store(make_url: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Store]:
    """Both databases keep the same promises, so every test asks both. It leaves the tables themselves as they are."""
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        store = Store(server.emptied())
    else:
        store = Store(make_url("sqlite"))
    yield store
    store.close()


@pytest.fixture(params=BOTH)
def own_store(make_url: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Store]:
    """The same for a test that changes the tables."""
    store = Store(make_url(request.param))
    yield store
    store.close()


@pytest.fixture
def lab_of() -> Callable[[Store], Lab]:
    """An open study in a database."""

    def begin(store: Store) -> Lab:
        lab = Lab(store)
        lab.open()
        return lab

    return begin


@pytest.fixture
def empty_lab(store: Store) -> Lab:
    """Before there is any study."""
    return Lab(store)


@pytest.fixture
def lab(empty_lab: Lab) -> Lab:
    empty_lab.open()
    return empty_lab


@pytest.fixture
def make_configuration() -> Callable[..., Configuration]:
    return configuration


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """Call functions at the same moment, each in its own thread; returns what they returned or raised."""

    def race(*calls: Callable[[], Any]) -> list[Any]:
        start = Barrier(len(calls))

        def run(call: Callable[[], Any]) -> Any:
            start.wait()
            try:
                return call()
            except Exception as error:  # noqa: BLE001 (the test looks at it)
                return error

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))

    return race
