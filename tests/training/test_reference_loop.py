"""The optimised loop computes the original's mathematics: a plain loop in double precision gives the same losses."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.hyperparameters import Configuration, Loss, Optimizer
from training.images.data import TaskData
from training.loop import _Trial, train
from training.networks.architectures import ARCHITECTURES, Architecture
from training.networks.squeezenet import FastSqueezeNet
from training.trial import TrialRequest

PAIRS = [
    pytest.param(
        optimizer, loss, marks=[] if loss is Loss.CROSS_ENTROPY or optimizer is Optimizer.SGD else pytest.mark.long
    )
    for optimizer in Optimizer
    for loss in Loss
]
"""Every pair; with each optimizer and each loss among those that do not wait for `make test-long`."""

STEPS = 20
UPDATE_TOLERANCE = 1e-3
"""In parts of the largest change of a weight."""

VALUES = {
    Optimizer.ADAM: {"learning_rate": 0.001, "weight_decay": 0.01, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-4},
    Optimizer.ADADELTA: {"learning_rate": 0.05, "weight_decay": 0.01, "rho": 0.8, "epsilon": 1e-4},
    Optimizer.ADAGRAD: {
        "learning_rate": 0.005,
        "weight_decay": 0.01,
        "learning_rate_decay": 0.1,
        "initial_accumulator_value": 0.1,
    },
    Optimizer.ASGD: {"learning_rate": 0.02, "weight_decay": 0.01, "lambd": 0.5, "alpha": 0.6},
    Optimizer.RMSPROP: {"learning_rate": 0.0005, "weight_decay": 0.01, "momentum": 0.5, "alpha": 0.9, "epsilon": 1e-3},
    Optimizer.SGD: {"learning_rate": 0.02, "weight_decay": 0.01, "momentum": 0.8},
}


class Seen:
    """What a trial began with and drew at random: weights, order of images, dropout."""

    def __init__(self, data: TaskData, monkeypatch: pytest.MonkeyPatch) -> None:
        self.weights: list[dict[str, Tensor]] = []
        self.batches: list[Tensor] = []
        self.masks: list[Tensor] = []
        self._watch_weights(monkeypatch)
        self._watch_batches(data, monkeypatch)
        self._watch_masks(monkeypatch)

    def _watch_weights(self, monkeypatch: pytest.MonkeyPatch) -> None:
        build = FastSqueezeNet.__init__

        def watched(fast: FastSqueezeNet, architecture: Architecture, convolutions: Sequence[nn.Conv2d]) -> None:
            drawn = [each.detach().clone() for layer in convolutions for each in (layer.weight, layer.bias)]
            self.weights.append(dict(zip(squeezenet1_1(num_classes=10).state_dict(), drawn, strict=True)))
            build(fast, architecture, convolutions)

        monkeypatch.setattr(FastSqueezeNet, "__init__", watched)

    def _watch_batches(self, data: TaskData, monkeypatch: pytest.MonkeyPatch) -> None:
        load, measured = TaskData.batch, data.validation.tolist()

        def watched(data: TaskData, places: Tensor) -> Tensor:
            if places.tolist() != measured:
                self.batches.append(places)
            return load(data, places)

        monkeypatch.setattr(TaskData, "batch", watched)

    def _watch_masks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from training.networks import squeezenet

        draw = squeezenet._dropout_mask

        def watched(images: Tensor, probability: float) -> Tensor:
            self.masks.append(draw(images, probability))
            return self.masks[-1]

        monkeypatch.setattr(squeezenet, "_dropout_mask", watched)


class GivenDropout(nn.Module):
    """Dropout with the masks of another run."""

    def __init__(self, masks: list[Tensor]) -> None:
        super().__init__()
        self._masks = iter(masks)

    def forward(self, images: Tensor) -> Tensor:
        return images * next(self._masks).to(images.dtype)


def plain_optimizer(wanted: Configuration, weights: Iterator[Tensor]) -> torch.optim.Optimizer:
    shared = {"lr": wanted.learning_rate, "weight_decay": wanted.weight_decay, "foreach": False}
    match wanted.optimizer:
        case Optimizer.ADAM:
            return torch.optim.Adam(weights, betas=(wanted.beta1, wanted.beta2), eps=wanted.epsilon, **shared)
        case Optimizer.ADADELTA:
            return torch.optim.Adadelta(weights, rho=wanted.rho, eps=wanted.epsilon, **shared)
        case Optimizer.ADAGRAD:
            start = wanted.initial_accumulator_value
            return torch.optim.Adagrad(
                weights, lr_decay=wanted.learning_rate_decay, initial_accumulator_value=start, **shared
            )
        case Optimizer.ASGD:
            return torch.optim.ASGD(weights, lambd=wanted.lambd, alpha=wanted.alpha, **shared)
        case Optimizer.RMSPROP:
            return torch.optim.RMSprop(
                weights, alpha=wanted.alpha, eps=wanted.epsilon, momentum=wanted.momentum, **shared
            )
        case Optimizer.SGD:
            return torch.optim.SGD(weights, momentum=wanted.momentum, **shared)


def plain_loss(loss: Loss, outputs: Tensor, labels: Tensor) -> Tensor:
    one_hot = functional.one_hot(labels, 10).to(outputs.dtype)
    match loss:
        case Loss.CROSS_ENTROPY:
            return nn.CrossEntropyLoss()(outputs, labels)
        case Loss.L1:
            return nn.L1Loss()(outputs, one_hot)
        case Loss.MSE:
            return nn.MSELoss()(outputs, one_hot)
        case Loss.NLL:
            return nn.NLLLoss()(nn.LogSoftmax(dim=1)(outputs), labels)


def original_network(seen: Seen) -> nn.Module:
    """torchvision's, with the weights and the dropout that were seen."""
    network = squeezenet1_1(num_classes=10)
    network.load_state_dict(seen.weights[0])
    network.classifier[0] = GivenDropout([each.contiguous() for each in seen.masks])
    return network


