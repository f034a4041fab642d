"""A task's images where training needs them: as bytes on the device, normalised there.

A batch is an index into a tensor, so the loop never waits for the host.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.images.sources import ImageCollection, Split
from training.tasks import Normalisation, Task
from training.trial import Part


class WrongData(ValueError):
    """The images are not those the task describes. ``str(error)`` says what differs, for the log."""


@dataclass(frozen=True)
class TaskData:
    """The images of one task on one device, shared by every trial of the process.

    Attributes:
        task: Whose images they are.
        images: uint8, N×3×H×W; channels last in memory, however the shape is written.
        labels: int64, N.
        training, validation, test: int64, the places of each split's images.
        mean, deviation: float32, 3×1×1, in units of a pixel (0 to 255).
        memory_format: The layout of batches on this device.
    """

    task: Task
    images: Tensor
    labels: Tensor
    training: Tensor
    validation: Tensor
    test: Tensor
    mean: Tensor
    deviation: Tensor
    memory_format: torch.memory_format

    @property
    def device(self) -> torch.device:
        """Where the images are, and so where they are trained on."""
        return self.images.device

    def batch(self, places: Tensor) -> Tensor:
        """The images at these places, normalised: float32, B×3×H×W."""
        if self.memory_format is not torch.channels_last:
            pixels = self.images[places].to(torch.float32, memory_format=self.memory_format)
            return pixels.sub_(self.mean).div_(self.deviation)
        # The same numbers, computed in long rows of consecutive bytes, which a CPU reads in one go.
        mean, deviation = self._line_statistics
        _, channels, height, width = self.images.shape
        rows = self._rows.index_select(0, places).to(torch.float32)
        lines = rows.view(len(places), height, width * channels).sub_(mean).div_(deviation)
        return lines.view(len(places), height, width, channels).permute(0, 3, 1, 2)

    @cached_property
    def _rows(self) -> Tensor:
        """The bytes of every image as one row, without a copy."""
        return self.images.permute(0, 2, 3, 1).flatten(1)

    @cached_property
    def _line_statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of every byte in a line of an image."""
        width = self.images.shape[3]
        return self.mean.flatten().repeat(width), self.deviation.flatten().repeat(width)

    def trained_on(self, part: Part) -> Tensor:
        """The places of the images that a trial, or an evaluation, trains on."""
        return self.training if part is Part.TRIAL else torch.cat([self.training, self.validation])

    def measured_on(self, part: Part) -> Tensor:
        """The places of the images that its accuracy is measured on."""
        return self.validation if part is Part.TRIAL else self.test


def load(task: Task, device: torch.device) -> TaskData:
    """Load a task's images and put them on the device.

    Raises:
        WrongData: The images do not agree with the task's facts.
    """
    collection = task.source.load()
    _check(task, collection)
    normalisation = task.normalisation or _statistics(collection)
    # The fast SqueezeNet for CPUs needs channels last. On CUDA, only the other layout has a gradient of max pooling
    # that gives the same bits every time.
    memory_format = torch.channels_last if device.type == "cpu" else torch.contiguous_format
    return TaskData(
        task=task,
        images=torch.from_numpy(collection.pixels).permute(0, 3, 1, 2).to(device),
        labels=torch.from_numpy(collection.labels).to(device),
        training=torch.from_numpy(collection.training).to(device),
        validation=torch.from_numpy(collection.validation).to(device),
        test=torch.from_numpy(collection.test).to(device),
        mean=_per_channel(normalisation.mean).to(device),
        deviation=_per_channel(normalisation.deviation).to(device),
        memory_format=memory_format,
    )


def _per_channel(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor([255 * value for value in values], dtype=torch.float32).reshape(3, 1, 1)


def _statistics(collection: ImageCollection) -> Normalisation:
    """Mean and deviation of each channel over the training split, from counts of pixels: exact on every machine."""
    counts = np.zeros((3, 256), dtype=np.int64)
    for place in collection.training:
        for channel in range(3):
            counts[channel] += np.bincount(collection.pixels[place, :, :, channel].ravel(), minlength=256)
    means, deviations = zip(*(_moments(channel) for channel in counts), strict=True)
    return Normalisation(means, deviations)


def _moments(counts: NDArray[np.int64]) -> tuple[float, float]:
    values, total = np.arange(256, dtype=np.int64), int(counts.sum())
    first, second = int((counts * values).sum()), int((counts * values * values).sum())
    variance = (total * second - first * first) / (total * total)
    # A channel of one colour has no deviation to divide by.
    return first / total / 255, variance**0.5 / 255 or 1.0


def _check(task: Task, collection: ImageCollection) -> None:
    facts, pixels, labels = task.facts, collection.pixels, collection.labels
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (facts.image_size, facts.image_size, 3):
        raise WrongData(
            f"The images of {task.name} are {pixels.dtype} of shape {pixels.shape[1:]}: "
            f"the task promises uint8 of {facts.image_size}×{facts.image_size}×3."
        )
    for split, promised in (
        (Split.TRAINING, facts.training_images),
        (Split.VALIDATION, facts.validation_images),
        (Split.TEST, facts.test_images),
    ):
        if (found := len(collection.split(split))) != promised:
            raise WrongData(f"The {split} split of {task.name} has {found} images: the task promises {promised}.")
    if len(labels) != len(pixels) or ((labels < 0) | (labels >= facts.classes)).any():
        raise WrongData(f"The labels of {task.name} do not fit its {len(pixels)} images and {facts.classes} classes.")
