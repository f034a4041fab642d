"""Tasks that load and train in a moment. Worker processes import this file, so it imports little."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from training.images.sources import Digits, ImageCollection
from training.tasks import Task, TaskFacts


@dataclass(frozen=True)
class FewDigits:
    """The built-in digits, cut down to the first images of each split."""

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
