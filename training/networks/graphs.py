"""A training step as a CUDA graph: one launch instead of one for each of its operations.

A step is recorded once and replayed for every batch of the same size, with the same kernels in the same order. Whether
steps are recorded depends on the device, the optimizer and the batch size alone, so a configuration is always treated
in the same way.

This file never ran on a GPU, so no speed is claimed for it. ``blackmagic doctor --determinism`` checks the bits where
there is a GPU, with a batch of 64 and a small one for every optimizer; ``make bench`` measures CPUs only.

The recipe is PyTorch's (notes on CUDA graphs, *whole-network capture*). Dropout draws from the device's generator,
whose state a replay reads and moves on like an ordinary step.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.hyperparameters import Configuration, Optimizer

_LARGEST_BATCH = 64
"""A guess, not measured: in larger batches a GPU should be busy for longer than the host takes to launch kernels."""

_CAPTURABLE = frozenset({Optimizer.ADAM, Optimizer.ADADELTA, Optimizer.ASGD, Optimizer.RMSPROP, Optimizer.SGD})
"""The optimizers that keep their state on the device when asked to (Adagrad counts its steps on the host)."""

_ORDINARY_STEPS = 3
"""The steps before recording, in which cuDNN and cuBLAS set themselves up and the optimizer makes its state."""


def is_recorded(configuration: Configuration, device: torch.device) -> bool:
    """Whether this configuration's steps are recorded on this device."""
    small = configuration.batch_size <= _LARGEST_BATCH
    return device.type == "cuda" and small and configuration.optimizer in _CAPTURABLE


class RecordedStep:
    """A step that is recorded after some ordinary ones, and replayed from then on.

    Args:
        step: From the places of a batch's images (int64, on the device) to its loss; begins with emptying gradients.
        batch_size: Of the batches to record; another one (the last of an epoch) takes an ordinary step.
        device: A GPU.
    """

    def __init__(self, step: Callable[[Tensor], Tensor], batch_size: int, device: torch.device) -> None:
        self._step, self._batch_size = step, batch_size
        self._places = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._loss: Tensor | None = None
        self._taken = 0

    def __call__(self, places: Tensor) -> Tensor:
        """Train on a batch; the loss is to be copied before the next call, which overwrites it."""
        if len(places) != self._batch_size:
            return self._step(places)
        self._places.copy_(places)
        if self._graph is None and self._taken < _ORDINARY_STEPS:
            self._taken += 1
            return self._ordinary_step()
        if self._graph is None or self._loss is None:
            self._graph, self._loss = self._record()
        self._graph.replay()
        return self._loss

    def _ordinary_step(self) -> Tensor:
        """A step on the stream that recording will use, as the recipe demands."""
        current = torch.cuda.current_stream(self._places.device)
        self._beside.wait_stream(current)
        with torch.cuda.stream(self._beside):
            loss = self._step(self._places)
        current.wait_stream(self._beside)
        return loss

    def _record(self) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        """Record a step; nothing is computed by that."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._beside):
            loss = self._step(self._places)
        return graph, loss
