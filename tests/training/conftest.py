import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import torch
from PIL import Image

from bot.runner.dispatcher import Dispatcher
from bot.runner.running_jobs import RunningJobs
from storage.database import Store
from storage.schema.states import TrialState
from storage.schema.tables import Session, Trial
from storage.transitions import choices, participants, sessions, studies, trials
from storage.transitions.jobs import Job
from training.hyperparameters import Configuration, Value
from training.images.data import TaskData, load
from training.images.files import Imagenette
from training.images.sources import Digits, ImageCollection
from training.reproducibility.environment import prepare
from training.tasks import DIGITS_SQUEEZENET, IMAGENET, Task, TaskFacts
from training.trial import BatchLosses, EpochEnd, Outcome, Progress
from training.workers import Failed, LocalWorkers, Workers

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class FewDigits:
    """The built-in digits, cut down to the first images of each split: enough to train on, and quick."""

    training: int
    validation: int
    test: int

    def load(self) -> ImageCollection:
        everything = Digits(size=32, validation_images=180, test_images=180, split_seed=10).load()
        return replace(
            everything,
            training=everything.training[: self.training],
            validation=everything.validation[: self.validation],
            test=everything.test[: self.test],
        )


@dataclass(frozen=True)
class HangingOnce:
    """A source that hangs the first time it is loaded, as a disk in trouble does."""

    flag: Path
    source: FewDigits

    def load(self) -> ImageCollection:
        if not self.flag.exists():
            self.flag.touch()
            time.sleep(600)
        return self.source.load()


FEW = Task(
    name="few-digits",
    facts=TaskFacts(classes=10, training_images=48, validation_images=20, test_images=20, image_size=32),
    network="squeezenet1_1",
    source=FewDigits(training=48, validation=20, test=20),
)


class MakeConfiguration(Protocol):
    """A configuration that learns, with some values changed."""

    def __call__(self, **values: Value) -> Configuration: ...


@dataclass(frozen=True)
class Record:
    """What one trial reported, without its times."""

    losses: tuple[float, ...]
    epochs: tuple[tuple[int, float, float | None], ...]
    ending: str
    accuracy: float | None


def _record(items: Iterator[Progress | None]) -> Record:
    reports = [item for item in items if item is not None]
    outcome = reports[-1]
    assert isinstance(outcome, Outcome)
    return Record(
        losses=tuple(loss for item in reports if isinstance(item, BatchLosses) for loss in item.losses),
        epochs=tuple((each.epoch, each.training_loss, each.accuracy) for each in reports if isinstance(each, EpochEnd)),
        ending=outcome.ending,
        accuracy=outcome.accuracy,
    )


@pytest.fixture(autouse=True)
def prepared() -> Iterator[None]:
    prepare(CPU, threads=1)
    yield
    torch.set_flush_denormal(False)  # it holds for all arithmetic of the thread, other tests' too


@pytest.fixture(scope="session")
def few_task() -> Task:
    return FEW


@pytest.fixture
def hanging_task(tmp_path: Path) -> Task:
    """A task whose images cannot be loaded the first time."""
    return replace(FEW, source=HangingOnce(tmp_path / "loaded", FewDigits(48, 20, 20)))


@pytest.fixture(scope="session")
def few() -> TaskData:
    return load(FEW, CPU)


@pytest.fixture(scope="session")
def digits() -> TaskData:
    return load(DIGITS_SQUEEZENET, CPU)


@pytest.fixture(scope="session")
def configuration() -> MakeConfiguration:
    def make(**values: Value) -> Configuration:
        usual: dict[str, Value] = {"epochs": 2, "batch_size": 16, "loss": "cross_entropy", "optimizer": "adam"}
        return Configuration.create(usual | values)

    return make


@pytest.fixture(scope="session")
def record() -> Callable[[Iterator[Progress | None]], Record]:
    """Runs a trial to its end."""
    return _record


def _draw(folder: Path, images: int, seed: int, suffix: str = ".JPEG") -> None:
    """Photographs of noise, no two of one shape."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(images):
        shape = (int(random.integers(40, 70)), int(random.integers(40, 70)), 3)
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(folder / f"image_{number:03}{suffix}", "JPEG")


@pytest.fixture
def imagenette_folder(tmp_path: Path) -> Path:
    """A data folder with Imagenette's layout in it: 10 classes, 8 images of each to train, 4 to validate on."""
    for half, images in (("train", 8), ("val", 4)):
        for number in range(10):
            _draw(tmp_path / "imagenette2-160" / half / f"n{number:08}", images, seed=100 * images + number)
    return tmp_path


