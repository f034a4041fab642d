"""Train a recorded trial again, and compare every loss with the record, bit for bit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.trial import BatchLosses, EpochEnd, Outcome, Progress


@dataclass(frozen=True, eq=False)
class RecordedEpoch:
    """What is known of one epoch.

    Attributes:
        number: From 1.
        batch_losses: float32, shape (batches,); fewer than the epoch has when the trial ended within it.
        accuracy: On the validation split, in percent; ``None`` when it was not measured.
    """

    number: int
    batch_losses: NDArray[np.float32]
    accuracy: float | None


@dataclass(frozen=True)
class Difference:
    """The first place where two trials are not the same.

    Attributes:
        epoch: From 1.
        step: From 0; ``None`` where the accuracies differ.
        recorded, replayed: The losses, or the accuracies in percent; ``None`` where there is none.
    """

    epoch: int
    step: int | None
    recorded: float | None
    replayed: float | None


@dataclass
class Comparison:
    """How far a replay has come, and what it found.

    Attributes:
        losses: How many were the same, to the last bit.
        difference: The first one, if there is any.
        outcome: Of the replay, when it ran to its end.
    """

    losses: int = 0
    difference: Difference | None = None
    outcome: Outcome | None = None


def compare(recorded: Sequence[RecordedEpoch], items: Iterator[Progress | None]) -> Iterator[Comparison]:
    """Follow a trial and compare it with the record; ends at the first difference, or where the record ends.

    Args:
        recorded: Consecutive epochs from the first.
        items: What :func:`training.loop.train` yields for the same request.

    Yields:
        One comparison again and again, brought up to date.
    """
    found = Comparison()
    epochs = {each.number: each for each in recorded}
    wanted = sum(len(each.batch_losses) for each in recorded)
    unmeasured = {each.number for each in recorded if each.accuracy is not None}
    for item in items:
        if isinstance(item, BatchLosses):
            _compare_losses(found, epochs.get(item.epoch), item)
        elif isinstance(item, EpochEnd):
            unmeasured.discard(item.epoch)
            _compare_accuracies(found, epochs.get(item.epoch), item)
        elif isinstance(item, Outcome):
            found.outcome = item
        yield found
        if found.difference is not None or (found.losses == wanted and not unmeasured):
            return
    if found.losses < wanted:
        _note_missing(found, recorded)
        yield found


def _compare_losses(found: Comparison, epoch: RecordedEpoch | None, item: BatchLosses) -> None:
    if epoch is None:
        return
    here = np.asarray(item.losses, np.float32)
    there = epoch.batch_losses[item.first_step : item.first_step + len(here)]
    for place, loss in enumerate(there):
        if loss.tobytes() != here[place].tobytes() and not (np.isnan(loss) and np.isnan(here[place])):
            found.difference = Difference(item.epoch, item.first_step + place, float(loss), float(here[place]))
            return
        found.losses += 1


def _compare_accuracies(found: Comparison, epoch: RecordedEpoch | None, item: EpochEnd) -> None:
    if epoch is not None and epoch.accuracy is not None and epoch.accuracy != item.accuracy:
        found.difference = Difference(item.epoch, None, epoch.accuracy, item.accuracy)


def _note_missing(found: Comparison, recorded: Sequence[RecordedEpoch]) -> None:
    """The replay ended (it diverged) before the record does."""
    place = found.losses
    for epoch in recorded:
        if place < len(epoch.batch_losses):
            found.difference = Difference(epoch.number, place, float(epoch.batch_losses[place]), None)
            return
        place -= len(epoch.batch_losses)
