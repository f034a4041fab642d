"""The tests of the report on plain arrays: Spearman, Levene, Mann–Whitney, Kruskal–Wallis, Holm, Wilson.

Everything that cannot be computed comes back as a :class:`NotComputable` that says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy import stats

from reports.results.measures import (
    Correlation,
    Estimate,
    Histogram,
    Interval,
    NotComputable,
    PairTest,
    SeveralTest,
    Spread,
)
from reports.results.paper import Difference
from reports.statistics import resampling
from reports.statistics.arrays import DECIMALS, TOLERANCE, Floats, rounded
from reports.wording import in_words

FEWEST_PAIRS = 3
"""Two pairs always have a correlation of 1 or −1."""


def spread(values: Floats) -> Spread | NotComputable:
    """Mean and sample standard deviation."""
    if not len(values):
        return NotComputable("There is no value yet.")
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else NotComputable("One value has no standard deviation.")
    return Spread(len(values), float(np.mean(values)), sd)


def same(values: Floats) -> bool:
    """Whether all values are equal, but for rounding."""
    return bool(np.ptp(values) <= TOLERANCE * max(1.0, float(np.max(np.abs(values)))))


def histogram(values: Floats, edges: Floats) -> Histogram:
    """The number of values between each two edges."""
    counts, _ = np.histogram(values, edges)
    return Histogram(tuple(float(each) for each in edges), tuple(int(each) for each in counts))


# --- Spearman ---------------------------------------------------------------------------------------------------------


def standard_ranks(values: Floats) -> Floats:
    """Ranks along the last axis (ties share their mean), of mean 0 and length 1; NaN where all values are equal."""
    ranks = stats.rankdata(values, axis=-1)
    centred = ranks - (values.shape[-1] + 1) / 2
    length = np.sqrt(np.sum(centred**2, axis=-1, keepdims=True))
    return np.asarray(np.divide(centred, length, out=np.full_like(centred, np.nan), where=length > 1e-9))


def centred_ranks(values: Floats) -> Floats:
    """Ranks times two, minus their mean: whole numbers, also with ties, so that sums are exact."""
    return np.asarray(2 * stats.rankdata(values) - (len(values) + 1))


def rho(x: Floats, y: Floats) -> Floats:
    """Spearman's rank correlation along the last axis; NaN where one of both does not vary."""
    return np.asarray(np.clip(np.sum(standard_ranks(x) * standard_ranks(y), axis=-1), -1, 1))


def rho_p(value: float, freedom: int) -> float:
    """Two-sided p of Spearman's rho by the t approximation; ``freedom`` is the number of pairs minus 2."""
    if abs(value) >= 1 - 1e-12:
        return 0.0
    return float(2 * stats.t.sf(abs(value) * np.sqrt(freedom / (1 - value**2)), freedom))


def spearman(x: Floats, y: Floats, *, name: str, of: tuple[str, str]) -> Correlation | NotComputable:
    """Spearman's correlation of two series.

    Args:
        name: What the resampling follows from.
        of: What the two are called in a sentence: ``("months of experience", "final accuracies")``.
    """
    if why := no_correlation(x, y, of):
        return NotComputable(why)
    x, y = rounded(x), rounded(y)
    estimate = resampling.bootstrap(lambda rows: rho(x[rows], y[rows]), len(x), name=name)
    if isinstance(estimate, NotComputable):
        return estimate
    permuted = resampling.permutation_pairs(centred_ranks(x), centred_ranks(y), name)
    return Correlation(estimate, rho_p(estimate.value, len(x) - 2), permuted, len(x))


def no_correlation(x: Floats, y: Floats, of: tuple[str, str]) -> str:
    """Why two series have no correlation, in a sentence; empty if they have one. See :func:`spearman`."""
    if len(x) < FEWEST_PAIRS:
        who = "person has" if len(x) == 1 else "people have"
        return f"{in_words(len(x)).capitalize()} {who} both {of[0]} and {of[1]}; a correlation needs three at least."
    for values, what in zip((x, y), of, strict=True):
        if np.isnan(values).all():
            return f"There are no {what} in these data, so there is no correlation."
        if same(values):
            return f"All {what} are the same, so there is no correlation."
    return ""


# --- between groups ---------------------------------------------------------------------------------------------------


