"""The losses of a trial, as its picture shows them: computed without a picture, so that the numbers can be tested."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from storage.queries.views import EpochView

Scale = Literal["linear", "log"]

WIDTH, HEIGHT = 760, 420
"""Pixels of the picture. In a thread on a phone it is some 300 wide, so text of 23 pixels is 9 high there."""

MOST_POINTS = 360
"""Points kept of a curve: more than there are pixel columns in a panel's half would draw nothing new."""

STRETCHES = 48
"""A long epoch is divided into so many stretches. The mean loss of each is drawn over the noisy losses."""

LONG = 160
"""An epoch with so many losses is long."""

FEWEST_EPOCHS_AHEAD = 10
"""The axis has room for so many epochs, also when fewer have ended."""

LOG_FROM_RATIO = 30.0
"""A logarithmic scale helps when the largest loss is this many times the smallest; below, it hides the shape."""


@dataclass(frozen=True)
class Curve:
    """One panel's line: finite losses at the places they belong to, thinned for drawing.

    Attributes:
        places: Batch or epoch numbers, from 1, ascending; at most ``MOST_POINTS``.
        losses: The loss at each place; finite. Of a thinned stretch its smallest and largest are kept.
        length: The right end of the axis: how many there will be when all is done, or in a while.
        scale: How the losses are drawn.
        trend: Of a long curve the place in the middle of each stretch and the stretch's mean loss; empty otherwise.
    """

    places: tuple[int, ...]
    losses: tuple[float, ...]
    length: int
    scale: Scale
    trend: tuple[tuple[float, float], ...] = ()

    def stretches(self, most: int) -> list[tuple[int, float]]:
        """The curve in at most ``most`` points, for a chart with room for few: the mean loss of each stretch.

        Returns:
            The last place of each stretch, and the mean of its losses; all losses if there are no more than ``most``.
            The stretches of a thinned curve are averaged over the losses that were kept.
        """
        count = len(self.places)
        ends = [round(at * count / most) for at in range(1, most + 1)] if count > most else range(1, count + 1)
        starts = [0, *ends]
        return [
            (self.places[end - 1], math.fsum(self.losses[start:end]) / (end - start))
            for start, end in zip(starts, ends, strict=False)
        ]


@dataclass(frozen=True)
class Divergence:
    """Where the loss stopped being a number.

    Attributes:
        epoch: From 1.
        batch: From 1, within the epoch.
        kind: ``"NaN"`` or ``"infinite"``.
    """

    epoch: int
    batch: int
    kind: Literal["NaN", "infinite"]


@dataclass(frozen=True)
class LossCurves:
    """What the picture shows, computed.

    Attributes:
        epoch: The current epoch, from 1.
        epochs_planned: How many the configuration asks for.
        batches: The batch losses of the current epoch.
        epochs: The training loss of each epoch that has ended.
        batch_count: How many batch losses of the current epoch are known, before thinning.
        latest_batch: The last finite batch loss of the current epoch.
        divergence: Where training diverged, ``None`` while it has not.
        alt_text: The picture in words and numbers, for screen readers and for those who see no picture.
    """

    epoch: int
    epochs_planned: int
    batches: Curve
    epochs: Curve
    batch_count: int
    latest_batch: float | None
    divergence: Divergence | None
    alt_text: str


def loss_curves(
    batch_losses: Sequence[float],
    epoch_losses: Sequence[float],
    *,
    epoch: int,
    epochs_planned: int,
    batches_per_epoch: int | None = None,
) -> LossCurves:
    """Compute what the picture of a trial shows.

    Args:
        batch_losses: The losses of the current epoch, in order. A non-finite one is where training diverged;
            what follows it is not shown.
        epoch_losses: The training loss of every epoch that has ended, in order; non-finite ones are left out.
        epoch: The epoch that ``batch_losses`` belong to, from 1 (before the first batch: 1).
        epochs_planned: How many epochs the configuration asks for, from 1.
        batches_per_epoch: How many batches an epoch has, so that the axis does not grow; ``None`` if unknown.
    """
    batches = np.asarray(batch_losses, dtype=np.float64)
    finite = np.isfinite(batches)
    divergence = None
    if not finite.all():
        first = int(np.argmin(finite))
        divergence = Divergence(epoch, first + 1, "NaN" if math.isnan(batches[first]) else "infinite")
        batches = batches[:first]
    ends = np.asarray(epoch_losses, dtype=np.float64)
    ended = np.flatnonzero(np.isfinite(ends))
    latest = float(batches[-1]) if batches.size else None
    return LossCurves(
        epoch=epoch,
        epochs_planned=epochs_planned,
        batches=_curve(
            np.arange(batches.size),
            batches,
            max(batches_per_epoch or 0, batches.size + (divergence is not None), 1),
            noisy=True,
        ),
        epochs=_curve(ended, ends[ended], _epochs_ahead(ends.size, epochs_planned)),
        batch_count=int(batches.size),
        latest_batch=latest,
        divergence=divergence,
        alt_text=_in_words(epoch, epochs_planned, batches, ends[ended], batches_per_epoch, divergence),
    )


