"""Training: one request in, losses and an accuracy out, the same bits every time.

Nothing in a step waits for the device: the images are there, a batch is an index, and losses are gathered there and
fetched in blocks. On a CPU the paper's network is :mod:`training.networks.squeezenet`, whose header has the measured
speed. On a GPU, small batches are replayed from :mod:`training.networks.graphs`, which never ran on a GPU yet.
"""

import math
import time
from collections.abc import Callable, Generator, Iterator
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from training.images.data import TaskData
from training.losses import loss_function
from training.networks.build import build_network
from training.networks.graphs import RecordedStep, is_recorded
from training.optimizers import build_optimizer
from training.reproducibility.environment import current_environment, is_prepared
from training.trial import BatchLosses, Ending, EpochEnd, Outcome, Part, Progress, TrialRequest

_BLOCK_STEPS = 16
_BLOCK_SECONDS = 0.2
"""Losses are fetched after this many steps or seconds, whichever comes first. Divergence is noticed then."""

_MEASURED_AT_ONCE = 180
"""The images in one batch of measuring: the paper lets participants set the batch size of training only."""

_Reports = Generator[Progress | None, None, Ending | None]


def train(
    request: TrialRequest, data: TaskData, *, stop: Callable[[], bool] = lambda: False
) -> Iterator[Progress | None]:
    """Run one trial, step by step.

    It yields between any two steps, ``None`` where there is nothing to report. The caller may do anything else then,
    such as running another trial, and go on later. The time between two items is not counted, and no bit changes.

    Args:
        request: What to train.
        data: The images of the request's task, on the device to train on.
        stop: This is asked between two steps. Once it says yes, the trial ends as stopped.

    Yields:
        ``None``, :class:`BatchLosses`, :class:`EpochEnd`; the last item is the :class:`Outcome`.

    Raises:
        ValueError: The data are another task's.
        RuntimeError: The thread is not prepared (see :func:`training.reproducibility.environment.prepare`).
        torch.OutOfMemoryError: A batch does not fit (on a CPU: ``RuntimeError``).
    """
    if request.task != data.task.name:
        raise ValueError(f"The trial is for the task {request.task}, but the data are those of {data.task.name}.")
    if not is_prepared():
        raise RuntimeError(
            "This thread is not prepared for training: call training.reproducibility.environment.prepare on it first."
        )
    weights, order, rest = (int(each) for each in np.random.SeedSequence(request.seed).generate_state(3, np.uint64))
    clock = _Stopwatch()
    randomness = _OwnRandomness(rest, data.device)
    reports = _Trial(request, data, weights, order, clock, stop).run()
    while True:
        with clock, randomness:
            try:
                item = next(reports)
            except StopIteration:
                return
        yield item


