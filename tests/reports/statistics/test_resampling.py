"""Bootstrap and permutations against SciPy's, and that they keep what they promise."""

import numpy as np
import pytest
from scipy import stats

from reports.results.measures import Estimate, Interval, NotComputable
from reports.statistics import resampling

# Efron and Tibshirani (1993), table 3.1: LSAT and GPA of 15 law schools; their correlation is 0.776.
LSAT = np.array([576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594], dtype=np.float64)
GPA = np.array([3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96])


def pearson(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    x, y = x - x.mean(axis=axis, keepdims=True), y - y.mean(axis=axis, keepdims=True)
    return np.sum(x * y, axis=axis) / np.sqrt(np.sum(x**2, axis=axis) * np.sum(y**2, axis=axis))


def interval(estimate: Estimate | NotComputable) -> Interval:
    assert isinstance(estimate, Estimate)
    assert isinstance(estimate.interval, Interval)
    return estimate.interval


def test_bca_of_the_law_schools_is_scipys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: 50_000)
    found = resampling.bootstrap(lambda rows: pearson(LSAT[rows], GPA[rows]), 15, name="law schools")
    expected = stats.bootstrap(
        (LSAT, GPA), pearson, paired=True, vectorized=True, n_resamples=50_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(0.776, abs=5e-4)
    assert interval(found).method == "BCa bootstrap"
    assert (interval(found).low, interval(found).high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_bca_of_two_samples_is_scipys() -> None:
    random = np.random.default_rng(2)
    x, y = random.exponential(10, 9), random.exponential(20, 14)
    found = resampling.bootstrap(lambda i, j: y[j].mean(axis=1) - x[i].mean(axis=1), 9, 14, name="two")
    expected = stats.bootstrap(
        (x, y),
        lambda x, y, axis: y.mean(axis=axis) - x.mean(axis=axis),
        vectorized=True,
        n_resamples=50_000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert (interval(found).low, interval(found).high) == pytest.approx((expected.low, expected.high), abs=0.6)


def test_the_same_data_gives_the_same_interval_and_another_name_another() -> None:
    assert resampling.mean(LSAT, "a") == resampling.mean(LSAT, "a")
    assert resampling.mean(LSAT, "a") != resampling.mean(LSAT, "b")


def test_an_interval_of_a_mean_holds_it_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: 499)
    random = np.random.default_rng(4)
    held = 0
    for study in range(300):
        found = interval(resampling.mean(random.normal(50, 20, 31), f"study {study}"))
        held += found.low <= 50 <= found.high
    assert 0.90 <= held / 300 <= 0.98


@pytest.mark.parametrize("values", [[5.0], [5.0, 6.0], [5.0, 5.0, 5.0, 5.0]])
def test_what_shows_no_uncertainty_says_so(values: list[float]) -> None:
    found = resampling.mean(np.array(values), "few")
    assert found.value == pytest.approx(np.mean(values))
    assert isinstance(found.interval, NotComputable)


def test_a_statistic_that_resamples_hardly_define_has_no_interval() -> None:
    x = np.array([0.0, 0, 0, 0, 0, 0, 0, 1])
    found = resampling.bootstrap(lambda rows: np.where(np.ptp(x[rows], axis=1) > 0, 0.5, np.nan), 8, name="rare")
    assert isinstance(found, Estimate)
    assert isinstance(found.interval, NotComputable)


def test_an_extreme_statistic_falls_back_on_percentiles() -> None:
    x = np.array([1.0, 2, 3, 4, 90])
    found = resampling.bootstrap(lambda rows: x[rows].max(axis=1), 5, name="largest")
    assert interval(found).high == 90


def test_very_many_people_get_fewer_resamples() -> None:
    assert resampling.resamples(31) == 9_999
    assert resampling.resamples(1_000) == 3_000
    assert resampling.resamples(100_000) == 1_999


def test_permutations_of_two_groups_are_complete_where_they_are_few() -> None:
    p = resampling.permutation_groups(
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        (np.array([1.0, 2, 3]), np.array([4.0, 5, 6])),
        "few",
        two_sided=True,
    )
    assert p == pytest.approx(2 / 20)
