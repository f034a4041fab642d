"""Every optimizer gets Table 1's values, and whatever the form accepts can be trained."""

import inspect
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import optim
from torch.nn import Parameter

from training.bounds import Bounds
from training.hyperparameters import HYPERPARAMETERS, Configuration, InvalidConfiguration, Loss, Optimizer, Value
from training.images.data import TaskData
from training.loop import train
from training.networks.graphs import is_recorded
from training.optimizers import build_optimizer
from training.trial import Ending, TrialRequest

CPU = torch.device("cpu")

LARGEST = 3.4e38
"""About the largest number of single precision."""

TABLE_1 = {
    Optimizer.ADAM: {"lr": 0.001, "weight_decay": 0, "betas": (0.9, 0.999), "eps": 1e-5},
    Optimizer.ADADELTA: {"lr": 0.001, "weight_decay": 0, "rho": 0.9, "eps": 1e-5},
    Optimizer.ADAGRAD: {"lr": 0.001, "weight_decay": 0, "lr_decay": 0, "initial_accumulator_value": 0},
    Optimizer.ASGD: {"lr": 0.001, "weight_decay": 0, "lambd": 0.75, "alpha": 0.99},
    Optimizer.RMSPROP: {"lr": 0.001, "weight_decay": 0, "momentum": 0, "alpha": 0.99, "eps": 1e-5},
    Optimizer.SGD: {"lr": 0.001, "weight_decay": 0, "momentum": 0},
}


def extremes() -> list[dict[str, float | str]]:
    """Each optimizer with each of its values at the ends of its range, one at a time and all at once."""
    cases: list[dict[str, float | str]] = []
    for optimizer in Optimizer:
        ends: dict[str, tuple[float, float]] = {}
        for each in HYPERPARAMETERS:
            if each.kind == "real" and each.used_by(optimizer):
                interval = each.interval(Bounds.OPTIMIZER, optimizer)
                low, high = max(interval.low, -LARGEST), min(interval.high, LARGEST)
                ends[each.name] = (low, math.nextafter(high, -math.inf) if interval.high_open else high)
        cases += [{"optimizer": optimizer, name: end} for name, pair in ends.items() for end in pair]
        cases += [{"optimizer": optimizer} | {name: pair[end] for name, pair in ends.items()} for end in (0, 1)]
    return cases


@pytest.mark.parametrize("optimizer", Optimizer)
def test_untouched_values_are_those_of_table_1_not_pytorchs(
    optimizer: Optimizer, configuration: Callable[..., Configuration]
) -> None:
    built = build_optimizer(configuration(optimizer=optimizer), [Parameter(torch.zeros(1))], CPU)
    assert type(built).__name__.lower() == optimizer
    used = {name: built.defaults[name] for name in TABLE_1[optimizer]}
    assert used == TABLE_1[optimizer]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"optimizer": "adam", "beta1": 0.5, "beta2": 0.6, "epsilon": 0.1}, {"betas": (0.5, 0.6), "eps": 0.1}),
        ({"optimizer": "adadelta", "rho": 0.5, "epsilon": 0.1}, {"rho": 0.5, "eps": 0.1}),
        (
            {"optimizer": "adagrad", "learning_rate_decay": 0.5, "initial_accumulator_value": 0.1},
            {"lr_decay": 0.5, "initial_accumulator_value": 0.1},
        ),
        ({"optimizer": "asgd", "lambd": 0.5, "alpha": 0.1}, {"lambd": 0.5, "alpha": 0.1}),
        (
            {"optimizer": "rmsprop", "alpha": 0.5, "epsilon": 0.1, "momentum": 0.2},
            {"alpha": 0.5, "eps": 0.1, "momentum": 0.2},
        ),
        ({"optimizer": "sgd", "momentum": 0.2}, {"momentum": 0.2}),
    ],
)
def test_what_a_participant_enters_reaches_the_optimizer(
    typed: dict[str, float | str], found: dict[str, object], configuration: Callable[..., Configuration]
) -> None:
    built = build_optimizer(
        configuration(**typed, learning_rate=0.25, weight_decay=0.125), [Parameter(torch.zeros(1))], CPU
    )
    assert found | {"lr": 0.25, "weight_decay": 0.125} == {
        name: built.defaults[name] for name in (*found, "lr", "weight_decay")
    }


