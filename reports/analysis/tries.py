"""The paper's figures 6 and 7: how many tries people need, and the accuracy after each number of tries."""

from collections.abc import Mapping

import numpy as np
from scipy import stats

from reports.data.population import LOST, Population
from reports.results.measures import Curve, NotComputable, Reading
from reports.results.paper import AccuracyAfterTries, GroupTries, Threshold
from reports.statistics import inference, resampling, survival
from reports.statistics.arrays import Flags, Floats
from storage.study_rules import GROUPS

_DENSITY_POINTS = 65
_FEWEST_FOR_DENSITY = 3


def nobody(group: str) -> NotComputable:
    """What stands for a group without people."""
    return NotComputable(f"Nobody in the group {group} has finished yet.")


# --- figure 6 ---------------------------------------------------------------------------------------------------------


def thresholds(population: Population, accuracies: tuple[float, ...], name: str) -> Reading[tuple[Threshold, ...]]:
    """Figure 6 in both readings of what a try is."""
    every = np.where(population.made, np.cumsum(population.made, axis=1), 0) if len(population) else population.made
    complete = np.isfinite(population.accuracies)
    of_complete = np.where(complete, np.cumsum(complete, axis=1), 0) if len(population) else population.made
    return Reading(
        tuple(_threshold(population, each, every.astype(np.float64), name) for each in accuracies),
        tuple(_threshold(population, each, of_complete.astype(np.float64), name) for each in accuracies),
        "Every submission is a try, also one that was cancelled, diverged or failed, because it took time.",
        "Only trials that were trained to their end are tries.",
    )


def _threshold(population: Population, accuracy: float, count: Floats, name: str) -> Threshold:
    """One threshold; each cell of ``count`` holds the number of its try, from 1."""
    reaching = np.nan_to_num(population.accuracies, nan=-1.0) >= accuracy
    first = np.argmax(reaching, axis=1) if population.most_tries else np.zeros(len(population), dtype=np.int64)
    reached = np.asarray(reaching.any(axis=1))
    rows = np.arange(len(population))
    at = count[rows, first] if population.most_tries else np.zeros(len(population))
    last = count.max(axis=1) if population.most_tries else np.zeros(len(population))
    key = f"{name}/{accuracy:g}"
    times = {
        group: survival.Times(np.where(reached, at, last)[members], reached[members])
        for group in GROUPS
        if (members := population.members(group)).any()
    }
    return Threshold(
        accuracy=accuracy,
        groups={
            group: _group_tries(group, at[members], reached[members], last[members], key)
            if (members := population.members(group)).any()
            else nobody(group)
            for group in GROUPS
        },
        correlation=inference.spearman(
            population.months[reached],
            at[reached],
            name=f"{key}/rho",
            of=("months of experience", f"numbers of tries to reach {accuracy:g} %"),
        ),
        needed={
            group: survival.tries_needed(group, times[group]) if group in times else nobody(group) for group in GROUPS
        },
        log_rank=survival.log_rank(times),
    )


def _group_tries(group: str, at: Floats, reached: Flags, last: Floats, name: str) -> GroupTries:
    tries = np.sort(at[reached])
    none = NotComputable(f"Nobody in the group {group} reached it.")
    where, density = _violin(tries)
    return GroupTries(
        group=group,
        n=len(at),
        reached=len(tries),
        tries=tuple(int(each) for each in tries),
        mean=resampling.mean(tries, f"{name}/{group}") if len(tries) else none,
        median=float(np.median(tries)) if len(tries) else none,
        mean_at_least=float(np.mean(np.where(reached, at, last + 1))),
        never=int(np.count_nonzero(~reached)),
        density_at=where,
        density=density,
    )


def _violin(values: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if len(np.unique(values)) < _FEWEST_FOR_DENSITY:
        return (), ()
    where = np.linspace(np.min(values), np.max(values), _DENSITY_POINTS)
    density = stats.gaussian_kde(values)(where)
    return tuple(float(each) for each in where), tuple(float(each) for each in density)


# --- figure 7 ---------------------------------------------------------------------------------------------------------


def after_tries(population: Population) -> AccuracyAfterTries:
    """Figure 7 in its readings."""
    best = population.best_so_far
    still = np.where(population.made, best, np.nan)
    lost = population.are(*LOST)
    this = np.where(lost, 0.0, population.accuracies)
    return AccuracyAfterTries(
        best=Reading(
            _by_group(population, best),
            _by_group(population, still),
            "The best validation accuracy after k tries, carried on after a person's last try; 0 % before the first.",
            "The same, but a mean only over those who made at least k tries.",
        ),
        this_try=_by_group(population, this),
        this_try_definition="The k-th try's own accuracy: 0 % when it diverged or failed; a cancelled one has none.",
    )


def _by_group(population: Population, table: Floats) -> Mapping[str, Curve | NotComputable]:
    return {
        group: mean_curve(group, table[members], made=population.made[members])
        for group, members in ((group, population.members(group)) for group in GROUPS)
    }


def mean_curve(
    name: str, table: Floats, at: Floats | None = None, *, made: Flags | None = None
) -> Curve | NotComputable:
    """The mean of each column with its standard error; NaN is left out, and so are columns of nothing else.

    Args:
        table: One row per person.
        at: Where the columns are; 1, 2, 3, … when not given.
        made: Who made the try of each column, of the table's shape; a value may be carried on beyond the last one.
    """
    if not len(table):
        return nobody(name)
    known = np.isfinite(table)
    n = known.sum(axis=0)
    kept = n > 0
    if not kept.any():
        return NotComputable(f"Nobody in the group {name} has an accuracy yet.")
    columns = np.arange(1, table.shape[1] + 1, dtype=np.float64) if at is None else at
    count = n[kept]
    values = np.where(known, table, 0.0)[:, kept]
    mean = values.sum(axis=0) / count
    squares = (np.where(known[:, kept], values - mean, 0.0) ** 2).sum(axis=0)
    error = np.sqrt(squares / np.maximum(count - 1, 1) / count)
    return Curve(
        name=name,
        at=tuple(float(each) for each in columns[kept]),
        mean=tuple(float(each) for each in mean),
        error=tuple(float(each) if people > 1 else None for each, people in zip(error, count, strict=True)),
        n=tuple(int(each) for each in count),
        made=() if made is None else tuple(int(each) for each in made.sum(axis=0)[kept]),
    )