def plain_losses(data: TaskData, wanted: Configuration, seen: Seen, network: nn.Module, kind: torch.dtype) -> Tensor:
    """The original's loop: NCHW, two ``.item()`` per step."""
    network.to(kind).train()
    optimizer = plain_optimizer(wanted, network.parameters())
    losses = []
    for places in seen.batches[:STEPS]:
        images = (data.images[places].contiguous().to(kind) - data.mean.to(kind)) / data.deviation.to(kind)
        if isinstance(network, FastSqueezeNet):
            images = images.contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad()
        loss = plain_loss(wanted.loss, network(images), data.labels[places])
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        assert loss.item() == losses[-1] or not math.isfinite(losses[-1])
    return torch.tensor(losses, dtype=torch.float64)


def squeezenet1_1(num_classes: int) -> Any:
    """torchvision's network; imported here, because it takes two seconds that collecting the tests should not take."""
    from torchvision import models

    return models.squeezenet1_1(num_classes=num_classes)


@dataclass(frozen=True)
class Step:
    """One step of our loop.

    Attributes:
        places: The images of the batch.
        mask: What dropout drew.
        before, gradient, after: All weights in one vector, and their gradient.
        loss: The loss before the update.
    """

    places: Tensor
    mask: Tensor
    before: Tensor
    gradient: Tensor
    after: Tensor
    loss: float


