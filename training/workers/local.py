"""Workers as processes of this machine, each warm before it gets its first job."""

import logging
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from training.tasks import Task
from training.trial import Ending, Environment, Outcome, TrialRequest
from training.workers.commands import Command, Run, Setup, Stop
from training.workers.environment_variables import worker_environment
from training.workers.memory import oom_kills, share
from training.workers.protocol import OUR_FAULT, OUT_OF_MEMORY, Failed, Lost, Message, Ready, WorkerEvent

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 60.0
"""Seconds between two attempts to start a worker that cannot start; the first attempts follow sooner."""

_AFTER_ERROR = 1.0
"""Seconds until the supervisor goes on after an error that concerns no slot."""

_TO_END = 10.0
"""Seconds that a killed process may take to end. One that hangs in a driver takes longer, and is left to the system."""

_JOBS_PER_SLOT = 2
"""A running job, and the one that it suspended."""


@dataclass
class _Job:
    name: str
    request: TrialRequest
    started: float
    sent: bool = False
    stop_by: float | None = None


@dataclass
class _Slot:
    """A slot and its process. ``ready`` is set between Ready and the process's end.

    ``oom_kills`` is the system's count when its process, or its newest job, began. ``worn`` is set when a job has run
    out of memory: not all of it comes back.
    """

    index: int
    process: subprocess.Popen[bytes] | None = None
    connection: Connection | None = None
    ready: Environment | None = None
    jobs: list[_Job] = field(default_factory=list)
    heard: float = 0.0
    start_at: float = 0.0
    ready_by: float = 0.0
    failed_starts: int = 0
    slow_starts: int = 0
    kill_reason: str = ""
    oom_kills: int | None = None
    worn: bool = False