def loss_curves_of(epochs: Sequence[EpochView], *, epochs_planned: int, batches_per_epoch: int) -> LossCurves | None:
    """Compute what the picture of a trial shows, from its stored losses; None when no loss is stored.

    Args:
        epochs: All epochs of the trial, in order.
        epochs_planned, batches_per_epoch: As in :func:`loss_curves`.
    """
    if not epochs:
        return None
    return loss_curves(
        [float(loss) for loss in epochs[-1].batch_losses],
        [epoch.training_loss for epoch in epochs if epoch.training_loss is not None],
        epoch=epochs[-1].number,
        epochs_planned=epochs_planned,
        batches_per_epoch=batches_per_epoch,
    )


def format_loss(loss: float) -> str:
    """A loss as a person reads it: four significant digits at most, ``0.0213``, ``2.303``, ``1.2e6``."""
    if loss != 0 and not 1e-3 <= abs(loss) < 1e5:
        mantissa, exponent = f"{loss:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{loss:.4g}" if abs(loss) < 1e4 else f"{loss:.0f}"


def _curve(
    indices: npt.NDArray[np.int64], losses: npt.NDArray[np.float64], length: int, *, noisy: bool = False
) -> Curve:
    kept = _thin(losses)
    return Curve(
        places=tuple((indices[kept] + 1).tolist()),
        losses=tuple(losses[kept].tolist()),
        length=length,
        scale=_scale(losses),
        trend=_trend(losses) if noisy and losses.size >= LONG else (),
    )


def _trend(losses: npt.NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """The middle and the mean of stretches of equal length; an unfinished last one counts as far as it goes."""
    edges = np.linspace(0, losses.size, STRETCHES + 1)
    return tuple(
        ((start + end + 1) / 2, float(losses[round(start) : round(end)].mean())) for start, end in pairwise(edges)
    )


def _epochs_ahead(done: int, planned: int) -> int:
    """The right end of the epochs' axis: all that are planned, unless what is done would be lost at its left end.

    The end then doubles from time to time, so that a quarter of the axis is used at least, and it seldom moves.
    """
    power_of_two = 1 << (2 * done - 1).bit_length()  # the first that is twice what is done, or more
    return max(done, 1, min(planned, max(FEWEST_EPOCHS_AHEAD, power_of_two)))


def _thin(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Indices to draw: of every stretch its smallest and largest loss, so that no spike is hidden; first and last."""
    if losses.size <= MOST_POINTS:
        return np.arange(losses.size)
    edges = np.linspace(0, losses.size, MOST_POINTS // 2, dtype=np.int64)
    kept = {0, losses.size - 1}
    for start, end in pairwise(edges):
        stretch = losses[start:end]
        kept.update((int(start + np.argmin(stretch)), int(start + np.argmax(stretch))))
    return np.array(sorted(kept), dtype=np.int64)


def _scale(losses: npt.NDArray[np.float64]) -> Scale:
    if losses.size < 2 or np.min(losses) <= 0:
        return "linear"
    return "log" if np.max(losses) / np.min(losses) >= LOG_FROM_RATIO else "linear"


def _in_words(
    epoch: int,
    epochs_planned: int,
    batches: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    batches_per_epoch: int | None,
    divergence: Divergence | None,
) -> str:
    said = [f"Training loss, epoch {epoch} of {epochs_planned}."]
    if batches.size:
        of_how_many = f" of {batches_per_epoch}" if batches_per_epoch else ""
        said.append(
            f"Batch {batches.size}{of_how_many}: {format_loss(batches[-1])} "
            f"(this epoch from {format_loss(np.min(batches))} to {format_loss(np.max(batches))})."
        )
    if ends.size == 1:
        said.append(f"After epoch 1: {format_loss(ends[0])}.")
    elif ends.size:
        said.append(
            f"After the first epoch: {format_loss(ends[0])}; after the last of {ends.size}: {format_loss(ends[-1])}; "
            f"lowest {format_loss(np.min(ends))}."
        )
    if divergence:
        said.append(
            f"Diverged: the loss became {divergence.kind} at batch {divergence.batch} of epoch {divergence.epoch}."
        )
    elif not batches.size and not ends.size:
        said.append("No losses yet.")
    return " ".join(said)
