"""Importance, variance components, power of a follow-up, several tasks: against published numbers and Optuna."""

import numpy as np
import optuna
import pytest
from scipy import stats

from reports.analysis import follow_up, importance, pooled, variance_components
from reports.data import configuration_space
from reports.data.study_data import StudyData
from reports.results.further import Components, FollowUp, Importance
from reports.results.measures import Correlation, Estimate, Interval, NotComputable
from reports.results.paper import Box
from reports.results.study_results import Pooled, StudyResults
from reports.statistics import fanova
from tests.reports.by_hand import Someone, people, study
from tests.reports.conftest import Simulated
from training.hyperparameters import HYPERPARAMETERS, Configuration

# Shrout and Fleiss (1979), table 2: four judges' ratings of six targets.
RATINGS = np.array(
    [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)], dtype=np.float64
)


# --- variance components ----------------------------------------------------------------------------------------------


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    found = variance_components.of_table(RATINGS)
    assert isinstance(found, Components)
    assert found.icc.value == pytest.approx(0.17, abs=0.005)
    assert found.icc_mean.value == pytest.approx(0.44, abs=0.005)
    assert isinstance(found.icc.interval, Interval)
    assert (found.icc.interval.low, found.icc.interval.high) == pytest.approx((-0.133, 0.723), abs=0.001)  # R's psych
    # Their mean squares: targets 11.24, judges 32.49, residual 1.02.
    assert found.sd_people**2 == pytest.approx((11.24 - 1.02) / 4, abs=0.01)
    assert found.sd_seeds**2 == pytest.approx((32.49 - 1.02) / 6, abs=0.01)
    assert found.sd_rest**2 == pytest.approx(1.02, abs=0.005)


def test_planted_components_are_found() -> None:
    random = np.random.default_rng(5)
    table = 50 + random.normal(0, 20, (400, 1)) + random.normal(0, 3, (1, 10)) + random.normal(0, 2, (400, 10))
    found = variance_components.of_table(table)
    assert isinstance(found, Components)
    assert found.sd_people == pytest.approx(20, rel=0.1)
    assert found.sd_rest == pytest.approx(2, rel=0.05)


def test_people_without_every_seed_are_left_out() -> None:
    crowd = people(
        Someone(0, final=[50.0, 52.0]), Someone(3, final=[70.0, 71.0]), Someone(5, final=[60.0]), Someone(20)
    )
    found = variance_components.components(crowd)
    assert isinstance(found, Components)
    assert (found.people, found.seeds) == (2, 2)


@pytest.mark.parametrize(("rows", "icc"), [([[5.0, 5], [7, 7]], 1.0), ([[5.0, 7], [5, 7]], -1.0)])
def test_without_variance_on_one_side_there_is_no_interval(rows: list[list[float]], icc: float) -> None:
    found = variance_components.of_table(np.array(rows))
    assert isinstance(found, Components)
    assert found.icc.value == icc
    assert isinstance(found.icc.interval, NotComputable)


# --- importance -------------------------------------------------------------------------------------------------------


def test_shares_are_those_of_optuna() -> None:
    """Optuna sorts the variables by name, and so are these."""
    random = np.random.default_rng(6)
    columns, choices = random.random((120, 3)), random.integers(0, 3, 120)
    values = 40 * columns[:, 0] + 30 * (choices == 1) * columns[:, 1] + random.normal(0, 2, 120)
    distributions = {name: optuna.distributions.FloatDistribution(0, 1) for name in "abc"}
    distributions["d"] = optuna.distributions.CategoricalDistribution([0, 1, 2])  # type: ignore[assignment]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna_study = optuna.create_study()
    optuna_study.add_trials(
        [
            optuna.trial.create_trial(
                params={**dict(zip("abc", map(float, row), strict=True)), "d": int(choice)},
                distributions=dict(distributions),
                value=float(value),
            )
            for row, choice, value in zip(columns, choices, values, strict=True)
        ]
    )
    expected = optuna.importance.FanovaImportanceEvaluator(n_trees=8, seed=3).evaluate(optuna_study)
    indicators = (choices[:, None] == np.arange(3)).astype(np.float64)
    found = fanova.shares(np.hstack([columns, indicators]), values, [[0], [1], [2], [3, 4, 5]], trees=8, seed=3)
    assert found == pytest.approx([expected[name] for name in "abcd"], abs=1e-9)


def test_what_the_accuracy_depends_on_is_found() -> None:
    random = np.random.default_rng(7)
    rates = 10 ** random.uniform(-6, 0, 150)
    epochs = random.integers(1, 100, 150)
    configurations = [
        Configuration.create(
            {"epochs": int(n), "batch_size": 64, "loss": "nll", "optimizer": "sgd", "learning_rate": float(rate)}
        )
        for n, rate in zip(epochs, rates, strict=True)
    ]
    accuracies = [90 - 10 * abs(np.log10(rate) + 3) for rate in rates]
    trials = study(
        Someone(None, [float(each) for each in accuracies], configurations=configurations, kind="random")
    ).trials
    found = importance.importance(trials, np.arange(150), np.arange(0), "test")
    assert isinstance(found.default, Importance)
    assert next(iter(found.default.shares)) == "learning_rate"
    assert found.default.shares["learning_rate"] > 0.8
    assert sum(found.default.shares.values()) == pytest.approx(1)
    assert found.alternative == NotComputable("There are no trials with an accuracy; 30 are needed at least.")


