"""Simulated studies are decided by the report's tests, and their power is what others compute."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reports.analysis.follow_up import is_found
from reports.planning import simulation
from reports.planning.design import ALL, ANY, Correlated, Different
from reports.planning.recruits import Recruits, paper
from reports.planning.registered_tests import RegisteredTest
from reports.results.measures import Correlation, PairTest, SeveralTest
from reports.results.paper import Difference
from reports.statistics import inference, resampling
from tests.reports.planning.designs import design
from tests.reports.statistics.test_last_bits import nudged

NAMES = ("novice", "medium", "expert")
EFFECT = Different((35.0, 55.0, 70.0), (30.0, 25.0, 12.0))
OF_GROUPS = [test for test in RegisteredTest if test is not RegisteredTest.SPEARMAN]


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: 9)


# --- the report's decision --------------------------------------------------------------------------------------------


def by_the_report(test: RegisteredTest, samples: dict[str, np.ndarray]) -> dict[str, bool]:
    """What a reader of the report would find at 5 %."""
    if test is RegisteredTest.KRUSKAL_WALLIS:
        several = inference.kruskal(samples, name="test")
        return {ANY: isinstance(several, SeveralTest) and several.p <= 0.05}
    if test is RegisteredTest.MANN_WHITNEY:
        differences = inference.differences(samples, name="test")
        pairs = [each.test.p_holm <= 0.05 if isinstance(each, Difference) else False for each in differences]
    else:
        tests = inference.levene(samples, median=test is RegisteredTest.BROWN_FORSYTHE, name="test")
        pairs = [each.p_holm <= 0.05 if isinstance(each, PairTest) else False for each in tests]
    return {ANY: any(pairs), ALL: all(pairs), **dict(zip(design(test).pairs, pairs, strict=True))}


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize("sizes", [(8, 12, 11), (2, 3, 9), (1, 6, 5), (1, 1, 3)], ids=str)
@pytest.mark.parametrize("test", OF_GROUPS, ids=str)
def test_every_study_is_decided_as_the_report_would(test: RegisteredTest, sizes: tuple[int, ...]) -> None:
    random = np.random.default_rng(11)
    samples = [
        50 + shift + spread * random.standard_normal((12, size))
        for size, shift, spread in zip(sizes, (0, 20, 45), (25, 12, 4), strict=True)
    ]
    for sample in samples:
        sample[::3] = np.round(sample[::3], -1)
    found = simulation._compare(design(test), samples)
    for study in range(12):
        expected = by_the_report(test, {name: each[study] for name, each in zip(NAMES, samples, strict=True)})
        assert {outcome: bool(flags[study]) for outcome, flags in found.items()} == expected


@pytest.mark.usefixtures("few_resamples")
def test_a_correlation_is_decided_as_the_report_would() -> None:
    random = np.random.default_rng(12)
    months = np.round(random.exponential(8, (60, 31)))
    accuracies = 0.06 * months + random.standard_normal((60, 31))
    found = is_found(months, accuracies)
    for study in range(60):
        alone = inference.spearman(months[study], accuracies[study], name="test", of=("months", "accuracies"))
        assert isinstance(alone, Correlation)
        assert found[study] == (alone.p <= 0.05)
    assert 10 < found.sum() < 50


# --- people -----------------------------------------------------------------------------------------------------------


def test_fixed_groups_have_their_months_and_the_correlation() -> None:
    plan = design(fixed=True)
    shares = np.random.default_rng(13).random((200, 310))
    sizes = plan.sizes(310)
    months = simulation._months(plan, sizes, shares)
    assert sizes == (80, 120, 110)
    assert (months[:, :80] == 0).all()
    assert set(np.unique(months[:, 80:200])) == {1, 3, 6, 9}
    assert np.min(months[:, 200:]) == 10
    bands = simulation._within_bands(sizes, shares)
    assert np.min(bands[:, 80:200]) >= 80 / 310
    assert np.max(bands[:, 80:200]) <= 200 / 310


def test_fixed_groups_have_a_little_more_power_than_people_as_they_come() -> None:
    as_they_come = simulation.found(design(studies=10_000), Correlated(0.6), 20)[ANY].mean()
    fixed = simulation.found(design(studies=10_000, fixed=True), Correlated(0.6), 20)[ANY].mean()
    assert as_they_come < fixed < as_they_come + 0.06


# --- against others ---------------------------------------------------------------------------------------------------


def without_ties(people: int) -> Recruits:
    groups = tuple(
        replace(group, months=tuple(place + np.arange(people) / people)) for place, group in enumerate(paper().groups)
    )
    return replace(paper(), groups=groups)


@pytest.mark.parametrize("rho", [0.3, -0.5])
def test_the_power_of_a_correlation_is_that_of_scipys_test(rho: float) -> None:
    """Another generator, another way to draw, and SciPy's test."""
    random = np.random.RandomState(14)
    pearson = 2 * np.sin(np.pi * rho / 6)
    drawn = random.multivariate_normal([0, 0], [[1, pearson], [pearson, 1]], (500, 40))
    expected = np.mean([stats.spearmanr(study).pvalue <= 0.05 for study in drawn])
    found = simulation.found(design(studies=10_000, recruits=without_ties(400)), Correlated(rho), 40)[ANY].mean()
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 500))


