"""Which numbers may be entered for a hyperparameter: those that the optimizers take, or fewer."""

import math
from dataclasses import dataclass
from enum import StrEnum

from training.numbers import format_number


class Bounds(StrEnum):
    """The two sets of bounds that a study can have (``form.bounds``)."""

    OPTIMIZER = "optimizer"
    """Whatever PyTorch's optimizer takes, as in the original study."""
    NARROW = "narrow"
    """Less: values that hardly anybody enters on purpose are refused. Earlier versions had these bounds."""


@dataclass(frozen=True)
class Interval:
    """The numbers from ``low`` to ``high``. An end that is open does not belong to it; an infinite one never does."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    @property
    def words(self) -> str:
        """Such as ``from 1 to 1000``, ``above 0 and up to 100``, ``0 or more`` and ``any number``."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "any number"
        if math.isinf(self.high):
            return f"above {format_number(self.low)}" if self.low_open else f"{format_number(self.low)} or more"
        if not self.low_open and not self.high_open:
            return f"from {format_number(self.low)} to {format_number(self.high)}"
        low = f"above {format_number(self.low)}" if self.low_open else f"{format_number(self.low)} or more"
        return f"{low} and {'below' if self.high_open else 'up to'} {format_number(self.high)}"
