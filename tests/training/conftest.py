"""Data, configurations and records for the tests of training. torch is imported by the fixtures that need it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest
from PIL import Image

from tests.training.small_tasks import FEW, FewDigits, HangingOnce
from training.hyperparameters import Configuration, Value
from training.images.files import Imagenette
from training.tasks import DIGITS_SQUEEZENET, IMAGENET, Task, TaskFacts
from training.trial import BatchLosses, EpochEnd, Outcome, Progress

if TYPE_CHECKING:
    from training.images.data import TaskData


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


def _load(task: Task) -> "TaskData":
    import torch

    from training.images.data import load

    return load(task, torch.device("cpu"))


@pytest.fixture(autouse=True)
def prepared() -> Iterator[None]:
    import torch

    from training.reproducibility.environment import prepare

    prepare(torch.device("cpu"), threads=1)
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
def few() -> "TaskData":
    return _load(FEW)


@pytest.fixture(scope="session")
def digits() -> "TaskData":
    return _load(DIGITS_SQUEEZENET)


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


def _wait_until(true: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Waits until something is true, and fails when it never is."""
    return _wait_until
