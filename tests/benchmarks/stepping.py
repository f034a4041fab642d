"""Workers that keep the time of every step: ``python -m tests.benchmarks.stepping FOLDER FD`` is such a process."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.tasks import Task
from training.workers import LocalWorkers, process


@dataclass(frozen=True)
class Step:
    """One step, of training or of measuring; ``began`` and ``ended`` in seconds of ``time.monotonic``.

    That clock is the system's on Linux and macOS, so the times of two processes can be compared.
    """

    job: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class SteppingWorkers(LocalWorkers):
    """Processes of this machine whose steps can be read while they run and after.

    Args:
        folder: Where they write.
    """

    def __init__(self, tasks: Sequence[Task], slots: int, folder: Path) -> None:
        super().__init__(tasks, slots)
        self.program = ("tests.benchmarks.stepping", str(folder))
        self._folder = folder

    def steps(self) -> list[Step]:
        """All steps so far, in the order in which they began."""
        lines = [line.split() for file in self._folder.glob("*.steps") for line in file.read_text().splitlines()]
        # The last line of a file may be half written.
        found = [Step(job, float(began), float(ended)) for job, began, ended, end in lines if end == "."]
        return sorted(found, key=lambda step: step.began)


def main(folder: Path, descriptor: int) -> None:
    from training.workers import service

    with (folder / f"{os.getpid()}.steps").open("w", buffering=1) as file:

        class Service(service.Service):
            def _advance(self, job: service._Job) -> None:
                began = time.monotonic()
                super()._advance(job)
                file.write(f"{job.name} {began} {time.monotonic()} .\n")

        service.Service = Service  # type: ignore[misc]
        process.main(descriptor)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
