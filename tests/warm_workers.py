"""Worker processes that are started once in a test run and lent to one test after another.

Starting a worker takes two seconds of CPU, most of it for importing torch, and many tests need one.

``python -m tests.warm_workers all FD`` is such a process, and ``… few FD`` one with few images, for tests that look at
people and not at losses. A trial of many epochs rests between its steps there: it trains only so that a test can look
at it or cancel it, and would take half of a small machine from the other tests.
"""

import itertools
import os
import queue
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from tests.training.small_tasks import FEW
from training.tasks import DIGITS_SQUEEZENET, Task
from training.trial import Environment, Outcome, TrialRequest
from training.workers import Failed, LocalWorkers, Lost, Ready, WorkerEvent, process

if TYPE_CHECKING:
    import torch

    from training.images.data import TaskData

Images = Literal["all", "few"]

SLOTS = 2
"""Of each pool that is lent."""

TASKS: Sequence[Task] = (DIGITS_SQUEEZENET, FEW)
"""What the workers have loaded. Tests with other tasks start workers of their own."""

FEW_IMAGES = 300
"""Images of a split, where there are few."""

_MANY_EPOCHS = 100
"""A trial of so many epochs rests."""

_AWAKE = 1.0
"""Seconds of the processor that it trains before it begins to rest: somebody may watch its first epochs."""

_REST = 19
"""How long it rests after each step, in steps."""

_PATIENCE = 120.0
"""Seconds for a pool to be ready, or for its jobs to stop."""

_ENDS = (Outcome, Failed, Lost)


class WarmWorkers:
    """Pools of two warm workers. A pool is lent to one borrower at a time; another one starts when all are lent."""

    def __init__(self) -> None:
        self._pools: list[_Pool] = []

    def borrow(self, slots: int = 1, images: Images = "all") -> "BorrowedWorkers":
        """Workers for a test, which are given back when they are closed.

        Args:
            slots: 1 or 2.
            images: Whether they train on all images of a task, or on few.
        """
        assert 1 <= slots <= SLOTS, f"{slots} slots were asked for: a pool has {SLOTS}."
        free = next((each for each in self._pools if not each.lent and each.images == images), None)
        if free is None:
            free = _Pool(images)
            self._pools.append(free)
        free.lent = True
        return BorrowedWorkers(free, slots)

    def close(self) -> None:
        """End all processes."""
        for each in self._pools:
            each.workers.close()


class _Pool:
    """Two workers, with what is known of each slot."""

    def __init__(self, images: Images) -> None:
        self.images = images
        self.workers = LocalWorkers(TASKS, SLOTS)
        self.workers.program = ("tests.warm_workers", images)
        self.workers.start()
        self.ready: dict[int, Environment] = {}
        self.lent = False
        self.numbers = itertools.count(1)

    def next_event(self, timeout: float) -> WorkerEvent | None:
        event = self.workers.next_event(timeout)
        if event is not None and isinstance(event.message, Ready):
            self.ready[event.slot] = event.message.environment
        if event is not None and isinstance(event.message, Lost):
            self.ready.pop(event.slot, None)
        return event


class BorrowedWorkers:
    """Some slots of a pool; see :class:`training.workers.protocol.Workers`.

    It is as if the workers had just been started, but they are ready at once. They may be killed: the pool replaces
    them, and the next borrower waits for the replacement.
    """

    def __init__(self, pool: _Pool, slots: int) -> None:
        self._pool, self._slot_count = pool, slots
        self._prefix = f"{next(pool.numbers)}:"
        self._unfinished: set[str] = set()
        self._waiting: queue.SimpleQueue[WorkerEvent] = queue.SimpleQueue()
        self._closed = False

    @property
    def slots(self) -> int:
        """The number of slots."""
        return self._slot_count

    def start(self) -> None:
        """Wait until the pool's workers are ready, and say so."""
        deadline = time.monotonic() + _PATIENCE
        while len(self._pool.ready) < SLOTS:
            assert time.monotonic() < deadline, "the warm workers are not ready"
            self._pool.next_event(1)
        for slot in range(self._slot_count):
            self._waiting.put(WorkerEvent(slot, None, Ready(self._pool.ready[slot])))

    def submit(self, slot: int, job: str, request: TrialRequest) -> None:
        """Run a job in a slot."""
        if self._closed or slot >= self._slot_count:
            raise ValueError(f"There is no slot {slot} here.")
        self._pool.workers.submit(slot, self._prefix + job, request)
        self._unfinished.add(job)

    def stop(self, job: str) -> None:
        """End a job soon."""
        self._pool.workers.stop(self._prefix + job)

    def next_event(self, timeout: float) -> WorkerEvent | None:
        """The next event of these slots; none when none arrives within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            if not self._waiting.empty():
                return self._waiting.get()
            event = self._pool.next_event(max(0.0, deadline - time.monotonic()))
            if event is None:
                return None
            if event.slot >= self._slot_count:
                continue
            if event.job is None:
                return event
            if event.job.startswith(self._prefix):
                job = event.job.removeprefix(self._prefix)
                if isinstance(event.message, _ENDS):
                    self._unfinished.discard(job)
                return WorkerEvent(event.slot, job, event.message)

    @property
    def _slots(self) -> Sequence[Any]:
        """The slots of the real workers: a test looks at their processes, and kills them."""
        return self._pool.workers._slots

    def close(self) -> None:
        """Stop the jobs and give the workers back. Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        for job in self._unfinished.copy():
            self.stop(job)
        deadline = time.monotonic() + _PATIENCE
        while self._unfinished and time.monotonic() < deadline:
            self.next_event(1)
        assert not self._unfinished, f"these jobs did not stop: {self._unfinished}"
        self._pool.lent = False


def process_in(workers: LocalWorkers | BorrowedWorkers, slot: int) -> int:
    """The id of the process in a slot."""
    found = workers._slots[slot].process
    assert found is not None
    return int(found.pid)


def kill(workers: LocalWorkers | BorrowedWorkers, slot: int) -> None:
    """Kill the process in a slot, as the system does when memory is short."""
    os.kill(process_in(workers, slot), signal.SIGKILL)


def _main(images: Images, descriptor: int) -> None:
    from training.workers import service

    load, trained = service.load, dict[str, float]()

    def load_few(task: Task, device: "torch.device") -> "TaskData":
        data = load(task, device)
        return replace(
            data, **{split: getattr(data, split)[:FEW_IMAGES] for split in ("training", "validation", "test")}
        )

    class Service(service.Service):
        def _advance(self, job: service._Job) -> None:
            began = time.thread_time()
            super()._advance(job)
            took = time.thread_time() - began
            trained[job.name] = trained.get(job.name, 0.0) + took
            if job.request.configuration.epochs >= _MANY_EPOCHS and trained[job.name] > _AWAKE:
                time.sleep(_REST * took)

    service.Service = Service
    if images == "few":
        service.load = load_few
    process.main(descriptor)


if __name__ == "__main__":
    _main("few" if sys.argv[1] == "few" else "all", int(sys.argv[2]))
