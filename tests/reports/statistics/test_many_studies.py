"""Tests of many studies at once give each study what it gets alone."""

import numpy as np
import pytest
from scipy import stats

from reports.statistics import inference


def test_mann_whitney_of_rows_with_and_without_ties() -> None:
    random = np.random.default_rng(5)
    x, y = random.random((40, 8)), random.random((40, 12))
    x[::2], y[::2] = np.round(x[::2], 1), np.round(y[::2], 1)
    statistic, p = inference.mann_whitney(x, y)
    for row in range(40):
        alone = stats.mannwhitneyu(x[row], y[row], alternative="two-sided")
        assert (statistic[row], p[row]) == (alone.statistic, alone.pvalue)


def test_kruskal_wallis_and_levene_of_rows() -> None:
    random = np.random.default_rng(6)
    samples = [random.random((30, size)) for size in (4, 7, 5)]
    _, p = inference.kruskal_wallis(samples)
    assert p == pytest.approx([stats.kruskal(*row).pvalue for row in zip(*samples, strict=True)])
    for median in (False, True):
        u, v = (inference.deviations(each, median=median) for each in samples[:2])
        center = "median" if median else "mean"
        expected = [stats.levene(*row, center=center).pvalue for row in zip(*samples[:2], strict=True)]
        assert inference.deviations_differ(u, v)[1] == pytest.approx(expected, rel=1e-6)


def test_deviations_that_do_not_vary_have_no_p() -> None:
    """Two people always deviate from their mean by the same."""
    pairs, some = np.array([[1.0, 4.0], [2.0, 2.1]]), np.array([[3.0, 5.0], [1.0, 9.0]])
    u, v = (inference.deviations(each, median=False) for each in (pairs, some))
    assert np.isnan(inference.deviations_differ(u, v)).all()


def test_holm_along_rows() -> None:
    p = np.random.default_rng(7).random((20, 3))
    assert [tuple(row) for row in inference.holm_along(p)] == [inference.holm(list(row)) for row in p]
