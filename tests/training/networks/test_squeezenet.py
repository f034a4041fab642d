"""The fast SqueezeNet is torchvision's: the same weights, outputs and gradients, and dropout that drops half."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from training.networks.architectures import ARCHITECTURES, Architecture, Fire, least_bytes_per_image
from training.networks.squeezenet import FastSqueezeNet, _dropout_mask
from training.networks.squeezenet_layers import draw_convolutions


def get_model(name: str, *, weights: None, num_classes: int) -> nn.Module:
    """torchvision's network; imported here, because it takes two seconds that collecting the tests should not take."""
    from torchvision import models

    network: nn.Module = models.get_model(name, weights=weights, num_classes=num_classes)
    return network


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [each for each in network.modules() if isinstance(each, nn.Conv2d)]


def fast(theirs: nn.Module, version: str = "squeezenet1_1") -> FastSqueezeNet:
    """The fast network with the weights of torchvision's."""
    return FastSqueezeNet(ARCHITECTURES[version], convolutions(theirs))


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("version", ["squeezenet1_0", "squeezenet1_1"])
def test_the_initial_weights_are_torchvisions_bit_for_bit(version: str, classes: int) -> None:
    torch.manual_seed(7)
    theirs = get_model(version, weights=None, num_classes=classes)
    after = torch.rand(1)
    torch.manual_seed(7)
    ours = draw_convolutions(ARCHITECTURES[version], classes)
    assert torch.equal(torch.rand(1), after), "as many numbers were drawn"
    for mine, other in zip(ours, convolutions(theirs), strict=True):
        assert torch.equal(mine.weight, other.weight)
        assert torch.equal(mine.bias, other.bias)
        assert (mine.stride, mine.padding) == (other.stride, other.padding)


def test_an_architecture_without_a_pooling_behind_its_first_convolution_is_refused() -> None:
    with pytest.raises(ValueError, match="has a pooling behind its first convolution"):
        Architecture(channels=8, kernel=3, layers=(Fire(8, 16),))


@pytest.mark.parametrize(("size", "batch"), [(32, 20), (33, 1), (64, 5)])
@pytest.mark.parametrize("version", ["squeezenet1_0", "squeezenet1_1"])
def test_outputs_and_gradients_are_torchvisions_in_double_precision(version: str, size: int, batch: int) -> None:
    torch.manual_seed(1)
    theirs = get_model(version, weights=None, num_classes=7)
    ours = fast(theirs, version).double().eval()
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
    ours = fast(theirs)
    assert [name for name, _ in ours.named_parameters()] == ["weights"]
    assert ours.weights.numel() == sum(each.numel() for each in theirs.parameters())


def test_a_loss_that_is_not_a_number_stays_one() -> None:
    network = fast(get_model("squeezenet1_1", weights=None, num_classes=10)).eval()
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
    network = fast(get_model("squeezenet1_1", weights=None, num_classes=10))
    images = torch.randn(4, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(network.eval()(images), network(images))
        assert not torch.equal(network.train()(images), network(images))


@pytest.mark.parametrize("network", ["squeezenet1_0", "squeezenet1_1"])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_an_image_takes_at_least_the_memory_that_is_promised(network: str, size: int) -> None:
    model, kept = get_model(network, weights=None, num_classes=10), 3 * size * size * 4

    def keep(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal kept
        kept += output.numel() * (12 if isinstance(layer, nn.MaxPool2d) else 4)

    for each in model.features.modules():
        if isinstance(each, nn.Conv2d | nn.MaxPool2d):
            each.register_forward_hook(keep)
    model(torch.zeros(1, 3, size, size))
    assert 0.75 * kept < least_bytes_per_image(network, size) <= kept


def test_of_another_network_only_the_image_is_sure_to_take_memory() -> None:
    assert least_bytes_per_image("resnet18", 100) == 3 * 100 * 100 * 4
