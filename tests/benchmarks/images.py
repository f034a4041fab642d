"""Images to measure with: what they show does not matter, how many and how large they are does."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.images.sources import ImageCollection, split_by_class
from training.tasks import IMAGENET, Task, TaskFacts

CLASSES = 10
_HELD_OUT = 20


@dataclass(frozen=True)
class Noise:
    """Random pixels."""

    size: int
    images: int

    def load(self) -> ImageCollection:
        """The same ones in every process."""
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (self.images, self.size, self.size, 3), np.uint8)
        labels = np.arange(self.images, dtype=np.int64) % CLASSES
        return ImageCollection(pixels, labels, *split_by_class(labels, _HELD_OUT, _HELD_OUT, seed=10))


def noise_task(size: int, images: int) -> Task:
    """The paper's network on random pixels."""
    facts = TaskFacts(CLASSES, images - 2 * _HELD_OUT, _HELD_OUT, _HELD_OUT, size)
    return Task(f"noise-{size}", facts, "squeezenet1_1", Noise(size, images), IMAGENET)


def write_photographs(folder: Path, images: int) -> None:
    """Smooth JPEG files whose shorter side is 160 pixels, as in Imagenette's archive, in ten class folders."""
    random = np.random.default_rng(0)
    for number in range(images):
        place = folder / f"n{number % CLASSES:08}"
        place.mkdir(parents=True, exist_ok=True)
        rough = Image.fromarray(random.integers(0, 256, (16, 21, 3), np.uint8))
        rough.resize((213, 160), Image.Resampling.BICUBIC).save(place / f"{number:05}.JPEG", quality=90)
