"""The networks: torchvision's classifiers, from random weights."""

import torch
from torch import nn
from torchvision.models import SqueezeNet, get_model

from training.networks.squeezenet import FastSqueezeNet
from training.tasks import Task


def build_network(task: Task, seed: int, device: torch.device, memory_format: torch.memory_format) -> nn.Module:
    """Build the network of a task on a device, with initial weights that depend on the seed alone.

    The weights are drawn on the CPU, so that they are the same on every device.

    Args:
        task: Whose network.
        seed: Of the weights.
        device: Where it will be trained.
        memory_format: Of the images it will be given.

    Returns:
        A module from float32 B×3×H×W to raw outputs B×classes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = get_model(task.network, weights=None, num_classes=task.facts.classes)
    if device.type == "cpu" and isinstance(network, SqueezeNet):
        return FastSqueezeNet(network)
    network.to(device)
    return network.to(memory_format=memory_format)
