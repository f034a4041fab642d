"""All tasks of a study together: people are compared with those who had the same task, never across tasks."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reports.analysis import arms, final_accuracy
from reports.analysis.regression import regressions
from reports.data.population import Population
from reports.data.study_data import StudyData
from reports.results.measures import Correlation, NotComputable
from reports.results.study_results import Pooled
from reports.statistics import resampling
from reports.statistics.arrays import Floats, Integers, rounded
from reports.statistics.inference import FEWEST_PAIRS, rho_p

_TOO_FEW = "No task has three people with a final accuracy yet."
_ALL_THE_SAME = "Within tasks, experience or final accuracies are all the same."


def pooled(data: StudyData, tasks: Sequence[str]) -> Pooled | NotComputable:
    """Results over all tasks; not computable of a single one."""
    if len(tasks) < 2:
        return NotComputable("The study has one task, so there is nothing to pool.")
    population = Population.analysed(data, data.people())
    accuracies = final_accuracy.accuracies(population)
    known = np.isfinite(accuracies)
    of_task = np.array([row.task for row in population.rows], dtype=np.str_)
    aligned = accuracies.copy()
    for task in tasks:
        members = known & (of_task == task) if len(population) else known
        if members.any():
            aligned[members] -= accuracies[members].mean()
    return Pooled(
        experience=within_strata(population.months[known], accuracies[known], of_task[known], "pooled"),
        boxes=final_accuracy.boxes(population.by_group(aligned, known), "pooled"),
        regressions=regressions(population, data.rules.questions, tasks, data.background),
        n=int(np.count_nonzero(known)),
        arms=arms.compared(population, aligned, [arm.name for arm in data.rules.arms], "pooled/arms"),
    )


def within_strata(x: Floats, y: Floats, strata: NDArray[np.str_], name: str) -> Correlation | NotComputable:
    """Spearman's correlation within strata, pooled: ranks within each, standardised by its size (van Elteren, 1960).

    P-values by the t approximation with one degree of freedom less for each further stratum, and over permutations
    within strata; the bootstrap resamples within strata too.
    """
    parts = [np.flatnonzero(strata == each) for each in np.unique(strata)]
    parts = [part for part in parts if len(part) >= FEWEST_PAIRS]
    x, y = rounded(x), rounded(y)
    if not parts:
        return NotComputable(_TOO_FEW)
    if np.isnan(x).all():
        return NotComputable("There are no months of experience in these data, so there is no correlation.")

    def correlation(*rows: Integers) -> Floats:
        first = _ranks([x[part][row] for part, row in zip(parts, rows, strict=True)])
        second = _ranks([y[part][row] for part, row in zip(parts, rows, strict=True)])
        return _pearson(first, second)

    sizes = [len(part) for part in parts]
    estimate = resampling.bootstrap(correlation, *sizes, name=f"{name}/rho")
    if isinstance(estimate, NotComputable):
        return NotComputable(_ALL_THE_SAME)
    first, second = _ranks([x[part][None] for part in parts]), _ranks([y[part][None] for part in parts])
    permuted = _permutation(first, second, sizes, abs(estimate.value), name)
    freedom = sum(sizes) - 1 - len(sizes)
    return Correlation(estimate, rho_p(estimate.value, freedom), permuted, sum(sizes))


def rho_within_strata(x: Floats, y: Floats, strata: NDArray[np.str_]) -> tuple[float, int, int] | NotComputable:
    """The correlation of :func:`within_strata` alone, with its degrees of freedom and the number of pairs."""
    parts = [np.flatnonzero(strata == each) for each in np.unique(strata)]
    parts = [part for part in parts if len(part) >= FEWEST_PAIRS]
    if not parts:
        return NotComputable(_TOO_FEW)
    x, y = rounded(x), rounded(y)
    value = float(_pearson(*(_ranks([each[part][None] for part in parts]) for each in (x, y)))[0])
    if not np.isfinite(value):
        return NotComputable(_ALL_THE_SAME)
    sizes = [len(part) for part in parts]
    return value, sum(sizes) - 1 - len(sizes), sum(sizes)


def _ranks(parts: Sequence[Floats]) -> Floats:
    """Centred ranks within each part, divided by the part's size plus one; one part after another."""
    ranks = [stats.rankdata(part, axis=-1) / (part.shape[-1] + 1) - 0.5 for part in parts]
    return np.concatenate(ranks, axis=-1)


def _pearson(first: Floats, second: Floats) -> Floats:
    length = np.sqrt(np.sum(first**2, axis=-1) * np.sum(second**2, axis=-1))
    products = np.sum(first * second, axis=-1)
    return np.asarray(np.divide(products, length, out=np.full_like(products, np.nan), where=length > 1e-12))


def _permutation(first: Floats, second: Floats, sizes: Sequence[int], observed: float, name: str) -> float:
    random = resampling.generator("permutation", name)
    edges = np.cumsum([0, *sizes])
    count = resampling.resamples(sum(sizes))
    extreme = 0
    for _ in range(count):
        shuffled = np.concatenate([random.permutation(second[0, a:b]) for a, b in pairwise(edges)])
        extreme += bool(abs(_pearson(first[0], shuffled)) >= observed - 1e-12)
    return (extreme + 1) / (count + 1)
