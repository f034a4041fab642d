"""Image files on disk as a data set: a folder of class folders, and Imagenette in torchvision's layout.

Both are decoded once into a :mod:`training.images.cache`, which every worker of a machine then shares.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from training.images.cache import Listing, NoImages, Pixels, Report, open_or_build
from training.images.sources import ImageCollection
from training.images.splitting import split_by_class

log = logging.getLogger(__name__)

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})

IMAGENETTE_IMAGES = 13_394
"""In Imagenette's second version: 9,469 to train and 3,925 to validate on, which the paper pools."""


class MissingImages(ValueError):
    """The files are not there, or not those the task describes. ``str(error)`` says what to do."""


class _NoImages(MissingImages, NoImages):
    """None of the files is there."""


@runtime_checkable
class PreparedSource(Protocol):
    """An image source that needs work before its first use."""

    def prepare(self, report: Report) -> Path:
        """Do the work, unless it is done; returns the cache.

        Raises:
            MissingImages: Files are not there.
            training.images.cache.CacheError: The cache cannot be written, or an image cannot be read.
        """


@dataclass(frozen=True)
class ImageFolder:
    """A folder with one folder of images per class; the classes are numbered in the order of their names.

    Attributes:
        folder: Where the class folders are.
        cache: The folder for the decoded images.
        size: Height and width to resize to, in pixels; the shape of an image is not kept.
        images, classes: How many there must be, so that a study cannot run on other ones unnoticed.
        validation_images, test_images: Sizes of these splits; the training split is the rest.
        split_seed: Decides which image is in which split; a property of the task, not of a trial.
    """

    folder: Path
    cache: Path
    size: int
    images: int
    classes: int
    validation_images: int
    test_images: int
    split_seed: int

    def prepare(self, report: Report) -> Path:
        """Decode all images, unless the cache has them; see :class:`PreparedSource`."""
        return self._pixels(report).path

    def load(self) -> ImageCollection:
        """The images from the cache, which is made first where it is missing, outdated or damaged."""
        pixels = self._pixels(_log_progress)
        return _split(pixels, self.validation_images, self.test_images, self.split_seed)

    def _pixels(self, report: Report) -> Pixels:
        return open_or_build(self.cache, self.folder.name, self.size, self._list, report)

    def _list(self, fetch: bool) -> Listing:  # noqa: ARG002 - there is nowhere to fetch it from
        listing = list_classes(self.folder, [self.folder])
        if (len(listing.files), listing.classes) != (self.images, self.classes):
            raise MissingImages(
                f"{self.folder} has {len(listing.files)} images in {listing.classes} classes; the study's rules say "
                f"{self.images} in {self.classes}. Complete the folder, or correct the task in study.toml."
            )
        return listing


@dataclass(frozen=True)
class Imagenette:
    """The paper's data set, in the archive whose shorter sides are 160 pixels; its two halves are pooled.

    Attributes:
        data: The folder that the archive is unpacked in; the cache is beside it.
        size: Height and width to resize to, in pixels: at most 160.
        images: How many there must be.
        validation_images, test_images, split_seed: As in :class:`ImageFolder`.
    """

    data: Path
    size: int
    validation_images: int
    test_images: int
    split_seed: int
    images: int = IMAGENETTE_IMAGES

    def prepare(self, report: Report) -> Path:
        """Download what is missing and decode all images; see :class:`PreparedSource`."""
        return self._pixels(report).path

    def load(self) -> ImageCollection:
        """The images from the cache, which is made first where it is missing, outdated or damaged."""
        return _split(self._pixels(_log_progress), self.validation_images, self.test_images, self.split_seed)

    def _pixels(self, report: Report) -> Pixels:
        return open_or_build(self.data / "cache", "imagenette2-160", self.size, self._list, report)

    def _list(self, fetch: bool) -> Listing:
        folder = self.data / "imagenette2-160"
        if fetch and not folder.exists():
            self._fetch()
        listing = list_classes(folder, [folder / "train", folder / "val"])
        if len(listing.files) != self.images:
            raise MissingImages(
                f"{folder} has {len(listing.files)} images where Imagenette has {self.images}. "
                "Delete the folder, so that it is fetched anew."
            )
        return listing

    def _fetch(self) -> None:
        from torchvision.datasets import Imagenette as Archive

        log.warning("Downloading the 160 px archive of Imagenette into %s; this happens once.", self.data)
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            Archive(self.data, size="160px", download=True)
        except (OSError, RuntimeError) as error:
            raise MissingImages(
                f"Imagenette cannot be fetched into {self.data} ({error}). Check the network and the disk, or put the "
                "unpacked folder imagenette2-160 there yourself."
            ) from error


def list_classes(root: Path, folders: list[Path]) -> Listing:
    """Every image under some folders of class folders, which have the same classes, in the order of their names.

    Raises:
        MissingImages: A folder is not there, or the folders have different classes.
    """
    names: list[str] = []
    files: list[Path] = []
    labels: list[int] = []
    there = any(each.is_dir() for each in folders)
    for folder in folders:
        if not folder.is_dir():
            raise (MissingImages if there else _NoImages)(
                f"There is no folder {folder}. Put the images there, one folder for each class."
            )
        found = sorted(each.name for each in folder.iterdir() if each.is_dir())
        names = names or found
        if found != names:
            raise MissingImages(f"{folder} has other classes than {folders[0]}. Put a folder for each class in both.")
        for label, name in enumerate(names):
            images = sorted(each for each in (folder / name).rglob("*") if each.suffix.lower() in _SUFFIXES)
            files += images
            labels += [label] * len(images)
    return Listing(root, tuple(files), tuple(labels))


def _split(pixels: Pixels, validation_images: int, test_images: int, seed: int) -> ImageCollection:
    labels = pixels.labels.astype(np.int64)
    return ImageCollection(pixels.images, labels, *split_by_class(labels, validation_images, test_images, seed))


def _log_progress(done: int, total: int) -> None:
    if done == 0:
        log.warning("Decoding %d images, once; `blackmagic data prepare` does it ahead of time.", total)
