"""The tests that can be registered as the primary one, on plain arrays: the report and a simulation call the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reports.analysis.pooled import rho_within_strata, within_strata
from reports.results.measures import Correlation, Estimate, NotComputable
from reports.results.paper import Difference
from reports.results.registration import PrimaryResult
from reports.statistics import inference
from reports.statistics.arrays import Floats, rounded
from storage.study_rules import GROUPS

_NOT_RESAMPLED = NotComputable("Nothing was resampled.")
_OF = ("months of experience", "final accuracies")


@dataclass(frozen=True)
class People:
    """The people who are tested, one entry of each array for each person.

    Attributes:
        months: Months of deep-learning experience.
        accuracies: Mean test accuracy of the final choice in percent; no entry is NaN.
        groups: novice, medium or expert.
        tasks: The name of everybody's task.
    """

    months: Floats
    accuracies: Floats
    groups: NDArray[np.str_]
    tasks: NDArray[np.str_]


def primary_test(test: str, people: People, *, alpha: float, resample: bool = True) -> PrimaryResult | NotComputable:
    """P-value, effect and interval of a registered primary test.

    Args:
        test: ``spearman`` or ``mann-whitney``: see :data:`storage.registration.plan.PRIMARY_TESTS`.
        people: Who is tested.
        alpha: The significance level, between 0 and 1.
        resample: Whether to compute the bootstrap interval and the permutation p-value. A simulation of many studies
            does without: p and the effect are the same.

    Raises:
        KeyError: There is no such test.
    """
    return _TESTS[test](people, alpha, resample)


def _spearman(people: People, alpha: float, resample: bool) -> PrimaryResult | NotComputable:
    months, accuracies = people.months, people.accuracies
    tasks = np.unique(people.tasks)
    several = len(tasks) > 1
    if resample:
        # The names are those of the same test elsewhere in the report, so that the intervals are the same too.
        found: Correlation | NotComputable
        if several:
            found = within_strata(months, accuracies, people.tasks, "pooled")
        else:
            task = str(tasks[0]) if len(tasks) else ""
            found = inference.spearman(months, accuracies, name=f"{task}/final/rho", of=_OF)
        if isinstance(found, NotComputable):
            return found
        return PrimaryResult("spearman", "ρ", found.rho, found.p, found.p_permutation, alpha, found.n)
    if several:
        pooled = rho_within_strata(months, accuracies, people.tasks)
        if isinstance(pooled, NotComputable):
            return pooled
        rho, freedom, n = pooled
    else:
        if why := inference.no_correlation(months, accuracies, _OF):
            return NotComputable(why)
        rho, n = float(inference.rho(rounded(months), rounded(accuracies))), len(months)
        freedom = n - 2
    effect = Estimate(rho, _NOT_RESAMPLED, n)
    return PrimaryResult("spearman", "ρ", effect, inference.rho_p(rho, freedom), _NOT_RESAMPLED, alpha, n)


def _mann_whitney(people: People, alpha: float, resample: bool) -> PrimaryResult | NotComputable:
    accuracies, tasks = people.accuracies.copy(), np.unique(people.tasks)
    if len(tasks) > 1:
        for task in tasks:
            accuracies[people.tasks == task] -= accuracies[people.tasks == task].mean()
    first, second = GROUPS[0], GROUPS[-1]
    x, y = accuracies[people.groups == first], accuracies[people.groups == second]
    n, measure = len(x) + len(y), "rank-biserial correlation"
    if resample or min(len(x), len(y)) < 2 or inference.same(np.concatenate([x, y])):
        name = f"{tasks[0]}/mann-whitney" if len(tasks) == 1 else "primary/mann-whitney"
        found: Difference | NotComputable = inference.difference(
            (first, x), (second, y), name=f"{name}/{first}/{second}"
        )
        if isinstance(found, NotComputable):
            return found
        return PrimaryResult(
            "mann-whitney", measure, found.rank_biserial, found.test.p, found.test.p_permutation, alpha, n
        )
    x, y = rounded(x), rounded(y)
    p = float(stats.mannwhitneyu(x, y, alternative="two-sided").pvalue)
    effect = Estimate(float(inference.rank_biserial(x, y)), _NOT_RESAMPLED, n)
    return PrimaryResult("mann-whitney", measure, effect, p, _NOT_RESAMPLED, alpha, n)


_TESTS: Mapping[str, Callable[[People, float, bool], PrimaryResult | NotComputable]] = {
    "spearman": _spearman,
    "mann-whitney": _mann_whitney,
}
