"""The four loss functions, fed as in the original study."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from training.hyperparameters import Loss

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""From raw outputs (B×classes) and labels (B) to the mean loss of the batch (a scalar)."""


def loss_function(loss: Loss, classes: int, device: torch.device) -> LossFunction:
    """The loss function of that name.

    L1 and mean squared error compare the raw outputs with the one-hot labels, each the mean over batch and classes;
    negative log likelihood gets a log-softmax first, and so equals cross entropy.
    """
    # Rows of the identity are the one-hot labels: unlike functional.one_hot, an index never asks the device to wait.
    one_hot = torch.eye(classes, device=device)
    match loss:
        case Loss.CROSS_ENTROPY:
            return functional.cross_entropy
        case Loss.L1:
            return lambda outputs, labels: functional.l1_loss(outputs, one_hot[labels])
        case Loss.MSE:
            return lambda outputs, labels: functional.mse_loss(outputs, one_hot[labels])
        case Loss.NLL:
            return lambda outputs, labels: functional.nll_loss(functional.log_softmax(outputs, dim=1), labels)
