"""The fast SqueezeNet is torchvision's: the same outputs, the same gradients, dropout that drops half."""

import pytest
import torch
from torch.nn import functional
from torchvision.models import get_model

from training.networks.squeezenet import FastSqueezeNet, _dropout_mask


@pytest.mark.parametrize(("size", "batch"), [(32, 20), (33, 1), (64, 5)])
@pytest.mark.parametrize("version", ["squeezenet1_0", "squeezenet1_1"])
def test_outputs_and_gradients_are_torchvisions_in_double_precision(version: str, size: int, batch: int) -> None:
    torch.manual_seed(1)
    theirs = get_model(version, weights=None, num_classes=7)
    ours = FastSqueezeNet(theirs).double().eval()
    theirs = theirs.double().eval()
    images = torch.randn(batch, 3, size, size, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 7, (batch,))
    found, expected = ours(images), theirs(images)
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-14)
    functional.cross_entropy(found, labels).backward()
    functional.cross_entropy(expected, labels).backward()
    gradients = [
        (each.grad.permute(0, 2, 3, 1) if each.dim() == 4 else each.grad).flatten() for each in theirs.parameters()
    ]
    assert ours.weights.grad is not None
    assert torch.allclose(ours.weights.grad, torch.cat(gradients), rtol=1e-10, atol=1e-14)


def test_all_weights_are_one_vector_of_torchvisions_length() -> None:
    theirs = get_model("squeezenet1_1", weights=None, num_classes=10)
    ours = FastSqueezeNet(theirs)
    assert [name for name, _ in ours.named_parameters()] == ["weights"]
    assert ours.weights.numel() == sum(each.numel() for each in theirs.parameters())


def test_a_loss_that_is_not_a_number_stays_one() -> None:
    network = FastSqueezeNet(get_model("squeezenet1_1", weights=None, num_classes=10)).eval()
    with torch.no_grad():
        network.weights[0] = float("nan")
    images = torch.zeros(1, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    assert network(images).isnan().any()


@pytest.mark.parametrize(("probability", "kept"), [(0.5, 2.0), (0.25, 4 / 3)])
def test_dropout_keeps_the_mean(probability: float, kept: float) -> None:
    torch.manual_seed(3)
    mask = _dropout_mask(torch.empty(40, 16, 9, 9), probability)
    assert mask.shape == (40, 16, 9, 9)
    assert sorted(mask.unique().tolist()) == pytest.approx([0, kept])
    assert mask.mean().item() == pytest.approx(1, abs=0.02)
    assert mask.mean((0, 2, 3)).std().item() < 0.05, "every channel alike"
    assert not torch.equal(mask, _dropout_mask(torch.empty(40, 16, 9, 9), probability))


def test_dropout_is_for_training_only() -> None:
    network = FastSqueezeNet(get_model("squeezenet1_1", weights=None, num_classes=10))
    images = torch.randn(4, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(network.eval()(images), network(images))
        assert not torch.equal(network.train()(images), network(images))
