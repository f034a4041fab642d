"""How many people a follow-up needs: studies like this one, simulated."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from reports.results.further import FollowUp, PowerLine
from reports.results.measures import Correlation, Interval, NotComputable
from reports.statistics.arrays import TOLERANCE, Flags, Floats
from reports.statistics.copula import as_observed, tied_to
from reports.statistics.inference import rho
from reports.statistics.resampling import generator

ALPHA = 0.05
POWERS = (0.8, 0.9)
STUDIES = 1_000
MOST = 1_000
SIZES = (6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, MOST)
ENOUGH = 0.995
"""Where the power is so high, larger sizes are not looked at."""


class Case(NamedTuple):
    """A correlation to plan with: ``rho``, and ``what`` it is."""

    what: str
    rho: float


def follow_up(found: Correlation | NotComputable, months: Floats, name: str) -> FollowUp | NotComputable:
    """The power of follow-ups if the true correlation is the observed one, or smaller.

    Args:
        found: Of months and final accuracies here.
        months: Of everybody here: a follow-up recruits people like these.
    """
    if isinstance(found, NotComputable):
        return NotComputable(f"The correlation to plan with is not known. {found.why}")
    lines = tuple(_line(case, months, name) for case in cases(found))
    return FollowUp(lines, ALPHA, STUDIES, MOST)


def cases(found: Correlation) -> Sequence[Case]:
    """The observed correlation, the end of its interval that is nearer to 0, and half of it."""
    observed = found.rho.value
    planned = [Case("as observed", observed)]
    if isinstance(found.rho.interval, Interval):
        interval = found.rho.interval
        nearer = max(interval.low, 0.0) if observed >= 0 else min(interval.high, 0.0)
        planned.append(Case("nearer end of its interval", nearer))
    return [*planned, Case("half of it", observed / 2)]


def _line(case: Case, months: Floats, name: str) -> PowerLine:
    """Power at each size, with the same random numbers at all: the first people of the same large studies."""
    sizes, powers = [], []
    needed: dict[str, int | None] = {f"{power:g}": None for power in POWERS}
    if abs(case.rho) < TOLERANCE:
        return PowerLine(case.what, case.rho, (), (), needed)
    for size in SIZES:
        sizes.append(size)
        powers.append(power(case.rho, months, size, f"{name}/{case.what}"))
        if powers[-1] >= ENOUGH:
            break
    steps = np.maximum.accumulate(powers)
    for wanted in POWERS:
        if steps[-1] >= wanted:
            needed[f"{wanted:g}"] = crossing(sizes, steps, wanted)
    return PowerLine(case.what, case.rho, tuple(sizes), tuple(powers), needed)


def power(true_rho: float, months: Floats, size: int, name: str) -> float:
    """The share of simulated studies of this size that find the correlation at level :data:`ALPHA`, two-sided.

    Months are drawn as they are observed, ties and all, and accuracy is tied to them by a normal copula whose rank
    correlation would be ``true_rho`` without ties.
    """
    first, second = generator("follow-up", name, size).standard_normal((2, STUDIES, size))
    return float(np.mean(is_found(as_observed(months, first), tied_to(first, second, true_rho))))


def is_found(months: Floats, accuracies: Floats, alpha: float = ALPHA) -> Flags:
    """Which studies, one in each row, find a correlation: two-sided, by the t approximation.

    A study in which all values of a series are equal finds none.
    """
    found = np.nan_to_num(rho(months, accuracies))
    return np.asarray(np.abs(found) >= critical_rho(months.shape[-1], alpha))


def critical_rho(size: int, alpha: float = ALPHA) -> float:
    """The smallest correlation of so many pairs that is significant, by the t approximation."""
    t = float(stats.t.isf(alpha / 2, size - 2))
    return t / float(np.sqrt(size - 2 + t**2))


def crossing(sizes: Sequence[int], powers: Floats, wanted: float) -> int:
    """The size at which the power is reached, between two that were simulated on a straight line; rounded up.

    Args:
        powers: At each of ``sizes``, not falling; the last one is ``wanted`` or more.
    """
    after = int(np.argmax(powers >= wanted))
    if after == 0:
        return sizes[0]
    low, high = sizes[after - 1], sizes[after]
    part = (wanted - powers[after - 1]) / (powers[after] - powers[after - 1])
    return int(np.ceil(low + part * (high - low) - TOLERANCE))