class LocalWorkers:
    """One process per slot on this machine; see :class:`training.workers.protocol.Workers`.

    Messages between the pool and its processes are pickles. They travel over a socket pair that only these two have, so
    nothing is unpickled but what this program wrote. What cannot be read nevertheless costs the slot its process.

    Args:
        tasks: What the workers have ready.
        slots: The number of processes.
        threads: CPU threads of each; the last bits of a result on a CPU depend on it.
        devices: Of the slots, in turn, such as ``cuda:1``; empty: the GPUs in turn, or the CPU where there is none.
        patience: Seconds that a worker has to stop a job; after them it is killed and replaced.
        silence: Seconds that a worker with a job may report nothing; after them it is killed and replaced.
        warming: Seconds that a worker may take to be ready. After them it is killed, and the next one has twice as
            long: it may be decoding a large data set.
        memory: Bytes that each worker on a CPU may take; ``None``: an equal share of most of the machine's.
        count_oom_kills: How many processes the system has ended because memory ran out; ``None`` if it does not count.

    Raises:
        ValueError: No slot, or no thread.
    """

    program: Sequence[str] = ("training.workers.process",)
    """What a slot's process runs: a module and its arguments, the socket to the pool behind them."""

    def __init__(
        self,
        tasks: Sequence[Task],
        slots: int,
        threads: int = 1,
        *,
        devices: Sequence[str] = (),
        patience: float = 5.0,
        silence: float = 300.0,
        warming: float = 300.0,
        memory: int | None = None,
        count_oom_kills: Callable[[], int | None] = oom_kills,
    ) -> None:
        if slots < 1 or threads < 1:
            raise ValueError(f"Workers need at least one slot and one thread: {slots} and {threads} were given.")
        self._tasks, self._threads, self._devices = tuple(tasks), threads, tuple(devices)
        self._patience, self._silence, self._warming = patience, silence, warming
        self._memory = share(slots) if memory is None else memory
        self._count_oom_kills = count_oom_kills
        self._slots = [_Slot(index) for index in range(slots)]
        self._events: queue.SimpleQueue[WorkerEvent] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._wake_receiver, self._wake_sender = multiprocessing.Pipe(duplex=False)
        self._supervisor: threading.Thread | None = None
        self._closed = threading.Event()

    @property
    def slots(self) -> int:
        """The number of slots."""
        return len(self._slots)

    @property
    def are_supervised(self) -> bool:
        """Whether somebody looks after the processes: false only when the supervising thread has ended unasked."""
        return self._closed.is_set() or self._supervisor is None or self._supervisor.is_alive()

    def start(self) -> None:
        """Start every slot's worker and return at once; :class:`Ready` arrives once per slot.

        Raises:
            RuntimeError: The pool was started before, or closed.
        """
        with self._lock:
            if self._supervisor or self._closed.is_set():
                raise RuntimeError("These workers were started before: make new ones.")
            self._supervisor = threading.Thread(target=self._supervise, name="workers", daemon=True)
            self._supervisor.start()

    def submit(self, slot: int, job: str, request: TrialRequest) -> None:
        """Run a job in a slot, at once; see :meth:`training.workers.protocol.Workers.submit`.

        Raises:
            ValueError: The slot has a running and a suspended job already, or does not exist, or the job is known.
            RuntimeError: The pool is not started, or closed.
        """
        with self._lock:
            if not self._supervisor or self._closed.is_set():
                raise RuntimeError("The workers are not running: start them before you submit.")
            if not 0 <= slot < len(self._slots):
                raise ValueError(f"There is no slot {slot}: they are numbered from 0 to {len(self._slots) - 1}.")
            if self._find(job) is not None:
                raise ValueError(f"The job {job} is already there: submit it again when it has ended.")
            place = self._slots[slot]
            if len(place.jobs) >= _JOBS_PER_SLOT:
                raise ValueError(f"Slot {slot} has a running and a suspended job already: wait until one has ended.")
            place.jobs.append(_Job(job, request, started=time.monotonic()))
            self._send_waiting(place)
            self._wake_sender.send_bytes(b"!")

    def stop(self, job: str) -> None:
        """End a running or suspended job soon, with a stopped outcome. An unknown or ended job: nothing happens."""
        with self._lock:
            found = self._find(job)
            if self._closed.is_set() or found is None or found[1].stop_by is not None:
                return
            slot, known = found
            if not known.sent:
                slot.jobs.remove(known)
                self._tell(slot, job, _stopped(known, None))
                return
            known.stop_by = time.monotonic() + self._patience
            self._send(slot, Stop(job))
            self._wake_sender.send_bytes(b"!")

    def next_event(self, timeout: float) -> WorkerEvent | None:
        """The next event, in order per job; ``None`` when none arrives within ``timeout`` seconds."""
        try:
            return self._events.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            return None

    def close(self) -> None:
        """End every process, and what they run, and return when they are gone. Closing twice is allowed."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            self._wake_sender.send_bytes(b"!")
        if self._supervisor:
            self._supervisor.join()
        for slot in self._slots:
            self._end_process(slot)  # it has nothing to save, and may be beyond hearing
        self._wake_receiver.close()
        self._wake_sender.close()

    def _find(self, job: str) -> tuple[_Slot, _Job] | None:
        return next(((slot, known) for slot in self._slots for known in slot.jobs if known.name == job), None)

    def _tell(self, slot: _Slot, job: str | None, message: Message) -> None:
        self._events.put(WorkerEvent(slot.index, job, message))

    def _send_waiting(self, slot: _Slot) -> None:
        if slot.ready:
            for job in slot.jobs:
                if not job.sent:
                    job.sent, job.started = True, time.monotonic()
                    slot.oom_kills = self._count_oom_kills()
                    self._send(slot, Run(job.name, job.request))

    def _send(self, slot: _Slot, command: Command) -> None:
        if slot.connection:
            try:
                slot.connection.send(command)
            except OSError:
                log.info("Slot %d: its process is gone; the supervisor will say so.", slot.index)

    # The methods below run on the supervising thread.

    def _supervise(self) -> None:
        while not self._closed.is_set():
            try:
                self._turn()
            except Exception:
                log.exception("The supervisor of the workers met an error. It goes on.")
                self._closed.wait(_AFTER_ERROR)

    def _turn(self) -> None:
        """Start, kill and listen, once. Whatever goes wrong for one slot costs that slot its process, and no more."""
        with self._lock:
            if self._closed.is_set():
                return
            for slot in self._slots:
                self._guard(slot, self._look_after)
            connections = {slot.connection: slot for slot in self._slots if slot.connection}
            pause = self._until_next_deadline(time.monotonic())
        heard = self._listen([self._wake_receiver, *connections], pause)
        with self._lock:
            if self._closed.is_set():
                return
            for connection, slot in connections.items():
                if connection in heard:
                    self._guard(slot, self._receive)
            while self._wake_receiver.poll():
                self._wake_receiver.recv_bytes()

    def _listen(self, connections: list[Connection], pause: float | None) -> Sequence[object]:
        """The connections that have something to read; all, a moment later, when the system cannot say which."""
        try:
            return wait(connections, pause)
        except (OSError, ValueError):
            log.exception("The supervisor of the workers cannot wait for them. It looks at each.")
            self._closed.wait(_AFTER_ERROR)
            return connections

    def _guard(self, slot: _Slot, step: Callable[[_Slot], None]) -> None:
        """Do something for a slot. When it fails, the slot gets a new process."""
        try:
            step(slot)
        except Exception as error:
            log.exception("Slot %d: the supervisor met an error.", slot.index)
            slot.kill_reason = f"the supervisor met an error with it ({type(error).__name__})"
            self._replace_lost(slot)

    def _look_after(self, slot: _Slot) -> None:
        now = time.monotonic()
        if slot.process is None and slot.start_at <= now:
            self._launch(slot)
        self._enforce(slot, now)

    def _launch(self, slot: _Slot) -> None:
        """Start a fresh interpreter, with nothing of this process but one socket and a clean environment."""
        slot.kill_reason, slot.worn, slot.heard = "", False, time.monotonic()
        slot.ready_by = slot.heard + self._time_to_warm(slot)
        try:
            slot.oom_kills = self._count_oom_kills()
            slot.connection, theirs = multiprocessing.Pipe()
            with theirs:
                slot.process = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter we run on
                    [sys.executable, "-P", "-m", *self.program, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    env=worker_environment(os.environ, self._threads),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C in the terminal is the bot's to handle
                )
            device = self._devices[slot.index % len(self._devices)] if self._devices else None
            slot.connection.send(Setup(slot.index, self._tasks, self._threads, device, self._memory))
        except Exception as error:  # no process, no file or no memory is left: that passes
            log.exception("Slot %d: its process cannot be started.", slot.index)
            self._end_process(slot)
            self._start_later(slot)
            for job in slot.jobs:
                self._tell(slot, job.name, Lost(f"The worker of slot {slot.index} cannot be started: {error}."))
            slot.jobs = []
            self._tell(slot, None, Failed(OUR_FAULT, traceback.format_exc(), "ours"))

    def _start_later(self, slot: _Slot) -> None:
        slot.failed_starts += 1
        slot.start_at = time.monotonic() + min(2.0 ** (slot.failed_starts - 1), _LONGEST_PAUSE)

    def _end_process(self, slot: _Slot) -> int | None:
        """End a slot's process, if there is one. Returns its exit code; ``None`` if it does not end."""
        code: int | None = None
        if slot.process:
            slot.process.kill()
            try:
                code = slot.process.wait(_TO_END)
            except subprocess.TimeoutExpired:
                log.warning("Slot %d: the process %d was killed and does not end.", slot.index, slot.process.pid)
        if slot.connection:
            slot.connection.close()
        slot.process = slot.connection = slot.ready = None
        return code

    def _receive(self, slot: _Slot) -> None:
        """Read all that a process has said; when it is gone, say what that means for its jobs."""
        while slot.connection:
            try:
                if not slot.connection.poll():
                    return
                self._take(slot, slot.connection.recv())
            except (EOFError, OSError):
                self._replace_lost(slot)
                return
            except Exception:  # unpickling raises whatever it likes
                log.exception("Slot %d: a message cannot be read.", slot.index)
                slot.kill_reason = "it sent a message that cannot be read, and was killed"
                self._replace_lost(slot)
                return

    def _take(self, slot: _Slot, event: WorkerEvent) -> None:
        slot.heard = time.monotonic()
        message = event.message
        if isinstance(message, Ready):
            slot.ready, slot.failed_starts, slot.slow_starts = message.environment, 0, 0
        if isinstance(message, Outcome | Failed):
            if event.job is None:
                log.error("Slot %d: the worker could not start.\n%s", slot.index, getattr(message, "detail", ""))
            slot.jobs = [job for job in slot.jobs if job.name != event.job]
        if isinstance(message, Failed) and message.fault == "configuration" and _is_on_cpu(slot):
            slot.worn = True
        if slot.worn and not slot.jobs:
            # The next job gets a fresh process with all room, in a few seconds.
            self._end_process(slot)
            slot.start_at = time.monotonic()
        self._events.put(event)
        self._send_waiting(slot)

    def _enforce(self, slot: _Slot, now: float) -> None:
        """Kill a process that does not stop, report or get ready in time; :meth:`_receive` then finds it gone."""
        if slot.process is None or slot.kill_reason:
            return
        if any(job.stop_by is not None and job.stop_by <= now for job in slot.jobs):
            slot.kill_reason = f"it did not stop within {self._patience:g} s and was killed"
        elif any(job.sent and max(slot.heard, job.started) + self._silence <= now for job in slot.jobs):
            slot.kill_reason = f"it was silent for {self._silence:g} s and was killed"
        elif slot.ready is None and slot.ready_by <= now:
            slot.kill_reason = f"it was not ready within {self._time_to_warm(slot):g} s and was killed"
            slot.slow_starts += 1
        if slot.kill_reason:
            log.warning("Slot %d: %s.", slot.index, slot.kill_reason)
            slot.process.kill()

    def _time_to_warm(self, slot: _Slot) -> float:
        """Seconds; doubled for every worker of the slot that did not make it."""
        return float(self._warming * 2.0**slot.slow_starts)

    def _replace_lost(self, slot: _Slot) -> None:
        """End what is left of a process, and say what became of its jobs; another process follows."""
        if slot.process is None:
            return
        environment, ours = slot.ready, bool(slot.kill_reason)
        # It is killed: a closed socket can also mean a process that closed it and lives.
        code = self._end_process(slot)
        out_of_memory = code == -signal.SIGKILL and not ours and self._system_ended_one(slot)
        if out_of_memory:
            slot.kill_reason = "the system ended it because memory ran out"
        reason = f"The worker of slot {slot.index} is gone: {slot.kill_reason or f'it ended with code {code}'}."
        if environment:
            slot.start_at = time.monotonic()
        else:
            self._start_later(slot)
        ended = [job for job in slot.jobs if job.sent]
        slot.jobs = [job for job in slot.jobs if not job.sent]
        at_fault = ended[-1:] if out_of_memory else []  # the one that ran: a suspended job takes nothing more
        lost = [job for job in ended if job.stop_by is None and job not in at_fault]
        for job in lost:
            self._tell(slot, job.name, Lost(reason))
        if not lost:
            self._tell(slot, None, Lost(reason))
        for job in ended:
            if job.stop_by is not None:
                self._tell(slot, job.name, _stopped(job, environment))
            elif job in at_fault:
                self._tell(slot, job.name, Failed(OUT_OF_MEMORY, reason, "configuration"))

    def _system_ended_one(self, slot: _Slot) -> bool:
        """Whether the system ended a process for its memory since this slot's process or its newest job began."""
        now = self._count_oom_kills()
        return now is not None and slot.oom_kills is not None and now > slot.oom_kills

    def _until_next_deadline(self, now: float) -> float | None:
        deadlines = [slot.start_at for slot in self._slots if slot.process is None]
        for slot in self._slots:
            if slot.process is None or slot.kill_reason:
                continue
            if slot.ready is None:
                deadlines.append(slot.ready_by)
            for job in slot.jobs:
                if job.stop_by is not None:
                    deadlines.append(job.stop_by)
                if job.sent:
                    deadlines.append(max(slot.heard, job.started) + self._silence)
        return max(0.0, min(deadlines) - now) if deadlines else None


def _is_on_cpu(slot: _Slot) -> bool:
    return slot.ready is not None and slot.ready.device == "cpu"


def _stopped(job: _Job, environment: Environment | None) -> Outcome:
    """The outcome of a job whose process could not give one."""
    seconds = time.monotonic() - job.started if job.sent else 0.0
    return Outcome(Ending.STOPPED, None, 0, seconds, 0.0, environment)
