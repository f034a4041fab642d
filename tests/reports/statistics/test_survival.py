"""Kaplan–Meier curves, medians and the log-rank test against published numbers, and how often they are right."""

import numpy as np
import pytest

from reports.results.measures import NotComputable
from reports.results.survival import LogRank, TriesNeeded
from reports.statistics.survival import Times, log_rank, tries_needed

# Freireich et al. (1963): weeks of remission of 21 leukaemia patients with 6-mercaptopurine, and of 21 without.
TREATED = Times(
    np.array([6.0, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]),
    np.array([True] * 9 + [False] * 12),
)
PLACEBO = Times(
    np.array([1.0, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]), np.ones(21, dtype=bool)
)


def test_the_curve_and_the_median_of_freireichs_patients() -> None:
    found = tries_needed("treated", TREATED)
    left = dict(zip(found.at, found.left, strict=True))
    # Collett, Modelling Survival Data in Medical Research, and R's survfit(conf.type = "log-log")
    published = {0: 1, 6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {weeks: left[weeks] for weeks in published} == pytest.approx(published, abs=0.0005)
    assert (found.median, found.low) == (23, 13)
    assert found.high == NotComputable("Those who never reached it leave it open.")
    assert (found.n, found.reached, len(found.stopped)) == (21, 9, 12)
    placebo = tries_needed("placebo", PLACEBO)
    assert (placebo.median, placebo.low, placebo.high) == (8, 4, 11)


def test_their_log_rank_test() -> None:
    (found,) = log_rank({"treated": TREATED, "placebo": PLACEBO})
    assert isinstance(found, LogRank)
    assert found.statistic**2 == pytest.approx(16.79, abs=0.005)  # R's survdiff: chi-square 16.8 on one degree
    assert found.statistic < 0, "the second group needs less"
    assert found.p == pytest.approx(4.17e-5, abs=1e-7)


def test_three_groups_are_corrected_together() -> None:
    found = log_rank({"a": TREATED, "b": PLACEBO, "c": PLACEBO})
    assert [each.p_holm / each.p for each in found if isinstance(each, LogRank)] == pytest.approx([3, 3, 1])


def test_where_fewer_than_half_or_nobody_reached_it_there_is_no_median() -> None:
    few = Times(np.array([3.0, 4, 5, 6]), np.array([True, False, False, False]))
    found = tries_needed("few", few)
    assert found.median == NotComputable("Fewer than half reached it.")
    nobody = Times(np.array([3.0, 4]), np.zeros(2, dtype=bool))
    assert tries_needed("nobody", nobody).left == (1, 1, 1)
    assert log_rank({"a": nobody, "b": nobody}) == (NotComputable("A and b: nobody reached it."),)
    alone = Times(np.array([1.0]), np.ones(1, dtype=bool))
    assert log_rank({"a": alone, "b": PLACEBO}) == (NotComputable("A and b: a comparison needs two people in each."),)
    at_once = Times(np.ones(2), np.ones(2, dtype=bool))
    assert isinstance(log_rank({"a": at_once, "b": at_once})[0], NotComputable)


def people(random: np.random.Generator, count: int, per_try: float) -> Times:
    """People who reach a threshold at each try with this chance, and make 3 to 25 tries."""
    needed, most = random.geometric(per_try, count), random.integers(3, 26, count)
    return Times(np.minimum(needed, most).astype(np.float64), needed <= most)


def test_without_an_effect_the_test_finds_one_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    found = []
    for _ in range(1_000):
        (test,) = log_rank({"a": people(random, 10, 0.15), "b": people(random, 12, 0.15)})
        found.append(isinstance(test, LogRank) and test.p < 0.05)
    assert 0.03 <= np.mean(found) <= 0.07


@pytest.mark.parametrize("count", [10, 31])
def test_the_interval_of_a_median_covers_it_as_often_as_it_says(count: int) -> None:
    """Tries are whole numbers, so it covers somewhat more."""
    random, median = np.random.default_rng(5), 5  # the first k with 1 − 0.85^k ≥ 0.5
    covered = [_covers(tries_needed("a", people(random, count, 0.15)), median) for _ in range(1_000)]
    assert 0.94 <= np.mean(covered) <= 1


def _covers(found: TriesNeeded, median: float) -> bool:
    low = np.inf if isinstance(found.low, NotComputable) else found.low
    high = np.inf if isinstance(found.high, NotComputable) else found.high
    return bool(low <= median <= high)
