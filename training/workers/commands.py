"""What a pool says to its processes."""

from dataclasses import dataclass

from training.tasks import Task
from training.trial import TrialRequest


@dataclass(frozen=True)
class Setup:
    """The first thing a process hears.

    Attributes:
        slot: From 0; a GPU is chosen by it.
        tasks: What to have ready.
        threads: CPU threads.
        device: Such as ``cpu`` or ``cuda:1``; ``None``: the slot's GPU, or the CPU where there is none.
    """

    slot: int
    tasks: tuple[Task, ...]
    threads: int
    device: str | None


@dataclass(frozen=True)
class Run:
    """Run this job now; what runs is suspended meanwhile."""

    job: str
    request: TrialRequest


@dataclass(frozen=True)
class Stop:
    """End this job."""

    job: str


Command = Run | Stop
