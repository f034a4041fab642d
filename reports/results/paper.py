"""The paper's figures and tables, as numbers.

*People* are those who are analysed: they finished a session with a final choice and did not withdraw.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.results.measures import (
    Correlation,
    Curve,
    Estimate,
    Histogram,
    NotComputable,
    PairTest,
    Reading,
    SeveralTest,
    Spread,
)
from reports.results.survival import LogRank, TriesNeeded


@dataclass(frozen=True)
class RandomSettings:
    """Figure 1: validation accuracies of settings drawn at random.

    Attributes:
        states: Of the drawn trials that ended, by state.
        unfinished: Drawn, and not ended yet.
    """

    histogram: Histogram
    spread: Spread
    mean: Estimate
    states: Mapping[str, int]
    unfinished: int


@dataclass(frozen=True)
class Experience:
    """Figure 3: people's months of deep-learning experience.

    Attributes:
        by_group: Counts within the histogram's edges for each group; they add up to the histogram's.
        none: How many have no experience at all.
        months: Everybody's, ascending.
    """

    histogram: Histogram
    by_group: Mapping[str, tuple[int, ...]]
    none: int
    months: tuple[float, ...]
    median: float


@dataclass(frozen=True)
class PersonPoint:
    """A person (or artificial participant) in figure 4.

    Attributes:
        months: None for an artificial participant; then ``group`` is the searcher.
        accuracy: The mean test accuracy of the evaluations of their final choice.
        sd: Between the evaluations' seeds; None for fewer than two.
        evaluations: How many the mean is of.
    """

    code: str
    group: str
    months: float | None
    accuracy: float
    sd: float | None
    evaluations: int


@dataclass(frozen=True)
class Box:
    """A group's box in figure 5.

    Attributes:
        whisker_low, whisker_high: The outermost values within 1.5 interquartile ranges of the box (Tukey).
        outliers: Values outside the whiskers, ascending.
        values: All, ascending.
        mean_estimate, median_estimate: With bootstrap intervals.
    """

    group: str
    n: int
    mean: float
    sd: float | NotComputable
    median: float
    q1: float
    q3: float
    whisker_low: float
    whisker_high: float
    outliers: tuple[float, ...]
    values: tuple[float, ...]
    mean_estimate: Estimate
    median_estimate: Estimate


@dataclass(frozen=True)
class Difference:
    """How much better the second group is than the first.

    Attributes:
        test: Mann–Whitney.
        mean: Mean of the second minus mean of the first, in percentage points.
        rank_biserial: From −1 to 1: the share of pairs in which the second is better minus that in which it is worse.
    """

    test: PairTest
    mean: Estimate
    rank_biserial: Estimate


@dataclass(frozen=True)
class FinalAccuracies:
    """Figures 4 and 5, table 2, and what belongs to them.

    Attributes:
        points: Figure 4: everybody whose evaluations have all ended, by code.
        pending: Analysed people whose evaluations have not all ended yet, and who are left out until then.
        left_out: Analysed people without any accuracy in this reading.
        spread: The paper's 55.9 ± 26.3; ``mean`` with an interval.
        experience: Figure 4's rho.
        boxes: Figure 5, or why a group has none.
        levene: Table 2, one entry for each pair of groups: deviations from each group's mean (the default), or from
            its median (Brown and Forsythe).
        differences: Mann–Whitney, one entry for each pair of groups.
        kruskal: All groups at once.
    """

    points: tuple[PersonPoint, ...]
    pending: int
    left_out: int
    spread: Spread | NotComputable
    mean: Estimate | NotComputable
    experience: Correlation | NotComputable
    boxes: Mapping[str, Box | NotComputable]
    levene: Reading[tuple[PairTest | NotComputable, ...]]
    differences: tuple[Difference | NotComputable, ...]
    kruskal: SeveralTest | NotComputable


@dataclass(frozen=True)
class GroupTries:
    """A group's violin in figure 6.

    Attributes:
        n: People in the group.
        reached: How many of them reached the threshold; ``never`` did not.
        tries: Of those who did, ascending: the number of the first try at or above the threshold.
        mean: Of ``tries``, with its interval.
        median: Of ``tries``.
        mean_at_least: With those who never did counted as if the next try after their last had: a lower bound of the
            mean over all.
        never: People who never reached it.
        density: The violin's outline, a Gaussian kernel estimate (Scott's rule) at ``density_at`` tries; empty where
            there are fewer than three different values.
    """

    group: str
    n: int
    reached: int
    never: int
    tries: tuple[int, ...]
    mean: Estimate | NotComputable
    median: float | NotComputable
    mean_at_least: float
    density_at: tuple[float, ...]
    density: tuple[float, ...]


@dataclass(frozen=True)
class Threshold:
    """Figure 6 for one accuracy: every group, and whether months and tries go together.

    Attributes:
        correlation: Of months with tries, over the people who reached it.
        needed: With those who never reached it, by group.
        log_rank: One entry for each pair of groups.
    """

    accuracy: float
    groups: Mapping[str, GroupTries | NotComputable]
    correlation: Correlation | NotComputable
    needed: Mapping[str, TriesNeeded | NotComputable]
    log_rank: tuple[LogRank | NotComputable, ...]


@dataclass(frozen=True)
class AccuracyAfterTries:
    """Figure 7: validation accuracy against the number of tries.

    Attributes:
        best: The best so far: carried on after a person's last try (default), or only of those who still try.
        this_try: Of the k-th try itself, whoever made one, as ``this_try_definition`` says.
    """

    best: Reading[Mapping[str, Curve | NotComputable]]
    this_try: Mapping[str, Curve | NotComputable]
    this_try_definition: str


@dataclass(frozen=True)
class GroupStart:
    """A group in figure 8.

    Attributes:
        defaults: People whose first try had every optional hyperparameter at its default; ``others`` had not.
        share: ``defaults`` of all, with its interval (Wilson).
        accuracies: Final accuracies of those with defaults, ascending.
        above: How many of these are above :attr:`DefaultStart.above`.
        others_accuracies, others_above: The same of the others.
    """

    group: str
    defaults: int
    others: int
    share: Estimate
    accuracies: tuple[float, ...]
    above: int
    others_accuracies: tuple[float, ...]
    others_above: int


@dataclass(frozen=True)
class DefaultStart:
    """Figure 8: who starts with all optional hyperparameters at their defaults.

    Attributes:
        above: The paper's 50 %.
        all_above: Whether everybody who started with defaults ended above it; None when nobody did, or none is known.
    """

    groups: Mapping[str, GroupStart | NotComputable]
    above: float
    all_above: bool | None


@dataclass(frozen=True)
class GroupComments:
    """A group in figure 9.

    Attributes:
        people: Those who left comments; ``silent`` left none.
        counts: Comments by kind, in table 3's order.
        shares: By kind; they add up to 1.
    """

    group: str
    people: int
    silent: int
    counts: Mapping[str, int]
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Comments:
    """Figure 9, and how guessing goes with experience.

    Attributes:
        groups: Shares of all comments of the group (default), or the mean of its people's own shares.
        guessing: Months against a person's share of guesses among their comments.
        texts: Table 3, by kind.
    """

    groups: Reading[Mapping[str, GroupComments | NotComputable]]
    guessing: Correlation | NotComputable
    texts: Mapping[str, str]
