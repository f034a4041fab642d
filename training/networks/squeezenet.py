"""SqueezeNet on a CPU: torchvision's network, weights and mathematics, in fewer and larger operations.

Training images per second on 2 cores of an AMD EPYC with AVX2, PyTorch 2.14, one thread, as ``python -m
tests.benchmarks`` measures them. The columns are our loop, the original study's loop with its 8 loading processes and
with the number of processes that suits it best, and a plain loop over torchvision's network whose batches are ready in
memory (the limit without this file)::

    pixels  batch   ours  original  original at best  plain
        32      8    837       441               448    811
        32     32   2281       967              1022   1536
        32    128   3008      1358              1327   2309
        64      8    398       196               195    382
        64     32    646       304               339    532
        64    128    618       321               327    520
       128      8    131        77                77    127
       128     32    125        68                78    104
       128    128    118        31                60    100

What is different, and why nothing but rounding changes:

- All weights are one parameter, so an optimizer updates one long vector instead of 52 short ones. Every optimizer of
  the study works element by element.
- A ReLU before a max pooling is moved behind it, where it has a quarter of the values to look at. The largest of some
  values is the same before and after a ReLU, and where it is negative no gradient passes either way.
- A 1×1 convolution in channels-last layout is one matrix product, which writes into its part of the concatenation.
- Dropout with probability ½ takes one random bit for each value instead of one random number.
- The backward pass is written out. It reuses the memory of gradients that are not needed any more, and puts the
  gradients of the weights where the optimizer looks for them.

SqueezeNet: Iandola et al., *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters* (2016).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from training.networks.architectures import Architecture, Fire, Pooling

_aten = torch.ops.aten

Weights = Sequence[Tensor]
"""Views of the long vector by their numbers. A convolution's weight has an even number and its bias the next one. The
weight of a 1×1 convolution is a matrix; any other weight has four dimensions, channels last. Gradients are kept in the
same way."""


@dataclass(frozen=True)
class _Step:
    """What the backward pass needs of a layer's forward pass.

    Attributes:
        entered, left: What came in, and what went out.
        between: What else was computed on the way.
    """

    entered: Tensor
    left: Tensor
    between: Tensor


class _Layer(Protocol):
    """A layer. It remembers nothing: what ``backward`` needs is in the step that ``forward`` returned."""

    def forward(self, images: Tensor, weights: Weights) -> _Step:
        """What comes of some images (B×C×H×W, channels last)."""

    def backward(self, gradient: Tensor, step: _Step, weights: Weights, gradients: Weights) -> Tensor:
        """The gradient of what came in. ``gradient`` is used up; those of the weights are written to ``gradients``."""


class FastSqueezeNet(nn.Module):
    """A SqueezeNet on a CPU: torchvision's outputs and gradients but for rounding.

    Args:
        architecture: The layers.
        convolutions: All convolutions in their order, as :func:`draw_convolutions` makes them. Their weights are
            copied.

    Attributes:
        weights: All weights and biases, in one vector.
    """

    def __init__(self, architecture: Architecture, convolutions: Sequence[nn.Conv2d]) -> None:
        super().__init__()
        numbers = itertools.count(step=2)
        self._layers = _layers(architecture, numbers)
        self._last = _Pointwise(next(numbers))
        self._dropout = architecture.dropout
        kept = [_vector(each) for convolution in convolutions for each in _parameters(convolution)]
        self._sizes = [len(each) for each in kept]
        self._shapes = [convolution.weight.shape for convolution in convolutions]
        self.weights = nn.Parameter(torch.cat(kept))

    def forward(self, images: Tensor) -> Tensor:
        """From B×3×H×W, channels last, to raw outputs B×classes."""
        outputs: Tensor = _Whole.apply(images, self.weights, self)
        return outputs

    def run(self, images: Tensor) -> "_Run":
        """The forward pass, with all that the backward pass needs."""
        weights = self._views(self.weights.detach())
        steps = []
        for layer in self._layers:
            steps.append(layer.forward(images, weights))
            images = steps[-1].left
        mask = _dropout_mask(images, self._dropout) if self.training and self._dropout else None
        features = images if mask is None else images * mask
        classes = self._last.forward(features, weights).relu_()
        return _Run(weights, steps, mask, features, classes)

    def gradient(self, outputs: Tensor, run: "_Run") -> Tensor:
        """The gradient of :attr:`weights`, from that of the outputs (B×classes)."""
        whole = torch.empty_like(self.weights)
        gradients = self._views(whole)
        height, width = run.classes.shape[2:]
        # The gradient of a mean over all places is the same at each of them.
        spread = (outputs / (height * width))[:, :, None, None].expand_as(run.classes)
        gradient = _relu_backward(spread.contiguous(memory_format=torch.channels_last), run.classes)
        gradient = self._last.backward(gradient, run.features, run.weights, gradients)
        if run.mask is not None:
            gradient.mul_(run.mask)
        for layer, step in zip(reversed(self._layers), reversed(run.steps), strict=True):
            gradient = layer.backward(gradient, step, run.weights, gradients)
        return whole

    def _views(self, vector: Tensor) -> Weights:
        views = list(torch.split(vector, self._sizes))
        for place, (outputs, inputs, height, width) in enumerate(self._shapes):
            weight = views[2 * place]
            if height == width == 1:
                views[2 * place] = weight.view(outputs, inputs)
            else:
                views[2 * place] = weight.view(outputs, height, width, inputs).permute(0, 3, 1, 2)
        return views


@dataclass(frozen=True)
class _Run:
    """One forward pass; ``mask`` is dropout's, ``features`` enter the last convolution, ``classes`` leave its ReLU."""

    weights: Weights
    steps: Sequence[_Step]
    mask: Tensor | None
    features: Tensor
    classes: Tensor