def levene(samples: Mapping[str, Floats], *, median: bool, name: str) -> tuple[PairTest | NotComputable, ...]:
    """Levene's test of equal spread for every pair of groups, with Holm's correction over them.

    The paper's table 2. Deviations are from the group's mean (Levene in Olkin, 1960, which the paper cites), or its
    median (Brown and Forsythe, 1974). Either way F has (1, n₁ + n₂ − 2) degrees of freedom: the paper's three p-values
    are those of its statistics with these, so they do not tell which of both it used.

    The permutation p is over permutations of the deviations.
    """
    found: list[PairTest | NotComputable] = []
    for first, second in combinations(samples, 2):
        x, y = samples[first], samples[second]
        if why := _too_few(first, x, second, y):
            found.append(NotComputable(why))
            continue
        u, v = (deviations(each, median=median) for each in (x, y))
        statistic, p = deviations_differ(u, v)
        if np.isnan(p):
            found.append(NotComputable(f"{_pair(first, second)}: the deviations within the groups do not vary."))
            continue
        whole = tuple(np.rint(each * 10**DECIMALS) for each in (u, v))  # exact sums: ties stay ties
        permuted = resampling.permutation_groups(_sum_of_first, whole, f"{name}/{first}/{second}", two_sided=True)
        freedom = (1, len(x) + len(y) - 2)
        found.append(PairTest(first, second, len(x), len(y), float(statistic), freedom, float(p), float(p), permuted))
    return _with_holm(found)


def deviations(values: Floats, *, median: bool) -> Floats:
    """Absolute deviations from the mean along the last axis, or from the median."""
    centre = np.median(values, axis=-1, keepdims=True) if median else np.mean(values, axis=-1, keepdims=True)
    return rounded(np.abs(values - centre))


