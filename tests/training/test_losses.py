"""How the four losses are fed."""

import math

import pytest
import torch

from training.hyperparameters import Loss
from training.losses import loss_function

OUTPUTS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
LABELS = torch.tensor([0, 2])
CPU = torch.device("cpu")


def value(loss: Loss) -> float:
    return loss_function(loss, 3, CPU)(OUTPUTS, LABELS).item()


def test_l1_is_the_mean_distance_of_raw_outputs_from_the_one_hot_label() -> None:
    assert value(Loss.L1) == pytest.approx((1 + 1 + 0.5 + 0 + 3 + 0) / 6)


def test_mean_squared_error_is_the_mean_square_of_that_distance() -> None:
    assert value(Loss.MSE) == pytest.approx((1 + 1 + 0.25 + 0 + 9 + 0) / 6)


def test_negative_log_likelihood_gets_a_log_softmax_first_and_equals_cross_entropy() -> None:
    by_hand = [
        -(row[label] - math.log(sum(math.exp(each) for each in row)))
        for row, label in ((OUTPUTS[0].tolist(), 0), (OUTPUTS[1].tolist(), 2))
    ]
    assert value(Loss.NLL) == pytest.approx(sum(by_hand) / 2)
    assert value(Loss.CROSS_ENTROPY) == pytest.approx(sum(by_hand) / 2)