@pytest.mark.long
def test_of_very_many_trials_a_random_part_is_taken_and_said(ordinary: tuple[StudyData, StudyResults]) -> None:
    found = ordinary[1].tasks[0].importance
    assert isinstance(found.default, Importance)
    assert isinstance(found.alternative, Importance)
    assert found.default.n == min(found.default.of, importance.MOST)
    assert (found.alternative.n, found.alternative.of) == (120, 120)


def test_the_columns_of_the_forest_are_numbers_and_indicators() -> None:
    columns, variables = importance._columns(
        configuration_space.unit(
            np.zeros((1, 15)) + np.array([0 if h.choices else h.narrow.low for h in HYPERPARAMETERS])
        )
    )
    assert columns.shape == (1, 13 + 4 + 6)
    assert [len(each) for each in variables].count(1) == 13


# --- a follow-up ------------------------------------------------------------------------------------------------------


def test_the_critical_correlation_is_that_of_tables() -> None:
    assert follow_up.critical_rho(31) == pytest.approx(0.355, abs=0.001)  # Pearson's table for 29 degrees of freedom
    assert follow_up.critical_rho(12) == pytest.approx(0.576, abs=0.001)


@pytest.mark.parametrize(("rho", "size"), [(0.6, 20), (0.4, 40), (-0.3, 80)])
def test_power_is_about_that_of_fishers_transformation(rho: float, size: int) -> None:
    """Bonett and Wright (2000): the transformed rho has the variance (1 + rho²/2) / (n − 3)."""
    error = np.sqrt((1 + rho**2 / 2) / (size - 3))
    expected = stats.norm.sf(stats.norm.isf(0.025) - abs(np.arctanh(rho)) / error)
    assert follow_up.power(rho, np.arange(500.0), size, "test") == pytest.approx(expected, abs=0.05)


def test_without_a_correlation_the_power_is_alpha() -> None:
    assert follow_up.power(0.0, np.arange(500.0), 40, "test") == pytest.approx(0.05, abs=0.02)


def test_ties_cost_power() -> None:
    tied = np.array([0.0] * 9 + [5.0])
    assert follow_up.power(0.5, tied, 30, "test") < follow_up.power(0.5, np.arange(10.0), 30, "test")


def test_smaller_correlations_need_more_people() -> None:
    found = follow_up.follow_up(_correlation(0.6, Interval(0.3, 0.8, 0.95, "BCa bootstrap")), np.arange(31.0), "test")
    assert isinstance(found, FollowUp)
    assert [line.what for line in found.lines] == ["as observed", "nearer end of its interval", "half of it"]
    observed, nearer, half = (line.needed["0.8"] for line in found.lines)
    assert observed is not None
    assert nearer is not None
    assert 17 <= observed <= 25
    assert nearer == pytest.approx(half, abs=20)
    for line in found.lines:
        assert line.needed["0.9"] is not None
        assert line.needed["0.9"] > (line.needed["0.8"] or 0)


def test_hardly_any_correlation_needs_more_people_than_were_looked_at() -> None:
    found = follow_up.follow_up(_correlation(0.02, Interval(-0.3, 0.4, 0.95, "BCa bootstrap")), np.arange(31.0), "test")
    assert isinstance(found, FollowUp)
    assert [line.needed["0.8"] for line in found.lines] == [None, None, None]


def _correlation(rho: float, interval: Interval) -> Correlation:
    return Correlation(Estimate(rho, interval, 31), 0.01, 0.01, 31)


# --- several tasks ----------------------------------------------------------------------------------------------------


def test_tasks_of_different_difficulty_do_not_make_a_correlation() -> None:
    """Within each task experience is worth nothing; the easier one was given to people with more of it."""
    months, values = np.array([1.0, 2, 3, 4, 11, 12, 13, 14]), np.array([3.0, 1, 4, 2, 93, 91, 94, 92])
    strata = np.repeat(["hard", "easy"], 4)
    found = pooled.within_strata(months, values, strata, "test")
    assert isinstance(found, Correlation)
    assert found.rho.value == pytest.approx(0.0, abs=1e-9)
    assert stats.spearmanr(months, values).statistic > 0.7


def test_a_single_stratum_is_spearman() -> None:
    random = np.random.default_rng(8)
    x, y = random.integers(0, 5, 20).astype(float), random.normal(size=20)
    found = pooled.within_strata(x, y, np.repeat(["only"], 20), "test")
    assert isinstance(found, Correlation)
    assert found.rho.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.p == pytest.approx(stats.spearmanr(x, y).pvalue)


def test_a_study_of_two_tasks_has_results_of_each_and_of_both(simulated: Simulated) -> None:
    data = simulated(participants=60, trials=120, rho=0.7, tasks=("a", "b"), comments=False)
    found = pooled.pooled(data, data.tasks)
    assert isinstance(found, Pooled)
    assert found.n == 60
    assert isinstance(found.experience, Correlation)
    assert found.experience.rho.value > 0.4
    assert not isinstance(found.regressions.experience, NotComputable)
    assert [each.name for each in found.regressions.experience.coefficients] == [
        "intercept",
        "log(1 + months)",
        "task: b",
    ]
    boxes = [each for each in found.boxes.values() if isinstance(each, Box)]
    assert sum(each.mean * each.n for each in boxes) == pytest.approx(0, abs=1e-6)
