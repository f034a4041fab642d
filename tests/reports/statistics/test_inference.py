"""Tests and effect sizes against textbooks and SciPy."""

import numpy as np
import pytest
from scipy import stats

from reports.results.measures import Correlation, Interval, NotComputable, PairTest, SeveralTest
from reports.results.paper import Difference
from reports.statistics import inference

OF = ("months of experience", "final accuracies")

# The example of Wikipedia's “Spearman's rank correlation coefficient”: IQ, and hours of television a week.
IQ = np.array([106, 100, 86, 101, 99, 103, 97, 113, 112, 110], dtype=np.float64)
HOURS = np.array([7, 27, 2, 50, 28, 29, 20, 12, 6, 17], dtype=np.float64)

# Kruskal and Wallis (1952), table 1.1: daily bottle caps of three machines, H = 5.656.
CAPS = {
    "standard": np.array([340, 345, 330, 342, 338], dtype=np.float64),
    "first": np.array([339, 333, 344], dtype=np.float64),
    "second": np.array([347, 343, 349, 355], dtype=np.float64),
}


def correlation(x: np.ndarray, y: np.ndarray) -> Correlation:
    found = inference.spearman(x, y, name="test", of=OF)
    assert isinstance(found, Correlation)
    return found


def test_spearman_is_the_textbooks() -> None:
    found = correlation(IQ, HOURS)
    assert found.rho.value == pytest.approx(-29 / 165)
    assert found.p == pytest.approx(0.627188, abs=1e-6)
    assert found.p_permutation == pytest.approx(found.p, abs=0.03)


def test_spearman_with_ties_is_scipys() -> None:
    random = np.random.default_rng(1)
    x, y = random.integers(0, 6, 40).astype(float), random.integers(0, 9, 40).astype(float)
    expected = stats.spearmanr(x, y)
    found = correlation(x, y)
    assert found.rho.value == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)


def test_the_papers_correlations_have_its_p_values() -> None:
    assert inference.rho_p(0.60, 29) < 0.001
    assert inference.rho_p(-0.58, 29) < 0.001


def test_few_pairs_are_permuted_completely() -> None:
    x = np.arange(4.0)
    assert correlation(x, x).p_permutation == pytest.approx(2 / 24)


def test_a_perfect_correlation_has_finite_numbers() -> None:
    found = correlation(np.arange(10.0), np.arange(10.0))
    assert found.rho.value == pytest.approx(1)
    assert found.p == 0
    assert isinstance(found.rho.interval, NotComputable)


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([], [], "No people have both months of experience and final accuracies; a correlation needs three at least."),
        (
            [1],
            [2],
            "One person has both months of experience and final accuracies; a correlation needs three at least.",
        ),
        ([1, 1, 1], [1, 2, 3], "All months of experience are the same"),
        ([1, 2, 3], [5, 5, 5], "All final accuracies are the same"),
    ],
)
def test_what_does_not_correlate_says_why(x: list[float], y: list[float], why: str) -> None:
    found = inference.spearman(np.array(x, dtype=float), np.array(y, dtype=float), name="test", of=OF)
    assert isinstance(found, NotComputable)
    assert found.why.startswith(why)


@pytest.mark.parametrize(("median", "center"), [(False, "mean"), (True, "median")])
def test_levene_is_scipys_with_either_centre(median: bool, center: str) -> None:
    random = np.random.default_rng(2)
    samples = {name: random.normal(0, scale, n) for name, scale, n in (("a", 1, 8), ("b", 3, 12), ("c", 2, 11))}
    found = inference.levene(samples, median=median, name="test")
    assert [(each.first, each.second) for each in found if isinstance(each, PairTest)] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    for each in found:
        assert isinstance(each, PairTest)
        expected = stats.levene(samples[each.first], samples[each.second], center=center)
        assert each.statistic == pytest.approx(expected.statistic)
        assert each.p == pytest.approx(expected.pvalue)
        assert each.p_permutation == pytest.approx(each.p, abs=0.05)


