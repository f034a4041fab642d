"""What is measured against: the original study's loop, and the limit of the hardware.

The loop is a plain re-implementation of what is known of the original: float images in memory, a ``DataLoader`` that
shuffles, with worker processes, NCHW, two ``.item()`` per step.
"""

import time

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import squeezenet1_1

from training.images.data import TaskData

_OFFERED = {"lr": 1e-3, "eps": 1e-5}
"""Adam as participants get it (Table 1)."""


class OriginalLoop:
    """The original's loop over a task's training images."""

    def __init__(self, data: TaskData) -> None:
        images = data.images[data.training].to(torch.float32, memory_format=torch.contiguous_format)
        self._images = TensorDataset(images.sub_(data.mean).div_(data.deviation), data.labels[data.training])

    def run(self, batch_size: int, workers: int, seconds: float) -> float:
        """Train for a while; returns images per second.

        The clock stands from the end of an epoch to the first batch of the next, so that starting the loader's
        processes costs nothing: in an epoch of 12,394 images it would not weigh much.
        """
        torch.manual_seed(10)
        loader = DataLoader(self._images, batch_size, shuffle=True, num_workers=workers)
        network = squeezenet1_1(num_classes=10)
        optimizer = torch.optim.Adam(network.parameters(), **_OFFERED)
        counted, images, epoch_loss = 0.0, 0, 0.0
        while counted < seconds:
            resumed: float | None = None
            for batch, labels in loader:
                resumed = resumed or time.perf_counter()
                optimizer.zero_grad()
                loss = functional.cross_entropy(network(batch), labels)
                batch_loss = loss.item()
                epoch_loss += loss.item() * len(labels)
                loss.backward()
                optimizer.step()
                images += len(labels)
                if counted + time.perf_counter() - resumed >= seconds:
                    break
            assert resumed is not None
            assert batch_loss <= epoch_loss
            counted += time.perf_counter() - resumed
        return images / counted


def bare_step(size: int, batch_size: int, layout: torch.memory_format, seconds: float) -> float:
    """Forward, backward and step on one resident batch, nothing else; returns images per second."""
    torch.manual_seed(10)
    network = squeezenet1_1(num_classes=10).to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), fused=True, **_OFFERED)
    batch = torch.randn(batch_size, 3, size, size).contiguous(memory_format=layout)
    labels = torch.randint(0, 10, (batch_size,))

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(network(batch), labels).backward()
        optimizer.step()

    step()
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step()
        steps += 1
    return steps * batch_size / (time.perf_counter() - started)