class _Trial:
    """The state of one trial between two steps."""

    def __init__(
        self,
        request: TrialRequest,
        data: TaskData,
        weights_seed: int,
        order_seed: int,
        clock: "_Stopwatch",
        stop: Callable[[], bool],
    ) -> None:
        self._request, self._data, self._clock, self._stop = request, data, clock, stop
        self._weights_seed = weights_seed
        self._order = torch.Generator().manual_seed(order_seed)
        self._places = data.trained_on(request.part)
        self._measured = data.measured_on(request.part)
        self._images_trained = 0
        self._training_seconds = 0.0

    def run(self) -> Generator[Progress | None, None, None]:
        self._build()
        accuracy: float | None = None
        epochs, is_trial = self._request.configuration.epochs, self._request.part is Part.TRIAL
        for epoch in range(1, epochs + 1):
            started = self._clock.seconds
            losses: list[float] = []
            ending = yield from self._train_epoch(epoch, losses)
            if ending is None and (is_trial or epoch == epochs):
                accuracy = yield from self._measure()
                ending = Ending.STOPPED if accuracy is None else None
            if ending is not None:
                yield self._outcome(ending, None, epoch - 1)
                return
            shown = accuracy if is_trial else None
            yield EpochEnd(epoch, self._mean_loss(losses), shown, self._clock.seconds - started)
        yield self._outcome(Ending.COMPLETE, accuracy, epochs)

    def _build(self) -> None:
        configuration, device = self._request.configuration, self._data.device
        self._network = build_network(self._data.task, self._weights_seed, device, self._data.memory_format)
        self._loss = loss_function(configuration.loss, self._data.task.facts.classes, device)
        recorded = is_recorded(configuration, device)
        self._optimizer = build_optimizer(configuration, self._network.parameters(), device, recorded=recorded)
        self._advance: Callable[[Tensor], Tensor] = self._step
        if recorded:
            self._advance = RecordedStep(self._step, configuration.batch_size, device)
        self._block = torch.empty(_BLOCK_STEPS, device=device)

    def _train_epoch(self, epoch: int, losses: list[float]) -> _Reports:
        """Train on every image once; ``losses`` gets the batch losses. Returns how the trial ended, if it did."""
        self._network.train()
        size, images = self._request.configuration.batch_size, len(self._places)
        # One permutation of the images per epoch, drawn before they are cut into batches: the order of the n-th epoch
        # is the same for every batch size.
        shuffled = self._places[torch.randperm(images, generator=self._order).to(self._data.device)]
        waiting, fetched_at = 0, self._clock.seconds
        for start in range(0, images, size):
            stopping = self._stop()
            if not stopping:
                batch = shuffled[start : start + size]
                self._block[waiting] = self._advance(batch)
                waiting += 1
                self._images_trained += len(batch)
            full = waiting == _BLOCK_STEPS or self._clock.seconds - fetched_at >= _BLOCK_SECONDS
            if waiting and (full or stopping or start + size >= images):
                block = _up_to_divergence(self._block[:waiting].tolist())
                first, waiting = len(losses), 0
                losses += block
                self._training_seconds += self._clock.seconds - fetched_at
                fetched_at = self._clock.seconds
                yield BatchLosses(epoch, first, tuple(block))
                if not math.isfinite(block[-1]):
                    return Ending.DIVERGED
            else:
                yield None
            if stopping:
                return Ending.STOPPED
        return None

    def _step(self, batch: Tensor) -> Tensor:
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self._network(self._data.batch(batch)), self._data.labels[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return loss.detach()

    def _measure(self) -> Generator[None, None, float | None]:
        """The accuracy in percent on the split to measure on; ``None`` when asked to stop on the way."""
        self._network.eval()
        correct = torch.zeros((), dtype=torch.int64, device=self._data.device)
        for places in torch.split(self._measured, _MEASURED_AT_ONCE):
            with torch.no_grad():
                outputs = self._network(self._data.batch(places))
                correct += (outputs.argmax(dim=1) == self._data.labels[places]).sum()
            yield None
            if self._stop():
                return None
        return 100 * int(correct) / len(self._measured)

    def _mean_loss(self, losses: list[float]) -> float:
        size, images = self._request.configuration.batch_size, len(self._places)
        sizes = [min(size, images - start) for start in range(0, images, size)]
        return math.fsum(count * loss for count, loss in zip(sizes, losses, strict=True)) / images

    def _outcome(self, ending: Ending, accuracy: float | None, epochs: int) -> Outcome:
        speed = self._images_trained / self._training_seconds if self._training_seconds else 0.0
        environment = current_environment(self._data.device)
        return Outcome(ending, accuracy, epochs, self._clock.seconds, speed, environment)


def _up_to_divergence(losses: list[float]) -> list[float]:
    """The losses until the first that is not finite, that one included."""
    for place, loss in enumerate(losses):
        if not math.isfinite(loss):
            return losses[: place + 1]
    return losses


class _Stopwatch:
    """Counts the seconds inside its ``with`` blocks."""

    def __init__(self) -> None:
        self._before = 0.0
        self._entered = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Counted so far; to be read inside a block."""
        return self._before + time.perf_counter() - self._entered

    def __enter__(self) -> None:
        self._entered = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._before = self.seconds


class _OwnRandomness:
    """Puts a trial's own state into torch's global generators while it computes, and the others' back after.

    Dropout draws from the global generators, so without it a trial would depend on what else the process does.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._cuda = device if device.type == "cuda" else None
        self._cpu_state = torch.Generator().manual_seed(seed).get_state()
        self._cuda_state = torch.Generator(device).manual_seed(seed).get_state() if self._cuda else None

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._swap()

    def _swap(self) -> None:
        outside = torch.get_rng_state()
        torch.set_rng_state(self._cpu_state)
        self._cpu_state = outside
        if self._cuda is not None and self._cuda_state is not None:
            outside = torch.cuda.get_rng_state(self._cuda)
            torch.cuda.set_rng_state(self._cuda_state, self._cuda)
            self._cuda_state = outside
