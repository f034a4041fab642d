"""What a searcher draws from: one distribution for each of the 15 hyperparameters, as data.

The paper drew 320 settings at random (its section 2.1 and figure 1) and does not say from what. This is what somebody
would enter who knows the names and the usual orders of magnitude, and nothing else: scales are logarithmic where
values differ by orders of magnitude, and bounds lie well beyond what usually works. :func:`describe` puts it in words.

Numbers are rounded to three significant digits, as people type them. So a draw is the same on every machine, even
where the last bit of a logarithm is not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from training.hyperparameters import BY_NAME, HYPERPARAMETERS, LABELS, Loss, Optimizer, format_value


@dataclass(frozen=True)
class Real:
    """A number, uniform or uniform on a logarithmic scale.

    Attributes:
        low, high: Both inclusive; above 0 when logarithmic.
        logarithmic: Whether it is its logarithm that is uniform.
        below_one: What is drawn is how far the value lies below 1: for factors such as 0.9, 0.99 and 0.999.
    """

    low: float
    high: float
    logarithmic: bool = False
    below_one: bool = False

    def at(self, position: float) -> float:
        """The value for this place (0 to 1) in the distribution of what is drawn."""
        if self.logarithmic:
            drawn = self.low * (self.high / self.low) ** position
        else:
            drawn = self.low + (self.high - self.low) * position
        return self.value_of(drawn)

    def value_of(self, drawn: float) -> float:
        """The hyperparameter's value for what was drawn, rounded to three significant digits of the latter."""
        rounded = float(f"{drawn:.3g}")
        return round(1 - rounded, 12) if self.below_one else rounded

    def drawn_for(self, value: float) -> float:
        """What would have to be drawn for a value; the nearest bound for one that cannot be."""
        return min(max(1 - value if self.below_one else value, self.low), self.high)

    @property
    def words(self) -> str:
        """Such as ``log-uniform from 0.00001 to 1``."""
        kind = "log-uniform" if self.logarithmic else "uniform"
        return f"{'1 minus ' * self.below_one}{kind} from {format_value(self.low)} to {format_value(self.high)}"


@dataclass(frozen=True)
class Count:
    """A whole number, uniform on a logarithmic scale; ``low`` and ``high`` inclusive."""

    low: int
    high: int

    def at(self, position: float) -> int:
        """The value for this place (0 to 1) in the distribution."""
        low, high = self.low - 0.5, self.high + 0.5
        return self.drawn_for(low * (high / low) ** position)

    def drawn_for(self, value: float) -> int:
        """The value, or the nearest bound for one that cannot be drawn."""
        return min(max(round(value), self.low), self.high)

    @property
    def words(self) -> str:
        """Such as ``log-uniform whole number from 1 to 100``."""
        return f"log-uniform whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class PowerOfTwo:
    """A power of two, each as likely as the others; ``low`` and ``high`` are the exponents, inclusive."""

    low: int
    high: int

    def at(self, position: float) -> int:
        """The value for this place (0 to 1) in the distribution."""
        return int(2 ** min(self.low + math.floor(position * (self.high - self.low + 1)), self.high))

    def drawn_for(self, value: float) -> int:
        """The exponent of the nearest power of two that can be drawn."""
        return min(max(round(math.log2(value)), self.low), self.high)

    @property
    def words(self) -> str:
        """Such as ``one of 8, 16, 32``."""
        return f"one of {', '.join(str(2**exponent) for exponent in range(self.low, self.high + 1))}"


@dataclass(frozen=True)
class OneOf:
    """One of some names, each as likely as the others."""

    choices: tuple[str, ...]

    def at(self, position: float) -> str:
        """The value for this place (0 to 1) in the distribution."""
        return self.choices[min(math.floor(position * len(self.choices)), len(self.choices) - 1)]

    @property
    def words(self) -> str:
        """Such as ``one of Adam, SGD``."""
        return f"one of {', '.join(LABELS[choice] for choice in self.choices)}"


Distribution = Real | Count | PowerOfTwo | OneOf

_EPOCHS = Count(1, 100)
_BATCH_SIZES = PowerOfTwo(3, 9)

_FORGETTING = Real(0.001, 0.5, logarithmic=True, below_one=True)
"""Of a running average: 0.5, 0.9, 0.99 and 0.999 lie in it."""

SPACE: Mapping[str, Distribution] = {
    "epochs": _EPOCHS,
    "batch_size": _BATCH_SIZES,
    "loss": OneOf(tuple(Loss)),
    "optimizer": OneOf(tuple(Optimizer)),
    "learning_rate": Real(1e-5, 1, logarithmic=True),
    "weight_decay": Real(1e-6, 0.1, logarithmic=True),
    "momentum": Real(0, 0.99),
    "rho": _FORGETTING,
    "lambd": Real(1e-4, 1, logarithmic=True),
    "alpha": _FORGETTING,
    "epsilon": Real(1e-10, 0.01, logarithmic=True),
    "learning_rate_decay": Real(1e-6, 0.1, logarithmic=True),
    "initial_accumulator_value": Real(1e-6, 1, logarithmic=True),
    "beta1": Real(0.01, 0.5, logarithmic=True, below_one=True),
    "beta2": Real(0.0001, 0.5, logarithmic=True, below_one=True),
}
"""By the hyperparameter's name, in Table 1's order. What the drawn optimizer does not use stays at its default."""


def space_for(training_images: int | None = None, most_epochs: int | None = None) -> dict[str, Distribution]:
    """The distributions for a task: no batch is larger than the training split.

    Args:
        training_images: Its size; ``None``: any.
        most_epochs: A lower ceiling than the table's, where trials are to be short.

    Raises:
        ValueError: No epoch, or no image.
    """
    space = dict(SPACE)
    if most_epochs is not None:
        if most_epochs < 1:
            raise ValueError(f"A trial has at least one epoch: {most_epochs} were given.")
        space["epochs"] = Count(_EPOCHS.low, min(most_epochs, _EPOCHS.high))
    if training_images is not None:
        if training_images < 1:
            raise ValueError(f"There must be an image to train on: {training_images} were given.")
        largest = training_images.bit_length() - 1
        if largest < _BATCH_SIZES.high:
            space["batch_size"] = PowerOfTwo(min(_BATCH_SIZES.low, largest), largest)
    return space


def describe(training_images: int | None = None, most_epochs: int | None = None) -> list[tuple[str, str]]:
    """What the searchers draw from, for a person: each hyperparameter's label, and its distribution in words.

    Args:
        training_images, most_epochs: As for :func:`space_for`.
    """
    space = space_for(training_images, most_epochs)
    return [(each.label, f"{space[each.name].words}{_users(each.name)}") for each in HYPERPARAMETERS]


def _users(name: str) -> str:
    """Which optimizers use a hyperparameter, where not all do."""
    *others, last = [LABELS[each] for each in Optimizer if BY_NAME[name].used_by(each)]
    if len(others) + 1 == len(Optimizer):
        return ""
    return f", with {', '.join(others)} and {last}" if others else f", with {last}"
