"""SqueezeNet's layers as data, without torch, and how much memory an image takes in them."""

from collections.abc import Mapping
from dataclasses import dataclass


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


_FLOAT, _PLACE = 4, 8
"""Bytes of a float32, and of the int64 that says where the maximum of a pooling was."""


def least_bytes_per_image(network: str, image_size: int) -> int:
    """Bytes that each image of a batch surely takes while a network trains on it.

    It counts what is kept from the forward for the backward pass, once: the image, and what every layer of a SqueezeNet
    returns. Gradients, copies and buffers come on top, so more than this is needed. Of other networks it knows only the
    image.

    Args:
        network: Its name in ``torchvision.models``.
        image_size: Height and width of an image in pixels.
    """
    size = 3 * image_size**2 * _FLOAT
    architecture = ARCHITECTURES.get(network)
    if architecture is None:
        return size
    side, channels = (image_size - architecture.kernel) // architecture.stride + 1, architecture.channels
    size += channels * side**2 * _FLOAT
    for layer in architecture.layers:
        if isinstance(layer, Fire):
            channels = 2 * layer.expanded
            size += (layer.squeezed + channels) * side**2 * _FLOAT
        else:
            side = max((side - layer.size) // layer.stride + 1, 0)  # rounded down, so rather less than it is
            size += channels * side**2 * (_FLOAT + _PLACE)
    return size
