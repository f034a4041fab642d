"""The measurements: both sides of each in turn, in one process, several rounds, medians."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tests.benchmarks.images import CLASSES, noise_task, write_photographs
from tests.benchmarks.original import OriginalLoop, bare_step
from training.hyperparameters import Configuration
from training.images.cache import decode
from training.images.data import load
from training.images.files import ImageFolder
from training.tasks import Task
from training.trial import BatchLosses, Outcome, TrialRequest
from training.workers import Failed, LocalWorkers, Lost, Ready, WorkerEvent

CPU = torch.device("cpu")
ORIGINAL_WORKERS = 8
_OTHER_WORKERS = (0, 1, 2)
_LAYOUTS = (torch.channels_last, torch.contiguous_format)
_PATIENCE = 120.0


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        cells: Pairs of image size in pixels and batch size.
        images: The number of images of a size.
        rounds: Of each measurement; medians are shown.
        seconds: Of each training measurement.
        photographs: Files decoded in a round.
    """

    cells: Sequence[tuple[int, int]]
    images: Callable[[int], int]
    rounds: int
    seconds: float
    photographs: int


FULL = Plan(
    cells=[(size, batch) for size in (32, 64, 128) for batch in (8, 32, 128)],
    images=lambda size: {32: 12_000, 64: 4_000, 128: 2_000}[size],
    rounds=3,
    seconds=2.0,
    photographs=12_000,
)
QUICK = Plan(cells=[(32, 32)], images=lambda _: 400, rounds=1, seconds=0.2, photographs=40)


@dataclass(frozen=True)
class Cell:
    """Images per second at one size and batch: medians of the rounds.

    Attributes:
        size: Height and width in pixels.
        batch_size: Images in a step.
        original: The original's loop with 8 workers.
        original_at_best: The same with the number of workers that was fastest here.
        best_workers: That number.
        ours: A trial in the real worker.
        limit: The bare step, in the faster of the two layouts.
    """

    size: int
    batch_size: int
    original: float
    original_at_best: float
    best_workers: int
    ours: float
    limit: float


@dataclass(frozen=True)
class Latency:
    """Seconds, medians: from submission to the first loss, and from a stop request to the stopped outcome."""

    size: int
    batch_size: int
    first_loss: float
    stopped: float


@dataclass(frozen=True)
class Decoding:
    """Images per second when the cache is built, and when the same files are decoded one after another."""

    cache: float
    sequential: float


class Pool:
    """One warm worker."""

    def __init__(self, workers: LocalWorkers) -> None:
        self._workers = workers
        self._number = 0

    def wait_for(self, wanted: type, job: str | None = None) -> WorkerEvent:
        """The next event of a kind."""
        while (event := self._workers.next_event(_PATIENCE)) is not None:
            if isinstance(event.message, wanted) and event.job == job:
                return event
            assert not isinstance(event.message, Failed | Lost), event.message
        raise TimeoutError(f"The worker said nothing for {_PATIENCE:g} s.")

    def train(self, task: Task, batch_size: int, seconds: float) -> tuple[Outcome, float, float]:
        """Train for a while and stop; returns the outcome, and the latencies of the first loss and of the stop."""
        self._number += 1
        job = f"job {self._number}"
        configuration = Configuration.create(
            {"epochs": 1000, "batch_size": batch_size, "loss": "cross_entropy", "optimizer": "adam"}
        )
        submitted = time.perf_counter()
        self._workers.submit(0, job, TrialRequest(task.name, configuration, seed=10))
        self.wait_for(BatchLosses, job)
        heard = time.perf_counter()
        time.sleep(seconds)
        asked = time.perf_counter()
        self._workers.stop(job)
        outcome = self.wait_for(Outcome, job).message
        assert isinstance(outcome, Outcome)
        return outcome, heard - submitted, time.perf_counter() - asked


@contextmanager
def _warm(task: Task) -> Iterator[Pool]:
    workers = LocalWorkers([task], slots=1)
    workers.start()
    try:
        pool = Pool(workers)
        pool.wait_for(Ready)
        yield pool
    finally:
        workers.close()


def speeds(plan: Plan, report: Callable[[Cell, Latency], None]) -> tuple[list[Cell], list[Latency]]:
    """Measure every size and batch; each is reported when it is done."""
    cells: list[Cell] = []
    latencies: list[Latency] = []
    for size in dict.fromkeys(size for size, _ in plan.cells):
        task = noise_task(size, plan.images(size))
        original = OriginalLoop(load(task, CPU))
        with _warm(task) as pool:
            for batch_size in (batch for each, batch in plan.cells if each == size):
                cell, latency = _measure(plan, task, original, pool, batch_size)
                cells.append(cell)
                latencies.append(latency)
                report(cell, latency)
    return cells, latencies


def _measure(plan: Plan, task: Task, original: OriginalLoop, pool: Pool, batch_size: int) -> tuple[Cell, Latency]:
    size, seconds = task.facts.image_size, plan.seconds
    trials = {workers: original.run(batch_size, workers, seconds / 2) for workers in _OTHER_WORKERS}
    best = max(trials, key=lambda workers: trials[workers])
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for _ in range(plan.rounds):
        note("original", original.run(batch_size, ORIGINAL_WORKERS, seconds))
        note("best", original.run(batch_size, best, seconds))
        outcome, first_loss, stopped = pool.train(task, batch_size, seconds)
        note("ours", outcome.images_per_second)
        note("first loss", first_loss)
        note("stopped", stopped)
        for layout in _LAYOUTS:
            note(f"limit {layout}", bare_step(size, batch_size, layout, seconds))
    median = {name: statistics.median(values) for name, values in found.items()}
    limit = max(median[f"limit {layout}"] for layout in _LAYOUTS)
    cell = Cell(size, batch_size, median["original"], median["best"], best, median["ours"], limit)
    return cell, Latency(size, batch_size, median["first loss"], median["stopped"])


def decoding(plan: Plan) -> Decoding:
    """Build the cache of some photographs, and decode them one after another."""
    cache: list[float] = []
    sequential: list[float] = []
    with TemporaryDirectory() as place:
        folder = Path(place) / "photographs"
        write_photographs(folder, plan.photographs)
        files = sorted(folder.rglob("*.JPEG"))
        for number in range(plan.rounds):
            started = time.perf_counter()
            for file in files:
                decode(file, 128)
            sequential.append(len(files) / (time.perf_counter() - started))
            source = ImageFolder(folder, Path(place) / str(number), 128, len(files), CLASSES, 10, 10, 10)
            started = time.perf_counter()
            source.prepare(lambda done, total: None)
            cache.append(len(files) / (time.perf_counter() - started))
    return Decoding(statistics.median(cache), statistics.median(sequential))


def load_average() -> float:
    """Of the last minute, as the system counts it."""
    return os.getloadavg()[0]
