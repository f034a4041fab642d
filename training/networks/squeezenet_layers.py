"""SqueezeNet's convolutions with the initial weights that torchvision draws.

torchvision itself takes two seconds to import, which every worker would pay for a list of layers. The tests compare
the weights with torchvision's own, bit for bit.
"""

from collections.abc import Sequence

from torch import nn
from torch.nn import init

from training.networks.architectures import Architecture, Fire

_COLOURS = 3
_LAST_DEVIATION = 0.01
"""The standard deviation of the last convolution's initial weights."""


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
