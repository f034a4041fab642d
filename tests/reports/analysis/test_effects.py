"""Simulated studies: an effect that is there is found; one that is not, no more often than alpha says."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from reports.analysis.final_accuracy import accuracies
from reports.data.load import load
from reports.data.population import Population
from reports.results.measures import Correlation, Estimate, Interval, SeveralTest
from reports.results.paper import Difference
from reports.statistics import inference, resampling
from storage.database import Store
from tests.reports.simulated_study import simulate

STUDIES = 500
ALPHA = 0.05
MOST = int(stats.binom.isf(0.001, STUDIES, ALPHA))
"""Of 500 studies without an effect, more than so many find one once in a thousand times."""

GROUPS = np.repeat(["novice", "medium", "expert"], [8, 12, 11])
MONTHS = np.concatenate(
    [np.zeros(8), np.repeat([1.0, 3, 6, 9], 3), np.array([10.0, 12, 12, 15, 18, 24, 24, 30, 36, 48, 60])]
)
OF = ("months of experience", "final accuracies")


def planted(rho: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Months as in a study of 31, and accuracies of this rank correlation with them, skewed and bounded."""
    random = np.random.default_rng([seed, 77])
    pearson = 2 * np.sin(np.pi * rho / 6)
    first, second = random.standard_normal((2, 31))
    months = np.sort(MONTHS)[np.argsort(np.argsort(first))]
    skill = pearson * first + np.sqrt(1 - pearson**2) * second
    return months, 10 + 80 * stats.norm.cdf(skill) ** 2


def spearman(months: np.ndarray, accuracy: np.ndarray, name: str) -> Correlation:
    found = inference.spearman(months, accuracy, name=name, of=OF)
    assert isinstance(found, Correlation)
    return found


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: 199)


@pytest.mark.long
@pytest.mark.usefixtures("few_resamples")
def test_no_correlation_is_found_no_more_often_than_alpha_says() -> None:
    found = [spearman(*planted(0.0, seed), f"study {seed}") for seed in range(STUDIES)]
    assert sum(each.p <= ALPHA for each in found) <= MOST
    assert sum(each.p_permutation <= ALPHA for each in found) <= MOST
    assert sum(each.p <= ALPHA for each in found) > 0


def _rank_tests(samples: dict[str, np.ndarray], name: str) -> list[float]:
    several = inference.kruskal(samples, name=name)
    assert isinstance(several, SeveralTest)
    return [several.p, several.p_permutation]


def _any_pair(samples: dict[str, np.ndarray], name: str) -> list[float]:
    """Its p-values follow from the ranks, not from resamples."""
    found = [each for each in inference.differences(samples, name=name) if isinstance(each, Difference)]
    return [min(each.test.p_holm for each in found)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("test", "resamples"), [(_rank_tests, 199), (_any_pair, 9)], ids=["Kruskal–Wallis", "any pair, after Holm"]
)
def test_equal_groups_differ_no_more_often_than_alpha_says(
    test: Callable[[dict[str, np.ndarray], str], list[float]], resamples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: resamples)
    found = []
    for seed in range(STUDIES):
        values = 10 + 80 * np.random.default_rng([seed, 78]).random(31)
        found.append(
            test({group: values[group == GROUPS] for group in ("novice", "medium", "expert")}, f"study {seed}")
        )
    for p in zip(*found, strict=True):
        assert sum(each <= ALPHA for each in p) <= MOST


@pytest.mark.long
@pytest.mark.usefixtures("few_resamples")
def test_a_planted_correlation_is_found() -> None:
    found = [spearman(*planted(0.6, seed), f"study {seed}") for seed in range(STUDIES)]
    assert np.mean([each.rho.value for each in found]) == pytest.approx(0.6, abs=0.03)
    assert np.mean([each.p <= ALPHA for each in found]) > 0.9
    assert np.mean([each.p_permutation <= ALPHA for each in found]) > 0.9
    intervals = [each.rho.interval for each in found if isinstance(each.rho.interval, Interval)]
    assert np.mean([each.low <= 0.6 <= each.high for each in intervals]) > 0.88


def test_the_whole_way_from_the_database_finds_the_planted_correlation(store: Store) -> None:
    data = load(store, simulate(store, participants=400, trials=800, rho=0.6, comments=False))
    people = Population.analysed(data, data.people())
    found = spearman(people.months, accuracies(people), "whole way")
    assert isinstance(found.rho, Estimate)
    assert found.rho.value == pytest.approx(0.6, abs=0.08)
    assert found.p_permutation < 0.001
