"""The networks: torchvision's classifiers, from random weights."""

import torch
from torch import nn
from torchvision.models import get_model

from training.tasks import Task


def build_network(task: Task, seed: int) -> nn.Module:
    """Build the network of a task, with initial weights that depend on the seed alone.

    The weights are drawn on the CPU, so that they are the same on every device.

    Returns:
        A module from float32 B×3×H×W to raw outputs B×classes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = get_model(task.network, weights=None, num_classes=task.facts.classes)
    return network
