"""How much the final accuracies differ between people, and how much between the seeds of one final choice."""

import numpy as np
from scipy import stats

from reports.data.population import LOST, Population, is_pending
from reports.results.further import Components
from reports.results.measures import Estimate, Interval, NotComputable
from reports.statistics.arrays import TOLERANCE, Floats
from reports.statistics.inference import same
from reports.statistics.resampling import LEVEL
from storage.schema.states import TrialState


def components(population: Population) -> Components | NotComputable:
    """Variance components of the evaluations of people with every seed evaluated; a lost evaluation counts as 0 %."""
    tables = [
        {each.seed: each.accuracy or 0.0 for each in row.evaluations if each.state in (TrialState.COMPLETE, *LOST)}
        for row in population.rows
        if not is_pending(row)
    ]
    seeds = sorted(set().union(*tables))
    complete = [[table[seed] for seed in seeds] for table in tables if len(table) == len(seeds)]
    if len(complete) < 2 or len(seeds) < 2:
        return NotComputable("Two people with two evaluated seeds each are needed at least to tell them apart.")
    return of_table(np.array(complete, dtype=np.float64))


def of_table(table: Floats) -> Components | NotComputable:
    """Variance components of a table of one row per person and one column per seed.

    Intraclass correlations with exact F intervals: Shrout and Fleiss (1979), cases ICC(1,1) and ICC(1,k).
    """
    people, seeds = table.shape
    if same(table.ravel()):
        return NotComputable("All evaluations have the same accuracy, so there is no variance to divide.")
    rows, columns, grand = table.mean(axis=1), table.mean(axis=0), table.mean()
    between = seeds * float(np.sum((rows - grand) ** 2)) / (people - 1)
    of_seeds = people * float(np.sum((columns - grand) ** 2)) / (seeds - 1)
    rest = float(np.sum((table - rows[:, None] - columns[None, :] + grand) ** 2)) / ((people - 1) * (seeds - 1))
    within = float(np.sum((table - rows[:, None]) ** 2)) / (people * (seeds - 1))
    single, mean = _intraclass(between, within, people, seeds)
    return Components(
        people=people,
        seeds=seeds,
        sd_people=_root((between - rest) / seeds),
        sd_seeds=_root((of_seeds - rest) / people),
        sd_rest=_root(rest),
        icc=single,
        icc_mean=mean,
    )


def _root(variance: float) -> float:
    """The square root; 0 for a negative estimate, and for one that differs from 0 by rounding only."""
    return float(np.sqrt(variance)) if variance > TOLERANCE else 0.0


def _intraclass(between: float, within: float, people: int, seeds: int) -> tuple[Estimate, Estimate]:
    """ICC(1,1) and ICC(1,k) from the mean squares of one-way analysis of variance."""
    if between <= TOLERANCE:  # everybody has the same mean
        why = NotComputable("People do not differ at all, so the interval is not defined.")
        return Estimate(-1 / (seeds - 1), why, people), Estimate(0.0, why, people)
    if within <= TOLERANCE:
        why = NotComputable("Seeds do not differ at all, so the interval is not defined.")
        return Estimate(1.0, why, people), Estimate(1.0, why, people)
    f = between / within
    freedom = people - 1, people * (seeds - 1)
    tail = (1 - LEVEL) / 2
    low, high = f / float(stats.f.isf(tail, *freedom)), f * float(stats.f.isf(tail, *reversed(freedom)))

    def single(ratio: float) -> float:
        return (ratio - 1) / (ratio + seeds - 1)

    return (
        Estimate(single(f), Interval(single(low), single(high), LEVEL, "exact F"), people),
        Estimate(1 - 1 / f, Interval(1 - 1 / low, 1 - 1 / high, LEVEL, "exact F"), people),
    )