class _Whole(torch.autograd.Function):
    """The whole network as one operation of autograd."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weights: Tensor, network: FastSqueezeNet) -> Tensor:  # noqa: ARG004
        ctx.network, ctx.run = network, network.run(images)
        return torch.mean(ctx.run.classes, (2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:
        return None, ctx.network.gradient(gradient, ctx.run), None


def _layers(architecture: Architecture, numbers: Iterator[int]) -> list[_Layer]:
    layers: list[_Layer] = [_Stem(next(numbers), architecture.stride)]
    for place, layer in enumerate(architecture.layers):
        before_pooling = any(isinstance(each, Pooling) for each in architecture.layers[place + 1 : place + 2])
        match layer:
            case Pooling():
                layers.append(_PoolingThenRelu(layer))
            case Fire():
                layers.append(_Fire(layer, numbers, relu=not before_pooling))
    return layers


class _Stem:
    """The first convolution. Nobody asks for the gradient of the images, and its ReLU is behind the pooling."""

    def __init__(self, number: int, stride: int) -> None:
        self._at = number
        self._stride = [stride, stride]

    def forward(self, images: Tensor, weights: Weights) -> _Step:
        left = functional.conv2d(images, weights[self._at], weights[self._at + 1], self._stride)
        return _Step(images, left, left)

    def backward(self, gradient: Tensor, step: _Step, weights: Weights, gradients: Weights) -> Tensor:
        _convolution_backward(gradient, step.entered, self._at, weights, gradients, stride=self._stride, images=False)
        return gradient


class _PoolingThenRelu:
    """Max pooling, and the ReLU that stood before it. ``between`` are the places of the largest values."""

    def __init__(self, pooling: Pooling) -> None:
        self._size, self._stride = [pooling.size] * 2, [pooling.stride] * 2

    def forward(self, images: Tensor, weights: Weights) -> _Step:  # noqa: ARG002 - it has none
        left, places = _aten.max_pool2d_with_indices(images, self._size, self._stride, [0, 0], [1, 1], True)
        return _Step(images, left.relu_(), places)

    def backward(self, gradient: Tensor, step: _Step, weights: Weights, gradients: Weights) -> Tensor:  # noqa: ARG002
        gradient = _relu_backward(gradient, step.left)
        passed: Tensor = _aten.max_pool2d_with_indices_backward(
            gradient, step.entered, self._size, self._stride, [0, 0], [1, 1], True, step.between
        )
        return passed


class _Fire:
    """A fire module: squeeze (1×1), then expand by 1×1 and 3×3 side by side. ``between`` is what was squeezed."""

    def __init__(self, fire: Fire, numbers: Iterator[int], *, relu: bool) -> None:
        self._squeeze = _Pointwise(next(numbers))
        self._expand = _Pointwise(next(numbers))
        self._around = next(numbers)
        self._split = fire.expanded
        self._channels = 2 * fire.expanded
        self._relu = relu

    def forward(self, images: Tensor, weights: Weights) -> _Step:
        squeezed = self._squeeze.forward(images, weights).relu_()
        batch, _, height, width = squeezed.shape
        left = squeezed.new_empty(batch * height * width, self._channels)
        self._expand.write(squeezed, weights, left[:, : self._split])
        around = functional.conv2d(squeezed, weights[self._around], weights[self._around + 1], padding=1)
        left[:, self._split :] = _rows(around)
        if self._relu:
            left.relu_()
        return _Step(images, _images(left, squeezed), squeezed)

    def backward(self, gradient: Tensor, step: _Step, weights: Weights, gradients: Weights) -> Tensor:
        if self._relu:
            gradient = _relu_backward(gradient, step.left)
        squeezed, rows = step.between, _rows(gradient)
        around = _images(rows[:, self._split :].contiguous(), squeezed)
        passed = _convolution_backward(around, squeezed, self._around, weights, gradients, padding=[1, 1])
        self._expand.add_backward(passed, rows[:, : self._split], squeezed, weights, gradients)
        return self._squeeze.backward(_relu_backward(passed, squeezed), step.entered, weights, gradients)


class _Pointwise:
    """A 1×1 convolution as a matrix product: every place of every image is a row."""

    def __init__(self, number: int) -> None:
        self._at = number

    def forward(self, images: Tensor, weights: Weights) -> Tensor:
        rows = torch.addmm(weights[self._at + 1], _rows(images), weights[self._at].t())
        return _images(rows, images)

    def write(self, images: Tensor, weights: Weights, rows: Tensor) -> None:
        """The same, into rows that are there."""
        torch.addmm(weights[self._at + 1], _rows(images), weights[self._at].t(), out=rows)

    def backward(self, gradient: Tensor, entered: Tensor, weights: Weights, gradients: Weights) -> Tensor:
        rows = _rows(gradient)
        self._weights_backward(rows, entered, gradients)
        return _images(rows @ weights[self._at], entered)

    def add_backward(self, passed: Tensor, rows: Tensor, entered: Tensor, weights: Weights, gradients: Weights) -> None:
        """Add the gradient of what came in to ``passed``."""
        self._weights_backward(rows, entered, gradients)
        _rows(passed).addmm_(rows, weights[self._at])

    def _weights_backward(self, rows: Tensor, entered: Tensor, gradients: Weights) -> None:
        torch.mm(rows.t(), _rows(entered), out=gradients[self._at])
        torch.sum(rows, 0, out=gradients[self._at + 1])


def _convolution_backward(
    gradient: Tensor,
    entered: Tensor,
    at: int,
    weights: Weights,
    gradients: Weights,
    *,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    images: bool = True,
) -> Tensor:
    """Keep the gradients of weight and bias; returns that of what came in, which is undefined without ``images``."""
    weight, biases = weights[at], [weights[at].shape[0]]
    passed, gradients_weight, gradients_bias = _aten.convolution_backward(
        gradient, entered, weight, biases, stride, padding, [1, 1], False, [0, 0], 1, [images, True, True]
    )
    gradients[at].copy_(gradients_weight)
    gradients[at + 1].copy_(gradients_bias)
    returned: Tensor = passed
    return returned


def _relu_backward(gradient: Tensor, left: Tensor) -> Tensor:
    """Where ReLU let nothing through, no gradient passes either; in place."""
    passed: Tensor = _aten.threshold_backward.grad_input(gradient, left, 0, grad_input=gradient)
    return passed


def _dropout_mask(images: Tensor, probability: float) -> Tensor:
    """Zeros, and what keeps the mean where there are none, from the global generator; as images, channels last."""
    batch, channels, height, width = images.shape
    shape = (batch * height * width, channels)
    if probability != 0.5:
        kept = 1 - probability
        return _images(images.new_empty(shape).bernoulli_(kept).div_(kept), images)
    values = images.numel()
    words = torch.empty(-(-values // 32), dtype=torch.int32).random_(-(2**31), 2**31)
    bits = np.unpackbits(words.numpy().view(np.uint8), count=values)
    return _images(torch.from_numpy(bits).view(shape).to(images.dtype).mul_(2), images)


def _rows(images: Tensor) -> Tensor:
    """B×C×H×W in channels-last layout as BHW×C, without a copy."""
    return images.permute(0, 2, 3, 1).view(-1, images.shape[1])


def _images(rows: Tensor, like: Tensor) -> Tensor:
    """The opposite of :func:`_rows`, for images of this batch, height and width."""
    batch, _, height, width = like.shape
    return rows.view(batch, height, width, -1).permute(0, 3, 1, 2)


def _parameters(convolution: nn.Conv2d) -> tuple[Tensor, Tensor]:
    if convolution.bias is None:
        raise TypeError("Every convolution of a SqueezeNet has a bias, and this one has none.")
    return convolution.weight.detach(), convolution.bias.detach()


def _vector(parameter: Tensor) -> Tensor:
    return (parameter.permute(0, 2, 3, 1) if parameter.dim() == 4 else parameter).reshape(-1)