@pytest.fixture
def small_imagenette(imagenette_folder: Path) -> Task:
    """A task like the paper's on these images."""
    source = Imagenette(imagenette_folder, size=32, validation_images=20, test_images=20, split_seed=10, images=120)
    return Task("small-imagenette", TaskFacts(10, 80, 20, 20, 32), "squeezenet1_1", source, IMAGENET)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """A data folder with a folder of three class folders in it, 30 images in each."""
    for seed, name in enumerate(("daisy", "rose", "tulip")):
        _draw(tmp_path / "flowers" / name, 30, seed, suffix=".jpg")
    return tmp_path


class Watching:
    """Remembers what the loop between storage and workers tells."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.lost: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.slots: list[tuple[int, str]] = []
        self.errors: list[Exception] = []

    def job_moved(self, job: Job) -> None:
        """Nobody looks at every step."""

    def job_ended(self, job: Job) -> None:
        self.ended.append(job.key)

    def job_lost(self, job: Job) -> None:
        self.lost.append(job.key)

    def job_failed(self, job: Job, failed: Failed) -> None:
        self.failed.append((job.key, failed.detail))

    def slot_failed(self, slot: int, reason: str) -> None:
        self.slots.append((slot, reason))

    def loop_failed(self, error: Exception) -> None:
        self.errors.append(error)


class Running:
    """A study file, its database, and participants who tune without Slack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "study.toml").read_text(encoding="utf-8")
        database = f"sqlite:///{folder / 'study.db'}"
        self.file = folder / "study.toml"
        self.file.write_text(text.replace("sqlite:///blackmagic.db", database), encoding="utf-8")
        (folder / "consent.md").write_text("Please agree.", encoding="utf-8")
        self.store = Store(database)
        self.store.migrate()
        studies.prepare_study(self.store, name="Black Magic", rules="", rules_hash="a" * 64, now=now())
        studies.open_study(self.store, actor="researcher-1", now=now())
        self._people = itertools.count(1)

    def seated(self, task: str = "digits-squeezenet") -> Session:
        """A new participant's session."""
        name = f"{next(self._people):04}"
        person = participants.invite(self.store, slack_user=f"U{name}", slack_channel=f"D{name}", now=now())
        participants.consent(self.store, person.id, consent_hash="c", now=now())
        participants.describe(
            self.store,
            person.id,
            months=6,
            education="doctorate",
            answers={},
            tasks=[task],
            group="medium",
            block_seed=1,
            now=now(),
        )
        return sessions.begin(self.store, person.id, task=task, limit=timedelta(hours=2), seats=9, now=now())

    def submit(self, session: Session, wanted: Configuration) -> Trial:
        return trials.submit(self.store, session.id, configuration=wanted, comments={}, now=now())

    def choose(self, session: Session, wanted: Configuration, seeds: Sequence[int]) -> int:
        """Make the final choice; returns its number."""
        chosen = choices.choose(self.store, session.id, choice=wanted, seeds=seeds, training_images=1437, now=now())
        return chosen.choice.id

    @contextmanager
    def jobs(
        self,
        *tasks: Task,
        slots: int = 1,
        mixed_devices: bool = False,
        warming: float = 300,
        around: Callable[[Workers], Workers] = lambda workers: workers,
    ) -> Iterator[tuple[RunningJobs, Watching]]:
        """Real workers, or something around them, and the loop that feeds them."""
        watching = Watching()
        workers = around(LocalWorkers(tasks or (DIGITS_SQUEEZENET,), slots, warming=warming))
        running = RunningJobs(workers)
        loop = Dispatcher(self.store, workers, running, watching, mixed_devices=mixed_devices)
        loop.start()
        try:
            yield running, watching
        finally:
            loop.close()

    def state(self, trial: Trial) -> TrialState:
        return trials.get(self.store, trial.id).state


def now() -> datetime:
    return datetime.now(UTC)


def _wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    study = Running(tmp_path)
    yield study
    study.store.close()


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Waits until something is true, and fails when it never is."""
    return _wait_until