def watched_steps(data: TaskData, wanted: Configuration, monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Train, and note what every step did."""
    seen = Seen(data, monkeypatch)
    steps: list[Step] = []
    take = _Trial._step

    def watched(trial: _Trial, batch: Tensor) -> Tensor:
        weights = trial._network.weights
        before = weights.detach().clone()
        loss = take(trial, batch)
        assert weights.grad is not None
        after, gradient = weights.detach().clone(), weights.grad.clone()
        steps.append(Step(batch.clone(), seen.masks[-1], before, gradient, after, loss.item()))
        return loss

    monkeypatch.setattr(_Trial, "_step", watched)
    trial = train(TrialRequest("few-digits", wanted, seed=10), data)
    while len(steps) < STEPS:
        next(trial)
    return steps


def exact_loss_and_gradient(data: TaskData, loss: Loss, step: Step) -> tuple[float, Tensor]:
    """What torchvision's network gives for a step's weights and images in double precision."""
    network = squeezenet1_1(num_classes=10).double().train()
    shapes = [each.shape for each in network.parameters()]
    parts = torch.split(step.before.double(), [shape.numel() for shape in shapes])
    with torch.no_grad():
        for parameter, part, shape in zip(network.parameters(), parts, shapes, strict=True):
            if len(shape) == 4:
                outputs, inputs, height, width = shape
                parameter.copy_(part.view(outputs, height, width, inputs).permute(0, 3, 1, 2))
            else:
                parameter.copy_(part)
    network.classifier[0] = GivenDropout([step.mask.contiguous()])
    images = (data.images[step.places].contiguous().double() - data.mean.double()) / data.deviation.double()
    found = plain_loss(loss, network(images), data.labels[step.places])
    found.backward()
    gradients = [each.grad for each in network.parameters()]
    rows = [(each.permute(0, 2, 3, 1) if each.dim() == 4 else each).flatten() for each in gradients if each is not None]
    return found.item(), torch.cat(rows)


def update_error(wanted: Configuration, steps: Sequence[Step]) -> float:
    """How far our weights come from those of the plain optimizer in double precision, which gets the same gradients.

    In parts of the largest change of a weight.
    """
    weights = nn.Parameter(steps[0].before.double())
    optimizer = plain_optimizer(wanted, [weights])
    errors = []
    for step in steps:
        weights.grad = step.gradient.double()
        optimizer.step()
        errors.append((weights.detach() - step.after).abs().max())
    return (torch.stack(errors).max() / (steps[-1].after - steps[0].before).abs().max()).item()


@pytest.mark.parametrize(("optimizer", "loss"), PAIRS)
def test_every_step_is_that_of_a_plain_loop_in_double_precision(
    optimizer: Optimizer,
    loss: Loss,
    few: TaskData,
    configuration: Callable[..., Configuration],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steps are compared one by one: over many steps, how far rounding leads depends on the machine."""
    wanted = configuration(optimizer=optimizer, loss=loss, batch_size=8, epochs=4, **VALUES[optimizer])
    steps = watched_steps(few, wanted, monkeypatch)
    for step in steps[:: STEPS // 4]:
        expected, gradient = exact_loss_and_gradient(few, loss, step)
        assert step.loss == pytest.approx(expected, rel=1e-4)
        assert (step.gradient - gradient).norm() <= 1e-2 * gradient.norm()
    assert all(torch.equal(step.after, following.before) for step, following in pairwise(steps))
    assert update_error(wanted, steps) < UPDATE_TOLERANCE


@pytest.mark.long
@pytest.mark.parametrize("optimizer", Optimizer)
def test_the_comparison_notices_a_learning_rate_that_is_one_percent_off(
    optimizer: Optimizer, few: TaskData, configuration: Callable[..., Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = configuration(optimizer=optimizer, batch_size=8, epochs=4, **VALUES[optimizer])
    steps = watched_steps(few, wanted, monkeypatch)
    values = VALUES[optimizer] | {"learning_rate": 1.01 * VALUES[optimizer]["learning_rate"]}
    assert update_error(configuration(optimizer=optimizer, batch_size=8, epochs=4, **values), steps) > UPDATE_TOLERANCE


@pytest.mark.long
@pytest.mark.parametrize("optimizer", Optimizer)
def test_in_double_precision_the_fast_network_gives_the_same_losses_even_in_wild_training(
    optimizer: Optimizer, few: TaskData, configuration: Callable[..., Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = VALUES[optimizer] | {"learning_rate": 20 * VALUES[optimizer]["learning_rate"]}
    wanted = configuration(optimizer=optimizer, batch_size=8, epochs=4, **wild)
    seen = Seen(few, monkeypatch)
    list(train(TrialRequest("few-digits", wanted, seed=10), few))
    exact = plain_losses(few, wanted, seen, original_network(seen), torch.float64)
    masks = iter(seen.masks)
    monkeypatch.setattr("training.networks.squeezenet._dropout_mask", lambda images, _: next(masks).to(images.dtype))
    theirs = squeezenet1_1(num_classes=10)
    theirs.load_state_dict(seen.weights[0])
    convolutions = [each for each in theirs.modules() if isinstance(each, nn.Conv2d)]
    fast = FastSqueezeNet(ARCHITECTURES["squeezenet1_1"], convolutions)
    ours = plain_losses(few, wanted, seen, fast, torch.float64)
    assert torch.allclose(ours, exact, rtol=1e-6, atol=0, equal_nan=True)
