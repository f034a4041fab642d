"""Build a task's network: a classifier of torchvision, with random initial weights."""

import torch
from torch import nn

from training.networks.architectures import ARCHITECTURES
from training.networks.squeezenet import FastSqueezeNet
from training.networks.squeezenet_layers import draw_convolutions
from training.tasks import Task


def build_network(task: Task, seed: int, device: torch.device, memory_format: torch.memory_format) -> nn.Module:
    """Build the network of a task on a device, with initial weights that depend on the seed alone.

    The weights are drawn on the CPU, so that they are the same on every device.

    Args:
        task: The task whose network is wanted.
        seed: The seed of the weights.
        device: The device that will train it.
        memory_format: The layout of the images that it will be given.

    Returns:
        A module from float32 B×3×H×W to raw outputs B×classes.
    """
    classes = task.facts.classes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        architecture = ARCHITECTURES.get(task.network)
        if device.type == "cpu" and architecture is not None:
            return FastSqueezeNet(architecture, draw_convolutions(architecture, classes))
        # Imported here: it takes two seconds, and SqueezeNet on a CPU does not need it.
        from torchvision.models import get_model

        network: nn.Module = get_model(task.network, weights=None, num_classes=classes)
    network.to(device)
    return network.to(memory_format=memory_format)