@pytest.mark.parametrize(
    ("statistic", "sizes", "p", "digits"),
    [(8.40, (8, 12), 0.01, 2), (14.338, (8, 11), 0.001, 3), (5.52, (12, 11), 0.029, 3)],
)
def test_the_degrees_of_freedom_are_those_of_the_papers_table_2(
    statistic: float, sizes: tuple[int, int], p: float, digits: int
) -> None:
    """(1, n₁ + n₂ − 2), with deviations from means and from medians alike."""
    random = np.random.default_rng(3)
    samples = {"a": random.normal(size=sizes[0]), "b": random.normal(size=sizes[1])}
    for median in (False, True):
        (found,) = inference.levene(samples, median=median, name="test")
        assert isinstance(found, PairTest)
        assert round(float(stats.f.sf(statistic, *found.freedom)), digits) == p


def test_levene_without_people_names_the_groups() -> None:
    found = inference.levene({"novice": np.array([]), "expert": np.array([1.0])}, median=False, name="test")
    assert found == (
        NotComputable(
            "Novice and expert: a comparison needs two people in each, and novice has none and expert has one."
        ),
    )


def test_levene_of_constant_groups_is_not_computable() -> None:
    (found,) = inference.levene({"a": np.full(4, 10.0), "b": np.full(5, 20.0)}, median=False, name="test")
    assert isinstance(found, NotComputable)


def test_mann_whitney_and_its_effect_size_are_the_textbooks() -> None:
    """Wikipedia's “Mann–Whitney U test”: Aesop's race; U is 25 for the one animal and 11 for the other."""
    order = "THHHHHTTTTTH"
    places = {animal: np.array([12.0 - place for place, each in enumerate(order) if each == animal]) for animal in "TH"}
    found = inference.difference(("hare", places["H"]), ("tortoise", places["T"]), name="test")
    assert isinstance(found, Difference)
    assert {found.test.statistic, 36 - found.test.statistic} == {25, 11}
    assert abs(found.rank_biserial.value) == pytest.approx((25 - 11) / 36)
    assert np.sign(found.rank_biserial.value) == np.sign(places["T"].mean() - places["H"].mean())
    assert found.test.p == pytest.approx(stats.mannwhitneyu(places["H"], places["T"]).pvalue)


def test_complete_separation_is_a_rank_biserial_of_one() -> None:
    assert inference.rank_biserial(np.array([1.0, 2, 3]), np.array([4.0, 5])) == 1
    assert inference.rank_biserial(np.array([4.0, 5]), np.array([1.0, 2, 3])) == -1
    assert inference.rank_biserial(np.array([1.0, 1]), np.array([1.0, 1])) == 0


def test_kruskal_wallis_is_the_textbooks() -> None:
    found = inference.kruskal(CAPS, name="test")
    assert isinstance(found, SeveralTest)
    assert found.statistic == pytest.approx(5.656, abs=5e-4)
    assert found.freedom == 2
    assert found.p == pytest.approx(stats.kruskal(*CAPS.values()).pvalue)
    assert found.p_permutation == pytest.approx(0.049, abs=0.006)  # the exact p that their paper gives
    assert found.epsilon_squared == pytest.approx(5.656 / 11, abs=1e-4)


def test_kruskal_wallis_leaves_an_empty_group_out() -> None:
    found = inference.kruskal(CAPS | {"nobody": np.array([])}, name="test")
    assert isinstance(found, SeveralTest)
    assert found.groups == ("standard", "first", "second")


def test_holm_is_that_of_r() -> None:
    assert inference.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))  # p.adjust's answer
    assert inference.holm([0.5, 0.9]) == (1.0, 1.0)
    assert inference.holm([]) == ()


def test_the_pairs_of_groups_are_corrected_together() -> None:
    found = inference.differences(CAPS, name="test")
    assert [each.test.p_holm for each in found if isinstance(each, Difference)] == pytest.approx(
        inference.holm([each.test.p for each in found if isinstance(each, Difference)])
    )


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
)
def test_the_interval_of_a_share_is_newcombes(count: int, of: int, low: float, high: float) -> None:
    """Newcombe (1998), table I, method 3."""
    interval = inference.share(count, of).interval
    assert isinstance(interval, Interval)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)
