"""How long a trial has taken, and how long it will still take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.runner.running_jobs import Progress
from storage.queries.history import TrialView
from storage.schema.states import TrialState


@dataclass(frozen=True)
class TimeEstimate:
    """How long a running trial has taken, and how long it will still take.

    Attributes:
        taken: The time since it started.
        left: The time until it is expected to end; none before the first epoch has ended.
    """

    taken: timedelta
    left: timedelta | None = None

    @classmethod
    def of(cls, trial: TrialView, progress: Progress | None, *, batches: int, now: datetime) -> "TimeEstimate | None":
        """The estimate for a trial; none unless it runs.

        Args:
            trial: The trial.
            progress: How far the trial has come.
            batches: The number of batches in one epoch.
            now: The time, aware.
        """
        if trial.state is not TrialState.RUNNING or trial.started_at is None:
            return None
        taken = max(now - trial.started_at, timedelta(0))
        if progress is None or not progress.epoch_losses:
            return cls(taken)  # the first epoch is slower than the others, so it cannot be used for an estimate
        finished = len(progress.epoch_losses)
        within = min(len(progress.batch_losses) / batches, 1.0) if progress.epoch > finished else 0.0
        done = finished + within
        return cls(taken, times(taken, max(trial.configuration.epochs - done, 0.0) / done))


_LONGEST = timedelta(days=3650)
"""Ten years: an estimate is no longer. There may be two thousand million epochs, and a ``timedelta`` has an end."""


def times(duration: timedelta, factor: float) -> timedelta:
    """So many times a duration, and ten years at most."""
    return timedelta(seconds=min(duration.total_seconds() * factor, _LONGEST.total_seconds()))


def time_for_an_epoch(trials: Sequence[TrialView], batch_size: int) -> timedelta | None:
    """How long an epoch took in the last of these trials that had this batch size; none if none did."""
    for trial in reversed(trials):
        if trial.configuration.batch_size == batch_size and trial.seconds is not None and trial.epoch_losses:
            return timedelta(seconds=trial.seconds / len(trial.epoch_losses))
    return None


TO_ENTER = timedelta(seconds=30)
"""The time to change a value in the form and send it."""


def time_for_another(trial: TrialView, left: timedelta) -> bool:
    """Whether another trial that takes as long as this one, which has ended, would end in the time that is left."""
    if trial.started_at is None or trial.ended_at is None:
        return False
    return trial.ended_at - trial.started_at + TO_ENTER <= left
