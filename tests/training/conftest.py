from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import pytest
import torch

from training.data import TaskData, load
from training.environment import prepare
from training.hyperparameters import Configuration, Value
from training.images import Digits, ImageCollection
from training.tasks import DIGITS_SQUEEZENET, Task, TaskFacts
from training.trial import BatchLosses, EpochEnd, Outcome, Progress

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
