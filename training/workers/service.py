"""What the process in a slot does: get warm, then advance one trial step by step, looking for commands between."""

import gc
import logging
import queue
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Literal

import torch

from training.hyperparameters import Configuration
from training.images.data import TaskData, load
from training.loop import train
from training.reproducibility.environment import choose_device, prepare
from training.tasks import UnknownTask
from training.trial import BatchLosses, EpochEnd, Outcome, Progress, TrialRequest
from training.workers.commands import Command, Run, Setup, Stop
from training.workers.memory import give_back_freed, limit_memory
from training.workers.protocol import (
    OUR_FAULT,
    OUT_OF_MEMORY,
    Failed,
    Message,
    Ready,
    Resumed,
    Started,
    Suspended,
    WorkerEvent,
)

log = logging.getLogger(__name__)

_REPORT_SECONDS = 0.25
"""Losses travel to the pool this often: faster than any plot is redrawn."""


class _Job:
    """A trial in progress."""

    def __init__(self, name: str, request: TrialRequest) -> None:
        self.name = name
        self.request = request
        self.stopped = False
        self.steps: Iterator[Progress | None] | None = None
        self.unsent: BatchLosses | None = None
        self.sent_at = 0.0


class Service:
    """One process's work: at most one running job, on top of at most one suspended one."""

    def __init__(self, setup: Setup, connection: Connection, inbox: "queue.SimpleQueue[Command]") -> None:
        self._setup, self._connection, self._inbox = setup, connection, inbox
        self._data: dict[str, TaskData] = {}
        self._jobs: list[_Job] = []

    def run(self) -> None:
        """Get ready, then work until the listening thread ends the process.

        Raises:
            Exception: Whatever kept it from getting ready, after the pool was told.
        """
        try:
            self._get_warm()
        except Exception:
            self._send(None, Failed(OUR_FAULT, traceback.format_exc(), "ours"))
            raise
        while True:
            self._take_commands()
            if self._jobs:
                self._advance(self._jobs[-1])

    def _get_warm(self) -> None:
        """Load everything and take one step, so that the first trial is as fast as the others."""
        device = torch.device(self._setup.device) if self._setup.device else choose_device(self._setup.slot)
        environment = prepare(device, self._setup.threads)
        tiny = Configuration.create({"epochs": 1, "batch_size": 2, "loss": "cross_entropy", "optimizer": "sgd"})
        for task in self._setup.tasks:
            self._data[task.name] = load(task, device)
            next(iter(train(TrialRequest(task.name, tiny, seed=0), self._data[task.name])))
        self._send(None, Ready(environment, self._memory_on(device)))

    def _memory_on(self, device: torch.device) -> int | None:
        """The bytes that training can take on a device at most. On a CPU, this process gets its limit here."""
        if device.type == "cuda":
            return int(torch.cuda.get_device_properties(device).total_memory)
        return None if self._setup.memory is None else limit_memory(self._setup.memory)

    def _take_commands(self) -> None:
        """Take all commands that wait; without a job, wait for one."""
        while not self._jobs or not self._inbox.empty():
            command = self._inbox.get()
            if isinstance(command, Run):
                if self._jobs:
                    self._suspend(self._jobs[-1])
                self._jobs.append(_Job(command.job, command.request))
            else:
                self._stop(command)

    def _suspend(self, job: _Job) -> None:
        if job.steps is None:
            self._advance(job)  # two commands came at once, and Started must be reported before Suspended
        if job in self._jobs:
            self._flush(job)
            self._send(job.name, Suspended())

    def _stop(self, command: Stop) -> None:
        for place, job in enumerate(self._jobs):
            if job.name == command.job:
                job.stopped = True
                # A suspended job is ended where it stands, without waiting for the one above it.
                while place < len(self._jobs) - 1 and job in self._jobs:
                    self._advance(job)
                return

    def _advance(self, job: _Job) -> None:
        """Let a job take one step and report what came of it."""
        item: Progress | Failed | None
        try:
            if job.steps is None:
                self._send(job.name, Started())
                job.steps = train(job.request, self._data_of(job.request), stop=lambda: job.stopped)
            item = next(job.steps)
        except Exception as error:  # noqa: BLE001 - whatever a trial raises, the worker lives on
            item = _failure(error)  # the error itself must go: it holds all that the trial had in memory
        if isinstance(item, BatchLosses):
            self._keep(job, item)
        elif isinstance(item, EpochEnd):
            self._flush(job)
            self._send(job.name, item)
        elif isinstance(item, Outcome | Failed):
            self._flush(job)
            self._end(job, item)

    def _data_of(self, request: TrialRequest) -> TaskData:
        try:
            return self._data[request.task]
        except KeyError:
            raise UnknownTask(f"This worker has no task {request.task!r}.") from None

    def _keep(self, job: _Job, new: BatchLosses) -> None:
        old = job.unsent
        job.unsent = BatchLosses(new.epoch, old.first_step, old.losses + new.losses) if old else new
        if time.monotonic() - job.sent_at >= _REPORT_SECONDS:
            self._flush(job)

    def _flush(self, job: _Job) -> None:
        if job.unsent is not None:
            self._send(job.name, job.unsent)
            job.unsent, job.sent_at = None, time.monotonic()

    def _end(self, job: _Job, message: Outcome | Failed) -> None:
        was_running = job is self._jobs[-1]
        self._jobs.remove(job)
        job.steps = None
        if isinstance(message, Failed):
            self._tidy_up()
        self._send(job.name, message)
        if was_running and self._jobs:
            self._send(self._jobs[-1].name, Resumed())

    def _tidy_up(self) -> None:
        """Free what a failed job has left. Not all of it comes back, and the rest counts for the limit: so that is set
        anew while there is a suspended job, which must not fail for what another one took."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif self._jobs and self._setup.memory is not None:
            give_back_freed()
            with suppress(MemoryError):
                limit_memory(self._setup.memory)

    def _send(self, job: str | None, message: Message) -> None:
        self._connection.send(WorkerEvent(self._setup.slot, job, message))


def _failure(error: Exception) -> Failed:
    detail = "".join(traceback.format_exception(error))
    fault: Literal["configuration", "ours"] = "configuration" if is_out_of_memory(error) else "ours"
    return Failed(OUT_OF_MEMORY if fault == "configuration" else OUR_FAULT, detail, fault)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory, on the device or the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # On a CPU torch raises a plain RuntimeError; its allocator's and oneDNN's words are the only mark.
    words = ("can't allocate memory", "not enough memory", "could not create a", "bad_alloc")
    return isinstance(error, RuntimeError) and any(each in str(error) for each in words)
