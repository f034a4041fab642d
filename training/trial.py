"""A trial: what is asked for, and what is reported while it runs. Plain data, without torch.

The training itself is :func:`training.loop.train`.
"""

from dataclasses import dataclass, fields
from enum import StrEnum

from training.hyperparameters import Configuration


class Part(StrEnum):
    """Which splits a trial trains on and is measured on."""

    TRIAL = "trial"
    """Trains on the training split; measured on the validation split after every epoch."""
    EVALUATION = "evaluation"
    """Trains on training and validation; measured once, at the end, on the test split."""


@dataclass(frozen=True)
class TrialRequest:
    """One trial, completely described: the same request gives the same bits on the same hardware.

    Attributes:
        task: The name of the task.
        configuration: The hyperparameters.
        seed: Of the initial weights, the order of the images and dropout; 0 or more. Nothing else sets them.
        part: What it trains on and is measured on.

    Raises:
        ValueError: The seed is negative.
    """

    task: str
    configuration: Configuration
    seed: int
    part: Part = Part.TRIAL

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"The seed of a trial must be 0 or more: {self.seed} is not.")


@dataclass(frozen=True)
class Environment:
    """What a trial ran on: all that its last bits depend on besides the request, and its speed.

    Attributes:
        device: ``cpu``, or ``cuda`` with its index.
        processor: The name of the CPU or the GPU.
        instructions: The widest vector instructions torch uses on the CPU, such as ``AVX512``.
        torch, torchvision, python: Versions.
        cuda: The version of CUDA; ``None`` on a CPU.
        precision: Of weights, activations and gradients.
        threads: The CPU threads of the process.
    """

    device: str
    processor: str
    instructions: str
    torch: str
    torchvision: str
    python: str
    cuda: str | None
    precision: str
    threads: int

    def differences(self, other: "Environment") -> tuple[str, ...]:
        """In what another environment differs, as far as bits may depend on it: ``threads: 1 and 2``.

        Two GPUs of one kind are the same, and the version of Python decides nothing.
        """
        return tuple(
            f"{name}: {ours} and {theirs}"
            for name in (each.name for each in fields(self) if each.name != "python")
            if (ours := _kind(self, name)) != (theirs := _kind(other, name))
        )


def _kind(environment: Environment, name: str) -> str | int | None:
    value: str | int | None = getattr(environment, name)
    return environment.device.partition(":")[0] if name == "device" else value


@dataclass(frozen=True)
class BatchLosses:
    """Losses of consecutive batches, before the update each of them led to.

    Attributes:
        epoch: From 1.
        first_step: The place of the first of them in its epoch, from 0.
        losses: float32 values. All are finite but, in a trial that diverges, the very last.
    """

    epoch: int
    first_step: int
    losses: tuple[float, ...]


@dataclass(frozen=True)
class EpochEnd:
    """An epoch is complete.

    Attributes:
        epoch: From 1.
        training_loss: The mean of its batch losses, each weighted with its number of images.
        accuracy: On the validation split, in percent (0 to 100); ``None`` in an evaluation.
        seconds: What the epoch took, measuring included, suspensions not.
    """

    epoch: int
    training_loss: float
    accuracy: float | None
    seconds: float


class Ending(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    """All epochs are trained and the accuracy is measured."""
    DIVERGED = "diverged"
    """A batch loss was infinite or not a number; it is the last one recorded."""
    STOPPED = "stopped"
    """Somebody asked for it."""


@dataclass(frozen=True)
class Outcome:
    """The last thing a trial reports.

    Attributes:
        ending: How it ended.
        accuracy: In percent (0 to 100), on the validation split, or the test split for an evaluation; ``None``
            unless the trial is complete.
        epochs_completed: The number of epochs it trained to their end.
        seconds: From its first step to here, suspensions not counted.
        images_per_second: Training images per second of training, measuring not counted; 0 before the first step.
        environment: What it ran on; ``None`` for a trial that was stopped before a process had it.
    """

    ending: Ending
    accuracy: float | None
    epochs_completed: int
    seconds: float
    images_per_second: float
    environment: Environment | None


Progress = BatchLosses | EpochEnd | Outcome
