"""The tasks that can be trained: a data set, a network and an input size under one name.

Participants may know a task's :class:`TaskFacts` and nothing else of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training.images.files import Imagenette
from training.images.sources import Digits, ImageSource, Mnist


@dataclass(frozen=True)
class TaskFacts:
    """What participants may know of a task (the paper's section 2.1: the kind of task and its statistics).

    Attributes:
        classes: The number of classes.
        training_images, validation_images, test_images: Sizes of the splits.
        image_size: Height and width in pixels.
    """

    classes: int
    training_images: int
    validation_images: int
    test_images: int
    image_size: int


@dataclass(frozen=True)
class Normalisation:
    """What is subtracted from each channel (red, green, blue; 0 to 1) and what the rest is divided by."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""ImageNet's own statistics, as torchvision's models document them; the paper's choice."""


@dataclass(frozen=True)
class Task:
    """Something to train. It travels to worker processes, so all of it must pickle.

    Attributes:
        name: How ``study.toml`` and the command line call it.
        facts: What participants may know; loading checks that the images agree.
        network: A classifier of ``torchvision.models`` by name; it starts from random weights.
        source: Where the images come from.
        normalisation: ``None``: each channel's own mean and deviation over the training split.
        shows_only: It shows how a study goes, and is not fit to measure skill: ``blackmagic pilot`` says why.
    """

    name: str
    facts: TaskFacts
    network: str
    source: ImageSource
    normalisation: Normalisation | None = None
    shows_only: bool = False


class UnknownTask(LookupError):
    """There is no task of that name. ``str(error)`` names those there are."""


class Tasks:
    """The tasks of an installation, by name: the built-in ones, and any that a study brings.

    Raises:
        ValueError: Two tasks have one name.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks: dict[str, Task] = {}
        for task in tasks:
            if task.name in self._tasks:
                raise ValueError(f"Two tasks are called {task.name}: give one of them another name.")
            self._tasks[task.name] = task

    def __getitem__(self, name: str) -> Task:
        """The task of that name.

        Raises:
            UnknownTask: There is none.
        """
        try:
            return self._tasks[name]
        except KeyError:
            raise UnknownTask(f"There is no task {name!r}. Choose one of: {', '.join(self.names)}.") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tasks."""
        return tuple(self._tasks)

    def with_more(self, tasks: Iterable[Task]) -> "Tasks":
        """These tasks and more.

        Raises:
            ValueError: Two tasks have one name.
        """
        return Tasks([*self._tasks.values(), *tasks])


DIGITS_SQUEEZENET = Task(
    name="digits-squeezenet",
    facts=TaskFacts(classes=10, training_images=1437, validation_images=180, test_images=180, image_size=32),
    network="squeezenet1_1",
    source=Digits(size=32, validation_images=180, test_images=180, split_seed=10),
    shows_only=True,
)
"""The paper's network on images that are small and few, so that a demonstration is quick."""

MNIST_SQUEEZENET = Task(
    name="mnist-squeezenet",
    facts=TaskFacts(classes=10, training_images=4000, validation_images=500, test_images=500, image_size=64),
    network="squeezenet1_1",
    source=Mnist(size=64, validation_images=500, test_images=500, split_seed=10),
    shows_only=True,
)
"""The paper's network on images that come with a package.

Its trials take long enough and its test split is large enough, but 3 of 5 settings that can learn in four epochs fail
to with another seed, on two CPU threads:
``blackmagic pilot --task mnist-squeezenet --settings 12 --seeds 3 --epochs 4``
"""


def built_in(data: Path) -> Tasks:
    """The tasks that every installation has.

    Args:
        data: The folder for data sets that are fetched, and for the decoded images.
    """
    return Tasks([DIGITS_SQUEEZENET, MNIST_SQUEEZENET, _imagenette_squeezenet(data)])


def _imagenette_squeezenet(data: Path) -> Task:
    """The paper's (section 2.1): it tells participants 13,000 training images, and there are 12,394."""
    source = Imagenette(data, size=128, validation_images=500, test_images=500, split_seed=10)
    return Task(
        name="imagenette-squeezenet",
        facts=TaskFacts(
            classes=10,
            training_images=source.images - source.validation_images - source.test_images,
            validation_images=source.validation_images,
            test_images=source.test_images,
            image_size=source.size,
        ),
        network="squeezenet1_1",
        source=source,
        normalisation=IMAGENET,
    )


BUILT_IN = built_in(Path("data"))
"""The same, with their files in the folder ``data`` where the program was started."""
