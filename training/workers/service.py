"""What the process in a slot does: get warm, then advance one trial step by step, looking for commands between."""

import gc
import logging
import queue
import time
import traceback
from collections.abc import Iterator
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
from training.workers.protocol import Failed, Message, Ready, Resumed, Started, Suspended, WorkerEvent

log = logging.getLogger(__name__)

_REPORT_SECONDS = 0.25
"""Losses travel to the pool this often: faster than any plot is redrawn."""

_TOO_LARGE = "Training ran out of memory. Choose a smaller batch size and submit again."
_OUR_FAULT = "Training failed through no fault of yours. The researchers have been told; you can submit again."


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
            self._send(None, Failed(_OUR_FAULT, traceback.format_exc(), "ours"))
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
        self._send(None, Ready(environment))

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
        try:
            if job.steps is None:
                self._send(job.name, Started())
                job.steps = train(job.request, self._data_of(job.request), stop=lambda: job.stopped)
            item = next(job.steps)
        except Exception as error:  # noqa: BLE001 - whatever a trial raises, the worker lives on
            self._flush(job)
            self._end(job, _failure(error))
            return
        if isinstance(item, BatchLosses):
            self._keep(job, item)
        elif isinstance(item, EpochEnd):
            self._flush(job)
            self._send(job.name, item)
        elif isinstance(item, Outcome):
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
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        self._send(job.name, message)
        if was_running and self._jobs:
            self._send(self._jobs[-1].name, Resumed())

    def _send(self, job: str | None, message: Message) -> None:
        self._connection.send(WorkerEvent(self._setup.slot, job, message))


def _failure(error: Exception) -> Failed:
    detail = "".join(traceback.format_exception(error))
    fault: Literal["configuration", "ours"] = "configuration" if is_out_of_memory(error) else "ours"
    return Failed(_TOO_LARGE if fault == "configuration" else _OUR_FAULT, detail, fault)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory, on the device or the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # On a CPU torch raises a plain RuntimeError; its allocator's and oneDNN's words are the only mark.
    words = ("can't allocate memory", "not enough memory", "could not create a memory")
    return isinstance(error, RuntimeError) and any(each in str(error) for each in words)
