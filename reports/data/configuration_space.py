"""The 15 hyperparameters on common scales from 0 to 1, so that configurations have a distance.

What people change by factors is on a logarithmic scale; what they move towards 1 (0.9, 0.99, 0.999) is on one of its
distance from 1. Zero has a place on every scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports.statistics.arrays import Flags, Floats, rounded
from training.hyperparameters import HYPERPARAMETERS, Optimizer


@dataclass(frozen=True)
class Scale:
    """How one hyperparameter is brought to 0 … 1.

    Attributes:
        kind: ``log``: logarithmic from ``low`` to ``high``; ``log from 0``: logarithmic above ``low`` and about linear
            below it, so that 0 is 0; ``towards 1``: that of one minus the value, turned round; ``choice``.
        low, high: Values beyond the scale count as its ends: ``low`` and ``high`` of ``log``, 0 and ``high`` of ``log
            from 0``, 0 and 1 of ``towards 1``.
    """

    kind: Literal["log", "log from 0", "towards 1", "choice"]
    low: float = 0.0
    high: float = 1.0

    def unit(self, values: Floats) -> Floats:
        """The values on this scale; a choice stays the number that it is."""
        if self.kind == "choice":
            return values
        if self.kind == "log":
            return np.asarray(np.log(np.clip(values, self.low, self.high) / self.low) / np.log(self.high / self.low))
        if self.kind == "log from 0":
            return _log_from_0(np.clip(values, 0, self.high), self.low, self.high)
        return 1 - _log_from_0(1 - np.clip(values, 0, 1), self.low, 1.0)


SCALES: Mapping[str, Scale] = {
    "epochs": Scale("log", 1, 1000),
    "batch_size": Scale("log", 1, 10_000),
    "loss": Scale("choice"),
    "optimizer": Scale("choice"),
    "learning_rate": Scale("log", 1e-6, 10),
    "weight_decay": Scale("log from 0", 1e-6, 10),
    "momentum": Scale("towards 1", 1e-3),
    "rho": Scale("towards 1", 1e-3),
    "lambd": Scale("log from 0", 1e-4, 100),
    "alpha": Scale("towards 1", 1e-3),
    "epsilon": Scale("log from 0", 1e-10, 1),
    "learning_rate_decay": Scale("log from 0", 1e-6, 10),
    "initial_accumulator_value": Scale("log from 0", 1e-6, 10),
    "beta1": Scale("towards 1", 1e-3),
    "beta2": Scale("towards 1", 1e-3),
}
"""One for each hyperparameter, in table 1's order."""

CHOICES = np.array([each.kind == "choice" for each in HYPERPARAMETERS])
"""Which columns are choices."""

OPTIMIZER = next(position for position, each in enumerate(HYPERPARAMETERS) if each.name == "optimizer")

_USED = np.array([[each.used_by(optimizer) for each in HYPERPARAMETERS] for optimizer in Optimizer])


def unit(values: Floats) -> Floats:
    """Configurations (rows of table 1's 15 values, choices as numbers) on the common scales."""
    columns = [SCALES[each.name].unit(values[:, position]) for position, each in enumerate(HYPERPARAMETERS)]
    return rounded(np.column_stack(columns)) if len(values) else np.zeros((0, len(HYPERPARAMETERS)))


def used(values: Floats) -> Flags:
    """Which hyperparameters each configuration's optimizer uses; of raw values or of those on the common scales."""
    return np.asarray(_USED[values[:, OPTIMIZER].astype(np.int64)])


def distances(first: Floats, second: Floats) -> Floats:
    """How far each two configurations are apart, from 0 to 1: Gower's (1971) mean over their hyperparameters.

    A choice is as far as can be when it differs. Hyperparameters that neither's optimizer uses do not count.

    Args:
        first, second: Rows on the common scales, see :func:`unit`.
    """
    apart = np.where(CHOICES, first != second, np.abs(first - second))
    counts = used(first) | used(second)
    return np.asarray((apart * counts).sum(axis=1) / counts.sum(axis=1))


def _log_from_0(values: Floats, low: float, high: float) -> Floats:
    return np.asarray(np.log1p(values / low) / np.log1p(high / low))
