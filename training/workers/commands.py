"""The messages that a pool sends to its processes."""

from dataclasses import dataclass

from training.tasks import Task
from training.trial import TrialRequest


@dataclass(frozen=True)
class Setup:
    """The first message to a process.

    Attributes:
        slot: The number of the slot, from 0. It decides which GPU is used.
        tasks: The tasks to load.
        threads: The number of CPU threads.
        device: Such as ``cpu`` or ``cuda:1``; ``None``: the slot's GPU, or the CPU where there is none.
        memory: Bytes that the process may take on a CPU; ``None`` for no limit.
    """

    slot: int
    tasks: tuple[Task, ...]
    threads: int
    device: str | None
    memory: int | None = None


@dataclass(frozen=True)
class Run:
    """Run this job now. A job that runs is suspended until this one has ended."""

    job: str
    request: TrialRequest


@dataclass(frozen=True)
class Stop:
    """End this job."""

    job: str


Command = Run | Stop
