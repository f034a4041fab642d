"""Numbers of tries of people of whom some never get there: Kaplan–Meier curves, medians and the log-rank test.

Kaplan and Meier (1958); Brookmeyer and Crowley (1982) for the interval of a median, Mantel (1966) for the test. The
curves, bands and the test are SciPy's.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from reports.results.measures import NotComputable
from reports.results.survival import LogRank, TriesNeeded
from reports.statistics.arrays import Flags, Floats
from reports.statistics.inference import holm
from reports.statistics.resampling import LEVEL

_FEWEST = 2


@dataclass(frozen=True)
class Times:
    """The tries of a group's people.

    Attributes:
        made: Until the threshold was reached; of those who never did, all that they made.
        reached: Who did.
    """

    made: Floats
    reached: Flags

    @property
    def censored(self) -> stats.CensoredData:
        """As SciPy has it."""
        return stats.CensoredData.right_censored(self.made, ~self.reached)


def tries_needed(group: str, times: Times) -> TriesNeeded:
    """A group's curve and its median; the group has somebody in it."""
    curve = stats.ecdf(times.censored).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where all or none are left, a band is not defined
        band = curve.confidence_interval(LEVEL, method="log-log")
    at, left = np.asarray(curve.quantiles, dtype=np.float64), np.asarray(curve.probabilities, dtype=np.float64)
    low = np.where(np.isfinite(band.low.probabilities), band.low.probabilities, left)
    high = np.where(np.isfinite(band.high.probabilities), band.high.probabilities, 1.0)
    few = NotComputable("Fewer than half reached it.")
    return TriesNeeded(
        group=group,
        n=len(times.made),
        reached=int(np.count_nonzero(times.reached)),
        at=(0.0, *(float(each) for each in at)),
        left=(1.0, *(float(each) for each in left)),
        stopped=tuple(float(each) for each in np.sort(times.made[~times.reached])),
        median=_first(at, left, few),
        low=_first(at, low, few),
        high=_first(at, high, NotComputable("Those who never reached it leave it open.")),
    )


def _first(at: Floats, shares: Floats, otherwise: NotComputable) -> float | NotComputable:
    """The first number of tries after which at most half are left."""
    found = np.flatnonzero(shares <= 0.5)
    return float(at[found[0]]) if len(found) else otherwise


def log_rank(groups: Mapping[str, Times]) -> tuple[LogRank | NotComputable, ...]:
    """The test of each pair of groups."""
    found = [_pair(first, second) for first, second in combinations(groups.items(), 2)]
    corrected = iter(holm([each.p for each in found if isinstance(each, LogRank)]))
    return tuple(replace(each, p_holm=next(corrected)) if isinstance(each, LogRank) else each for each in found)


def _pair(first: tuple[str, Times], second: tuple[str, Times]) -> LogRank | NotComputable:
    (one, x), (other, y) = first, second
    pair = f"{one.capitalize()} and {other}"
    if min(len(x.made), len(y.made)) < _FEWEST:
        return NotComputable(f"{pair}: a comparison needs two people in each.")
    if not (x.reached.any() or y.reached.any()):
        return NotComputable(f"{pair}: nobody reached it.")
    with np.errstate(invalid="ignore", divide="ignore"):
        test = stats.logrank(x.censored, y.censored)
    if not np.isfinite(test.statistic):
        return NotComputable(f"{pair}: nobody was left to compare.")
    return LogRank(one, other, len(x.made), len(y.made), float(test.statistic), float(test.pvalue), float(test.pvalue))
