"""The jobs that workers run now, and how far each has come. The dispatcher fills it, and everything else reads it.

Other code also uses it to stop a job, and to wake the dispatcher when a job is in the queue.
"""

import threading
import time
from dataclasses import dataclass, field

from storage.schema.states import JobKind
from storage.transitions.jobs import Job
from training.workers import Workers


@dataclass(frozen=True)
class Progress:
    """How far a running job has come.

    Attributes:
        epoch: The epoch that is training, from 1.
        batch_losses: The losses of its batches so far.
        epoch_losses: The training loss of every finished epoch.
    """

    epoch: int = 1
    batch_losses: tuple[float, ...] = ()
    epoch_losses: tuple[float, ...] = ()


@dataclass
class RunningJob:
    """A job in a slot.

    Attributes:
        job: The job.
        slot: The slot where it runs.
        epoch: The epoch that is training, from 1.
        batch_losses: The losses of that epoch's batches so far.
        epoch_losses: The training loss of every finished epoch.
        is_spoilt: Whether something about it could not be stored. When it ends, it runs again.
    """

    job: Job
    slot: int
    epoch: int = 1
    batch_losses: list[float] = field(default_factory=list)
    epoch_losses: list[float] = field(default_factory=list)
    is_spoilt: bool = False
    _trained: float = 0.0
    _training_since: float | None = None

    @property
    def gives_way(self) -> bool:
        """Whether a person's trial may suspend it, because no person waits for it."""
        return self.job.of_searcher or self.job.kind is JobKind.EVALUATION

    @property
    def seconds(self) -> float:
        """How long it has trained; while suspended, the time does not count."""
        since = self._training_since
        return self._trained + (0.0 if since is None else time.monotonic() - since)

    def begin(self) -> None:
        """Note that the job trains from now on."""
        self._training_since = time.monotonic()

    def pause(self) -> None:
        """Note that the job is suspended."""
        self._trained, self._training_since = self.seconds, None


class RunningJobs:
    """The running jobs by their keys, such as ``trial:17``. Safe from any thread.

    Args:
        workers: Run the jobs.

    Attributes:
        lock: Held while a job's progress is changed or read.
        ready: The slots whose worker is up.
        memory: Bytes that training can take at most, of the slot that has the most; none if unknown.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._jobs: dict[str, RunningJob] = {}
        self._woken = threading.Event()
        self.lock = threading.Lock()
        self.ready: set[int] = set()
        self.memory: int | None = None

    def wake_dispatcher(self) -> None:
        """Let the dispatcher look for waiting jobs soon."""
        self._woken.set()

    def take_wake_up(self) -> bool:
        """Whether the dispatcher was woken since the last call. The call resets it."""
        if not self._woken.is_set():
            return False
        self._woken.clear()
        return True

    def stop(self, key: str) -> None:
        """Ask the worker of a running job to stop it."""
        self._workers.stop(key)

    def progress(self, key: str) -> Progress | None:
        """How far a running job has come; none when it does not run."""
        with self.lock:
            running = self._jobs.get(key)
            if running is None:
                return None
            return Progress(running.epoch, tuple(running.batch_losses), tuple(running.epoch_losses))

    def seconds(self, key: str) -> float | None:
        """How long a running job has trained; none when it does not run."""
        with self.lock:
            running = self._jobs.get(key)
            return None if running is None else running.seconds

    @property
    def slots_ready(self) -> int:
        """The number of slots whose worker is up."""
        return len(self.ready)

    def add(self, running: RunningJob) -> None:
        """Add a job that was given to a slot."""
        with self.lock:
            self._jobs[running.job.key] = running

    def get(self, key: str) -> RunningJob | None:
        """The running job with this key; none when it does not run."""
        return self._jobs.get(key)

    def all(self) -> list[RunningJob]:
        """All running jobs."""
        return list(self._jobs.values())

    def remove(self, running: RunningJob) -> None:
        """Remove a job that has ended. Its slot is free."""
        with self.lock:
            self._jobs.pop(running.job.key, None)
        self.wake_dispatcher()
