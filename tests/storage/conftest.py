"""A real SQLite file per test, and a study in it that a test can move through by name."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from storage import choices, jobs, participants, sessions, studies, trials
from storage.comments import Comment, Remark
from storage.database import Store
from storage.jobs import Ending, Job
from storage.states import TrialState
from storage.tables import Participant, Session, Trial
from training.hyperparameters import Configuration

NINE = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
SEEDS = tuple(range(10))


@dataclass
class Lab:
    """A study in progress, with a clock that the test moves."""

    store: Store
    now: datetime = NINE
    seats: int = 2
    seeds: tuple[int, ...] = SEEDS
    limit: timedelta = timedelta(hours=2)
    grace: timedelta = timedelta(minutes=10)
    invited: int = field(default=0)

    def later(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now

    def open(self) -> None:
        studies.open_study(self.store, name="skill", rules_toml="hours = 2", rules_hash="a" * 64, now=self.now)

    def invite(self) -> Participant:
        self.invited += 1
        return participants.invite(
            self.store, slack_user=f"U{self.invited:04}", slack_channel=f"D{self.invited:04}", now=self.now
        )

    def described(self) -> Participant:
        participant = self.invite()
        participants.consent(self.store, participant.id, consent_hash="c", now=self.now)
        return participants.describe(
            self.store, participant.id, months=6, education="Masters (enrolled)", answers={}, now=self.now
        )

    def begin(self, participant: Participant) -> Session:
        return sessions.begin(
            self.store, participant.id, task="digits", limit=self.limit, seats=self.seats, now=self.now
        )

    def seated(self) -> Session:
        return self.begin(self.described())

    def submit(self, session: Session, **values: Any) -> Trial:
        return trials.submit(
            self.store,
            session.id,
            configuration=configuration(**values),
            comments={"learning_rate": Remark(Comment.GUESS), "epochs": Remark(Comment.OTHER, "time is short")},
            now=self.now,
        )

    def claim(self, slot: int = 0, **options: Any) -> Job:
        job = jobs.claim(self.store, now=self.now, slot=slot, **options)
        assert job is not None
        return job

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

    def expire(self, session: Session) -> sessions.Expired:
        return sessions.expire(self.store, session.id, grace=self.grace, now=self.now)


def configuration(**values: Any) -> Configuration:
    return Configuration.create({"epochs": 2, "batch_size": 64, "loss": "nll", "optimizer": "sgd", **values})


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data base that the migrations made, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "study.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.scrub()
    store.close()
    return path


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    shutil.copy(migrated, tmp_path / "study.db")
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    yield store
    store.close()


@pytest.fixture
def lab(store: Store) -> Lab:
    lab = Lab(store)
    lab.open()
    return lab


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
