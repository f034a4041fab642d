"""SqueezeNet's layers as data, and its convolutions with the initial weights that torchvision draws.

torchvision itself takes two seconds to import, which every worker would pay for a list of layers. The tests compare
the weights with torchvision's own, bit for bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn import init

_COLOURS = 3
_LAST_DEVIATION = 0.01
"""The standard deviation of the last convolution's initial weights."""


@dataclass(frozen=True)
class Pooling:
    """Max pooling over 3×3 pixels with a stride of 2; a window that is cut off at the edge counts."""

    size: int = 3
    stride: int = 2


@dataclass(frozen=True)
class Fire:
    """A fire module: a 1×1 convolution squeezes, then a 1×1 and a 3×3 convolution expand side by side.

    Attributes:
        squeezed: The channels after the squeeze.
        expanded: The channels after each of the two expansions.
    """

    squeezed: int
    expanded: int


@dataclass(frozen=True)
class Architecture:
    """A SqueezeNet: a first convolution with a ReLU, then these layers, dropout and a 1×1 convolution to the classes.

    Attributes:
        channels: The channels after the first convolution.
        kernel: The height and width of the first convolution's kernel.
        layers: The layers behind it.
        dropout: The probability that dropout sets a value to zero.
        stride: The stride of the first convolution.

    Raises:
        ValueError: The first of the layers is not a pooling.
    """

    channels: int
    kernel: int
    layers: tuple[Pooling | Fire, ...]
    dropout: float = 0.5
    stride: int = 2

    def __post_init__(self) -> None:
        if self.layers[0] != Pooling():
            raise ValueError("A SqueezeNet has a pooling behind its first convolution.")


_POOLING = Pooling()

ARCHITECTURES: Mapping[str, Architecture] = {
    "squeezenet1_0": Architecture(
        channels=96,
        kernel=7,
        layers=(
            _POOLING,
            *(Fire(16, 64), Fire(16, 64), Fire(32, 128)),
            _POOLING,
            *(Fire(32, 128), Fire(48, 192), Fire(48, 192), Fire(64, 256)),
            _POOLING,
            Fire(64, 256),
        ),
    ),
    "squeezenet1_1": Architecture(
        channels=64,
        kernel=3,
        layers=(
            _POOLING,
            *(Fire(16, 64), Fire(16, 64)),
            _POOLING,
            *(Fire(32, 128), Fire(32, 128)),
            _POOLING,
            *(Fire(48, 192), Fire(48, 192), Fire(64, 256), Fire(64, 256)),
        ),
    ),
}
"""By torchvision's names. 1.0 is the paper's (Iandola et al. 2016), 1.1 its authors' later one with less to compute."""


def draw_convolutions(architecture: Architecture, classes: int) -> Sequence[nn.Conv2d]:
    """Make all convolutions in their order, with weights from torch's global generator.

    The same state of the generator gives the same weights as ``torchvision.models`` does. Biases are zero.
    """
    channels = architecture.channels
    convolutions = [nn.Conv2d(_COLOURS, channels, architecture.kernel, architecture.stride)]
    for layer in architecture.layers:
        if isinstance(layer, Fire):
            convolutions += [
                nn.Conv2d(channels, layer.squeezed, 1),
                nn.Conv2d(layer.squeezed, layer.expanded, 1),
                nn.Conv2d(layer.squeezed, layer.expanded, 3, padding=1),
            ]
            channels = 2 * layer.expanded
    convolutions.append(nn.Conv2d(channels, classes, 1))
    # Each convolution has drawn weights already when it was made. torchvision draws again, so this does too.
    *others, last = convolutions
    for convolution in others:
        init.kaiming_uniform_(convolution.weight)
    init.normal_(last.weight, mean=0.0, std=_LAST_DEVIATION)
    for convolution in convolutions:
        if convolution.bias is not None:
            init.zeros_(convolution.bias)
    return convolutions