PYTORCHS = {
    Optimizer.ADAM: optim.Adam,
    Optimizer.ADADELTA: optim.Adadelta,
    Optimizer.ADAGRAD: optim.Adagrad,
    Optimizer.ASGD: optim.ASGD,
    Optimizer.RMSPROP: optim.RMSprop,
    Optimizer.SGD: optim.SGD,
}
ARGUMENTS = {
    "learning_rate": "lr",
    "lambd": "lambd",
    "epsilon": "eps",
    "learning_rate_decay": "lr_decay",
}
"""PyTorch's names, where they are others. The betas are one argument."""

EDGES = (
    -LARGEST,
    -2000.0,
    -1.0,
    -1e-30,
    0.0,
    1e-30,
    0.5,
    math.nextafter(1, 0),
    1.0,
    math.nextafter(1, 2),
    4.0,
    LARGEST,
)


def pytorch_takes(optimizer: Optimizer, values: dict[str, float]) -> bool:
    """Whether PyTorch's own constructor takes these values."""
    arguments = {ARGUMENTS.get(name, name): value for name, value in values.items() if not name.startswith("beta")}
    if "beta1" in values or "beta2" in values:
        arguments["betas"] = (values.get("beta1", 0.9), values.get("beta2", 0.999))  # type: ignore[assignment]
    assert arguments.keys() <= inspect.signature(PYTORCHS[optimizer]).parameters.keys()
    try:
        PYTORCHS[optimizer]([Parameter(torch.zeros(1))], **arguments)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def form_takes(optimizer: Optimizer, values: dict[str, float]) -> bool:
    """Whether the form takes them; if not, it has a sentence at every field at fault."""
    given: dict[str, Value | None] = {"epochs": 1, "batch_size": 1, "loss": "l1", "optimizer": optimizer, **values}
    errors: dict[str, str] = {}
    try:
        built = Configuration.create(given)
    except InvalidConfiguration as refused:
        errors = refused.errors
    assert errors.keys() <= values.keys()
    assert all(sentence.endswith(".") for sentence in errors.values())
    if errors:
        return False
    build_optimizer(built, [Parameter(torch.zeros(1))], CPU)
    return True


@pytest.mark.parametrize("optimizer", Optimizer)
def test_the_form_takes_exactly_what_pytorchs_optimizer_takes(optimizer: Optimizer) -> None:
    names = [each.name for each in HYPERPARAMETERS if each.kind == "real" and each.used_by(optimizer)]
    for name in names:
        for value in EDGES:
            assert form_takes(optimizer, {name: value}) == pytorch_takes(optimizer, {name: value}), (name, value)
    order = np.random.default_rng(10)
    for _ in range(200):
        values = dict(zip(names, order.choice(EDGES, len(names)).tolist(), strict=True))
        assert form_takes(optimizer, values) == pytorch_takes(optimizer, values), values


@pytest.mark.parametrize("loss", Loss)
@pytest.mark.parametrize("optimizer", Optimizer)
def test_every_optimizer_trains_with_every_loss(
    optimizer: Optimizer, loss: Loss, few: TaskData, configuration: Callable[..., Configuration], record: Callable
) -> None:
    wanted = configuration(optimizer=optimizer, loss=loss)
    found = record(train(TrialRequest("few-digits", wanted, seed=10), few))
    assert found.ending == Ending.COMPLETE
    assert len(found.losses) == 6
    assert len(set(found.losses)) > 1, "the weights move"
    assert 0 <= found.accuracy <= 100


@pytest.mark.long
def test_whatever_the_form_accepts_trains_or_diverges(
    few: TaskData, configuration: Callable[..., Configuration], record: Callable
) -> None:
    endings = [
        record(train(TrialRequest("few-digits", configuration(**values, epochs=1), seed=10), few)).ending
        for values in extremes()
    ]
    assert set(endings) == {Ending.COMPLETE, Ending.DIVERGED}


@pytest.mark.parametrize("optimizer", Optimizer)
def test_steps_are_recorded_on_a_gpu_for_small_batches_of_optimizers_that_allow_it(
    optimizer: Optimizer, configuration: Callable[..., Configuration]
) -> None:
    small, large = configuration(optimizer=optimizer, batch_size=64), configuration(optimizer=optimizer, batch_size=65)
    gpu = torch.device("cuda", 0)
    assert is_recorded(small, gpu) == (optimizer is not Optimizer.ADAGRAD)
    assert not is_recorded(large, gpu)
    assert not is_recorded(small, CPU)
