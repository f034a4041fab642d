"""The last bits of the data, which differ with the order of a sum and from machine to machine, move no result."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from reports.analysis import final_accuracy, pooled
from reports.compute import compute
from reports.results.as_json import to_json
from reports.results.rounding import rounded
from reports.statistics import inference, resampling
from reports.statistics.arrays import Floats
from reports.statistics.least_squares import least_squares
from tests.reports.conftest import Simulated

OF = ("months", "accuracies")

ACCURACIES = np.array([61.3, 61.3, 48.2, 55.1, 80.7, 12.4, 50.0, 50.0, 77.7, 61.3, 33.4, 25.6])
MONTHS = np.array([0.0, 0.0, 3.0, 6.0, 12.0, 1.0, 9.0, 9.0, 24.0, 6.0, 0.0, 2.0])
GROUPS = {"novice": slice(0, 4), "medium": slice(4, 8), "expert": slice(8, 12)}
STRATA = np.array(["digits", "letters"] * 6)


def nudged(values: Floats, seed: int) -> Floats:
    """Each value as it is, or its neighbour below or above among the floats."""
    towards = np.random.default_rng(seed).choice([-np.inf, 0.0, np.inf], values.shape)
    return np.where(towards == 0, values, np.nextafter(values, towards))


def in_groups(values: Floats) -> dict[str, Floats]:
    return {name: values[part] for name, part in GROUPS.items()}


STATISTICS: dict[str, Callable[[Floats], object]] = {
    "mean": lambda values: resampling.mean(values, "mean"),
    "mean of little": lambda values: resampling.mean(values - 50.0, "little"),
    "median": lambda values: resampling.median(values, "median"),
    "median that nobody moves": lambda values: resampling.median(np.append(values[[0, 0, 1, 9, 9]], 70.0), "still"),
    "spearman": lambda values: inference.spearman(MONTHS, values, name="rho", of=OF),
    "levene, mean": lambda values: inference.levene(in_groups(values), median=False, name="mean"),
    "levene, median": lambda values: inference.levene(in_groups(values), median=True, name="median"),
    "differences": lambda values: inference.differences(in_groups(values), name="differences"),
    "kruskal": lambda values: inference.kruskal(in_groups(values), name="kruskal"),
    "box": lambda values: final_accuracy.box("novice", values, "box"),
    "box with a value at the whisker": lambda values: final_accuracy.box(
        "novice", values[0] + np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.85]), "whisker"
    ),
    "within strata": lambda values: pooled.within_strata(MONTHS, values, STRATA, "strata"),
    "regression": lambda values: fit(np.log1p(MONTHS), values),
    "perfect regression": lambda values: fit(values, 3 * values - 1),
}


def fit(x: Floats, y: Floats) -> object:
    found = least_squares(np.column_stack([np.ones(12), x]), y)
    return {name: tuple(value) if isinstance(value, np.ndarray) else value for name, value in vars(found).items()}


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_statistic(statistic: str) -> None:
    compute = STATISTICS[statistic]
    expected = rounded(compute(ACCURACIES))
    for seed in range(5):
        assert rounded(compute(nudged(ACCURACIES, seed))) == expected


@pytest.mark.usefixtures("quick")
def test_a_whole_report(simulated: Simulated) -> None:
    data = simulated(participants=12, trials=110, random_settings=40, tpe=4, tasks=("digits", "letters"))
    moved = replace(
        data,
        trials=replace(data.trials, accuracy=nudged(data.trials.accuracy, 1), seconds=nudged(data.trials.seconds, 2)),
        participants=tuple(
            replace(
                row,
                evaluations=tuple(
                    replace(
                        each,
                        accuracy=None if each.accuracy is None else float(nudged(np.array(each.accuracy), each.seed)),
                    )
                    for each in row.evaluations
                ),
            )
            for row in data.participants
        ),
    )
    assert to_json(compute(moved)) == to_json(compute(data))
