"""What a pool of workers can do, and the events that it reports. Plain data, without torch.

:class:`training.workers.local.LocalWorkers` runs trials in processes of this machine; another kind of pool only has to
follow this protocol.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from training.trial import BatchLosses, Environment, EpochEnd, Outcome, TrialRequest

OUT_OF_MEMORY = "Training ran out of memory. Choose a smaller batch size and submit again."
OUR_FAULT = "Training failed through no fault of yours. The researchers have been told; you can submit again."
"""What the participant reads when a job failed."""


@dataclass(frozen=True)
class Ready:
    """The slot's process is warm and waits for work. It is sent again after a lost process was replaced.

    Attributes:
        environment: What its trials run on.
        memory: Bytes that training can take at most; ``None`` when nobody knows.
    """

    environment: Environment
    memory: int | None = None


@dataclass(frozen=True)
class Started:
    """The job's first step begins."""


@dataclass(frozen=True)
class Suspended:
    """The job waits between two steps while another one runs in its slot."""


@dataclass(frozen=True)
class Resumed:
    """The job goes on where it was suspended."""


@dataclass(frozen=True)
class Failed:
    """The job ended with an error. The worker lives on, or :class:`Lost` came before it (for the job that this one had
    suspended, else without a job): then the system ended the process because this job took all memory. Without a job:
    the worker could not start and tries again.

    Attributes:
        reason: One sentence for the participant; it names nothing of the task.
        detail: The traceback, for the log.
        fault: ``configuration`` when other values would have worked, ``ours`` otherwise.
    """

    reason: str
    detail: str
    fault: Literal["configuration", "ours"]


@dataclass(frozen=True)
class Lost:
    """The slot's process is gone and is being replaced: the job must be submitted again.

    Without a job: the slot had no job that must be submitted again. :class:`Ready` follows when the replacement is
    there.

    Attributes:
        reason: One sentence, for the log.
    """

    reason: str


Message = Ready | Started | BatchLosses | EpochEnd | Outcome | Suspended | Resumed | Failed | Lost


@dataclass(frozen=True)
class WorkerEvent:
    """Something happened in a slot.

    Attributes:
        slot: From 0.
        job: The job it happened to; ``None`` when it concerns the process.
        message: What happened. A job's last one is an ``Outcome``, ``Failed`` or ``Lost``.
    """

    slot: int
    job: str | None
    message: Message


class Workers(Protocol):
    """A pool of slots, each with room for one running job and one that it suspended. Safe to use from any thread."""

    @property
    def slots(self) -> int:
        """The number of slots."""

    def start(self) -> None:
        """Start every slot's worker and return at once; :class:`Ready` arrives once per slot."""

    def submit(self, slot: int, job: str, request: TrialRequest) -> None:
        """Run a job in a slot, at once.

        A job that runs there is suspended between two steps and goes on when the new one has ended, bit for bit as if
        nothing had happened. A slot that is not ready yet keeps the job until it is, or until its process cannot be
        started: then the job is lost.

        Raises:
            ValueError: The slot has a running and a suspended job already, or does not exist, or the job is known.
            RuntimeError: The pool is not started, or closed.
        """

    def stop(self, job: str) -> None:
        """End a running or suspended job soon, with a stopped outcome. An unknown or ended job: nothing happens."""

    def next_event(self, timeout: float) -> WorkerEvent | None:
        """The next event, in order per job; ``None`` when none arrives within ``timeout`` seconds."""

    def close(self) -> None:
        """End every process, and what they run, and return when they are gone. Closing twice is allowed."""