def deviations_differ(u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Levene's F and p of two groups' :func:`deviations`, along the last axis; NaN where they vary in neither group."""
    within = sum(np.sum((each - each.mean(axis=-1, keepdims=True)) ** 2, axis=-1) for each in (u, v))
    squares = np.sum(u**2, axis=-1) + np.sum(v**2, axis=-1)
    vary = np.asarray(within > 1e-12 * np.maximum(1.0, squares))
    statistic, p = np.full(vary.shape, np.nan), np.full(vary.shape, np.nan)
    if vary.any():
        statistic[vary], p[vary] = stats.f_oneway(u[vary], v[vary], axis=-1)
    return statistic, p


def differences(samples: Mapping[str, Floats], *, name: str) -> tuple[Difference | NotComputable, ...]:
    """Mann–Whitney's test for every pair of groups, with Holm's correction over them, and effect sizes."""
    found: list[Difference | NotComputable] = []
    for first, second in combinations(samples, 2):
        found.append(difference((first, samples[first]), (second, samples[second]), name=f"{name}/{first}/{second}"))
    corrected = iter(holm([each.test.p for each in found if isinstance(each, Difference)]))
    return tuple(
        replace(each, test=replace(each.test, p_holm=next(corrected))) if isinstance(each, Difference) else each
        for each in found
    )


def difference(first: tuple[str, Floats], second: tuple[str, Floats], *, name: str) -> Difference | NotComputable:
    """How much better the second sample is than the first: Mann–Whitney's test, mean difference, rank-biserial."""
    (one, x), (other, y) = first, second
    if why := _too_few(one, x, other, y):
        return NotComputable(why)
    x, y = rounded(x), rounded(y)
    if same(np.concatenate([x, y])):
        return NotComputable(f"{_pair(one, other)}: all values are the same, so there is nothing to rank.")
    statistic, p = mann_whitney(x, y)
    ranks = stats.rankdata(np.concatenate([x, y]))
    permuted = resampling.permutation_groups(
        _sum_of_first, (ranks[: len(x)], ranks[len(x) :]), f"{name}/ranks", two_sided=True
    )
    mean = resampling.bootstrap(lambda i, j: y[j].mean(axis=1) - x[i].mean(axis=1), len(x), len(y), name=f"{name}/mean")
    biserial = resampling.bootstrap(lambda i, j: rank_biserial(x[i], y[j]), len(x), len(y), name=f"{name}/biserial")
    if isinstance(mean, NotComputable) or isinstance(biserial, NotComputable):  # the samples are not empty
        return NotComputable(f"{_pair(one, other)}: the difference is not defined.")
    test = PairTest(one, other, len(x), len(y), float(statistic), (), float(p), float(p), permuted)
    return Difference(test, mean, biserial)


def mann_whitney(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Mann–Whitney's U of the first sample and its two-sided p, along the last axis, of each row as if alone.

    P is exact where one sample has eight values at most and no two values are equal, else by the normal approximation.
    """
    together = np.sort(np.concatenate([x, y], axis=-1), axis=-1)
    tied = np.asarray((np.diff(together, axis=-1) == 0).any(axis=-1))
    statistic, p = np.empty(tied.shape), np.empty(tied.shape)
    for rows in (tied, ~tied):  # in one call, a tie anywhere would take exact p-values from all rows
        if rows.any():
            statistic[rows], p[rows] = stats.mannwhitneyu(x[rows], y[rows], alternative="two-sided", axis=-1)
    return statistic, p


def rank_biserial(x: Floats, y: Floats) -> Floats:
    """The share of pairs in which ``y`` is larger minus that in which it is smaller, along the last axis."""
    ranks = stats.rankdata(np.concatenate([x, y], axis=-1), axis=-1)
    m, n = x.shape[-1], y.shape[-1]
    larger = np.sum(ranks[..., m:], axis=-1) - n * (n + 1) / 2
    return np.asarray(2 * larger / (m * n) - 1)


def kruskal(samples: Mapping[str, Floats], *, name: str) -> SeveralTest | NotComputable:
    """Kruskal–Wallis' test whether several groups come from one distribution; groups of fewer than two are left out."""
    present = {group: rounded(values) for group, values in samples.items() if len(values) > 1}
    if len(present) < 2:
        return NotComputable("Fewer than two groups have two people in them, so there is nothing to compare.")
    together = np.concatenate(list(present.values()))
    if same(together):
        return NotComputable("All values are the same, so there is nothing to rank.")
    statistic, p = kruskal_wallis(list(present.values()))
    ranks = np.split(stats.rankdata(together), np.cumsum([len(each) for each in present.values()])[:-1])
    permuted = resampling.permutation_groups(_weighted_rank_sums, ranks, name, two_sided=False)
    size = len(together)
    epsilon = float(np.clip(statistic / (size - 1), 0, 1))
    return SeveralTest(tuple(present), float(statistic), len(present) - 1, float(p), permuted, epsilon, size)


def kruskal_wallis(samples: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Kruskal–Wallis' H and its p, along the last axis; NaN where all values are equal."""
    statistic, p = stats.kruskal(*samples, axis=-1)
    return np.asarray(statistic), np.asarray(p)


def _sum_of_first(x: Floats, _y: Floats, axis: int) -> Floats:
    """As good as the difference of means: the sum of both samples is the same in every permutation."""
    return np.asarray(np.sum(x, axis=axis))


def _weighted_rank_sums(*ranks: Floats, axis: int) -> Floats:
    return np.asarray(sum(np.sum(each, axis=axis) ** 2 / each.shape[axis] for each in ranks))


def _too_few(first: str, x: Floats, second: str, y: Floats) -> str:
    short = [
        f"{group} has {'one' if len(each) else 'none'}" for group, each in ((first, x), (second, y)) if len(each) < 2
    ]
    return f"{_pair(first, second)}: a comparison needs two people in each, and {' and '.join(short)}." if short else ""


def _pair(first: str, second: str) -> str:
    return f"{first.capitalize()} and {second}"


# --- corrections and shares -------------------------------------------------------------------------------------------


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's (1979) step-down correction of p-values that were computed together."""
    return tuple(float(each) for each in holm_along(np.array(p, dtype=np.float64)))


def holm_along(p: Floats) -> Floats:
    """The same along the last axis: each row holds p-values that were computed together."""
    order = np.argsort(p, axis=-1, kind="stable")
    factors = np.arange(p.shape[-1], 0, -1)
    stepped = np.maximum.accumulate(factors * np.take_along_axis(p, order, axis=-1), axis=-1)
    corrected = np.empty(p.shape)
    np.put_along_axis(corrected, order, np.minimum(stepped, 1.0), axis=-1)
    return corrected


def _with_holm(tests: Sequence[PairTest | NotComputable]) -> tuple[PairTest | NotComputable, ...]:
    corrected = iter(holm([each.p for each in tests if isinstance(each, PairTest)]))
    return tuple(replace(each, p_holm=next(corrected)) if isinstance(each, PairTest) else each for each in tests)


def share(count: int, of: int) -> Estimate:
    """A share with Wilson's (1927) interval; ``of`` is above 0."""
    bounds = stats.binomtest(count, of).proportion_ci(resampling.LEVEL, method="wilson")
    interval = Interval(float(bounds.low), float(bounds.high), resampling.LEVEL, "Wilson")
    return Estimate(count / of, interval, of)
