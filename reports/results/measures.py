"""The forms that numbers of the report come in: estimates, tests, curves, and what stands where there is none.

Accuracies are in percent, times in seconds or minutes as their names say, shares and probabilities from 0 to 1.
Tuples that belong to one axis have the same length. No number is infinite or not a number.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class NotComputable:
    """Stands where a result would; ``why`` is a sentence for the reader, such as “No two people have finished yet.”."""

    why: str


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A result where the paper leaves a choice.

    Attributes:
        default: By the paper's reading.
        alternative: By the other one.
        definition: What the default is, in one sentence.
        otherwise: What the alternative is, in one sentence.
    """

    default: T
    alternative: T
    definition: str
    otherwise: str

    @property
    def agree(self) -> bool:
        """Whether both readings give the same numbers, so that one of them is enough."""
        return self.default == self.alternative


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        level: Its confidence, such as 0.95.
        method: ``BCa bootstrap``, ``percentile bootstrap``, ``exact F``, ``t``.
        resamples: Of a bootstrap; 0 for others.
    """

    low: float
    high: float
    level: float
    method: str
    resamples: int = 0


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval, from ``n`` people (or trials, where it says so)."""

    value: float
    interval: Interval | NotComputable
    n: int


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (divisor n − 1) of ``n`` values."""

    n: int
    mean: float
    sd: float | NotComputable


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation.

    Attributes:
        rho: With its bootstrap interval.
        p: Two-sided, by the t approximation, as the paper's.
        p_permutation: Two-sided, over permutations of the pairs.
        n: Pairs.
    """

    rho: Estimate
    p: float
    p_permutation: float
    n: int


@dataclass(frozen=True)
class PairTest:
    """A test between two groups (or kinds of participants).

    Attributes:
        first, second: Their names; ``n_first``, ``n_second`` their sizes.
        statistic: Levene's W, or Mann–Whitney's U of the first.
        freedom: Degrees of freedom of Levene's F; empty for others.
        p: From the statistic's distribution.
        p_holm: ``p`` after Holm's correction over the pairs that were tested together.
        p_permutation: Over permutations of who is in which group.
    """

    first: str
    second: str
    n_first: int
    n_second: int
    statistic: float
    freedom: tuple[int, ...]
    p: float
    p_holm: float
    p_permutation: float


@dataclass(frozen=True)
class SeveralTest:
    """A test between all groups of two people or more: Kruskal–Wallis' H; epsilon squared (0 to 1) as effect size."""

    groups: tuple[str, ...]
    statistic: float
    freedom: int
    p: float
    p_permutation: float
    epsilon_squared: float
    n: int


@dataclass(frozen=True)
class Histogram:
    """``counts[i]`` values lie from ``edges[i]`` up to but without ``edges[i + 1]`` (the last edge is included)."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Curve:
    """A mean line with its standard error.

    Attributes:
        at: Tries from 1, or minutes from 0.
        mean: In percent.
        error: Standard error of the mean; None where only one person is left.
        n: How many people each point is a mean of.
        made: How many of the group's people made a try so late; empty where that is not known.
    """

    name: str
    at: tuple[float, ...]
    mean: tuple[float, ...]
    error: tuple[float | None, ...]
    n: tuple[int, ...]
    made: tuple[int, ...] = ()
