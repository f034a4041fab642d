"""People drawn from a normal copula have the rank correlation and the values that were asked for."""

import numpy as np
import pytest
from scipy import stats

from reports.statistics import copula


@pytest.mark.parametrize("rho", [-0.8, -0.3, 0.0, 0.6, 1.0])
def test_the_series_have_the_rank_correlation(rho: float) -> None:
    first, second = np.random.default_rng(3).standard_normal((2, 100_000))
    tied = copula.tied_to(first, second, rho)
    assert stats.spearmanr(first, tied).statistic == pytest.approx(rho, abs=0.01)
    assert np.std(tied) == pytest.approx(1.0, abs=0.01)


def test_values_come_as_often_as_they_were_observed() -> None:
    normal = np.random.default_rng(4).standard_normal(100_000)
    drawn = copula.as_observed(np.array([9.0, 0.0, 0.0, 2.0]), normal)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [0.0, 2.0, 9.0]
    assert counts / 100_000 == pytest.approx([0.5, 0.25, 0.25], abs=0.01)
    assert (np.diff(drawn[np.argsort(normal)]) >= 0).all()


def test_the_ends_are_places_too() -> None:
    assert copula.places(np.array([0.0, 0.3, 0.5, 1.0]), 2).tolist() == [0, 0, 1, 1]