@pytest.mark.parametrize("test", OF_GROUPS, ids=str)
def test_the_power_between_groups_is_that_of_scipys_tests(test: RegisteredTest) -> None:
    """Holm finds a pair where the smallest of three p-values is at most a third of alpha."""
    random = np.random.RandomState(15)
    samples = []
    for mean, sd, size in zip(EFFECT.means, EFFECT.sds, (8, 12, 11), strict=True):
        together = mean * (100 - mean) / sd**2 - 1
        samples.append(100 * random.beta(mean / 100 * together, (1 - mean / 100) * together, (1_500, size)))
    pairs = ((0, 1), (0, 2), (1, 2))
    center = "mean" if test is RegisteredTest.LEVENE else "median"
    if test is RegisteredTest.KRUSKAL_WALLIS:
        p = stats.kruskal(*samples, axis=-1).pvalue
    elif test is RegisteredTest.MANN_WHITNEY:
        p = 3 * np.min([stats.mannwhitneyu(samples[a], samples[b], axis=-1).pvalue for a, b in pairs], axis=0)
    else:
        p = 3 * np.min([stats.levene(samples[a], samples[b], center=center, axis=-1).pvalue for a, b in pairs], axis=0)
    expected = np.mean(p <= 0.05)
    found = simulation.found(design(test, studies=10_000), EFFECT, 31)[ANY].mean()
    assert 0.2 < expected < 0.99
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 1_500))


@pytest.mark.parametrize("test", [each for each in RegisteredTest if each is not RegisteredTest.LEVENE], ids=str)
def test_without_an_effect_a_study_finds_one_no_more_often_than_alpha_says(test: RegisteredTest) -> None:
    effect = Correlated(0.0) if test is RegisteredTest.SPEARMAN else Different((55.9,) * 3, (26.3,) * 3)
    found = simulation.found(design(test, studies=10_000), effect, 31)[ANY]
    assert 100 < found.sum() <= stats.binom.isf(0.001, 10_000, 0.05)


def test_levenes_test_around_the_mean_finds_too_much() -> None:
    """As Brown and Forsythe (1974) say of small samples; theirs, around the median, keeps the level."""
    ordinary, good = (Different((mean,) * 3, (sd,) * 3) for mean, sd in ((55.9, 26.3), (85, 12)))
    shares = [
        [simulation.found(design(test, studies=10_000), effect, 31)[ANY].mean() for effect in (ordinary, good)]
        for test in (RegisteredTest.LEVENE, RegisteredTest.BROWN_FORSYTHE)
    ]
    assert shares[0] == pytest.approx([0.065, 0.125], abs=0.01)
    assert shares[1] == pytest.approx([0.030, 0.043], abs=0.01)


# --- random numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("test", list(RegisteredTest), ids=str)
def test_the_same_seed_gives_the_same_studies(test: RegisteredTest) -> None:
    first, again, other = (
        simulation.found(design(test, seed=seed), Correlated(0.5), 31)[ANY].tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_number_of_people_more_changes_nothing_at_another() -> None:
    alone = simulation.found(design(studies=300), Correlated(0.4), 40)[ANY].tolist()
    simulation.found(design(studies=300), Correlated(0.4), 20)
    assert simulation.found(design(studies=300), Correlated(0.4), 40)[ANY].tolist() == alone


@pytest.mark.parametrize(
    ("test", "fixed"), [(RegisteredTest.SPEARMAN, False), *((test, True) for test in RegisteredTest)], ids=str
)
def test_last_bits_move_no_study(test: RegisteredTest, fixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """They differ from machine to machine."""
    effects = [Correlated(0.5)] if test is RegisteredTest.SPEARMAN else [Correlated(0.5), EFFECT]
    plan = design(test, fixed=fixed)
    expected = [simulation.found(plan, effect, 31)[ANY].tolist() for effect in effects]
    for name in ("tied_to", "at_normal"):
        exact = getattr(simulation, name)
        monkeypatch.setattr(simulation, name, lambda *given, exact=exact: nudged(exact(*given), 1))
    assert [simulation.found(plan, effect, 31)[ANY].tolist() for effect in effects] == expected
