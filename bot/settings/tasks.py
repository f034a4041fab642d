"""A study's own task, as ``study.toml`` describes it under ``[[tasks]]``."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from training.images.files import ImageFolder
from training.tasks import IMAGENET, Task, TaskFacts

_FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")]


class TaskSection(BaseModel):
    """A folder with one folder of images per class, under ``machine.data``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,60}$")]
    folder: _FolderName
    images: PositiveInt
    classes: Annotated[int, Field(ge=2, le=65_535)]
    image_size: Annotated[int, Field(ge=8, le=1024)]
    network: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = "squeezenet1_1"
    validation_images: PositiveInt
    test_images: PositiveInt
    split_seed: Annotated[int, Field(ge=0, lt=2**31)] = 10
    normalisation: Literal["imagenet", "own"] = "imagenet"

    @model_validator(mode="after")
    def _splits_fit(self) -> Self:
        if self.training_images < self.classes:
            raise ValueError(
                f"task {self.name}: {self.images} images are too few for {self.validation_images} to validate on, "
                f"{self.test_images} to test on and one of each class to train on"
            )
        if min(self.validation_images, self.test_images) < self.classes:
            raise ValueError(f"task {self.name}: each split needs an image of every class")
        return self

    @property
    def training_images(self) -> int:
        """The number of images that are not in the other splits."""
        return self.images - self.validation_images - self.test_images

    def task(self, data: Path) -> Task:
        """The task, with its files under this folder."""
        return Task(
            name=self.name,
            facts=TaskFacts(
                classes=self.classes,
                training_images=self.training_images,
                validation_images=self.validation_images,
                test_images=self.test_images,
                image_size=self.image_size,
            ),
            network=self.network,
            source=ImageFolder(
                folder=data / self.folder,
                cache=data / "cache",
                size=self.image_size,
                images=self.images,
                classes=self.classes,
                validation_images=self.validation_images,
                test_images=self.test_images,
                split_seed=self.split_seed,
            ),
            normalisation=IMAGENET if self.normalisation == "imagenet" else None,
        )
