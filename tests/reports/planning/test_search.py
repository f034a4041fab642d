"""How many people are needed: as textbooks say, and as the report's own table of a follow-up says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reports.analysis import final_accuracy, follow_up
from reports.data.load import load
from reports.data.population import Population
from reports.planning.design import Correlated, Different
from reports.planning.recruits import Group, of_study, paper
from reports.planning.registered_tests import RegisteredTest
from reports.planning.results import Needed, Plan, PowerLine
from reports.planning.search import plan
from reports.results.as_json import to_json
from reports.results.further import FollowUp
from reports.results.measures import Correlation, Estimate, Interval
from reports.statistics import resampling
from storage.database import Store
from tests.reports.planning.designs import design
from tests.reports.simulated_study import simulate


def needed(line: PowerLine) -> list[int]:
    assert all(each.people is not None for each in line.needed)
    return [each.people or 0 for each in line.needed]


def interval(found: Estimate) -> Interval:
    assert isinstance(found.interval, Interval)
    return found.interval


# --- textbooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7])
def test_people_needed_are_those_of_fishers_transformation(rho: float) -> None:
    """The transformed rho has the variance 1.06 / (n − 3) (Fieller, Hartley and Pearson, 1957), or (1 + ρ²/2) / (n − 3)
    (Bonett and Wright, 2000): for ρ = 0.3 that is 90 or 89 people for 80 %, 120 or 118 for 90 %.
    """
    untied = replace(paper(), groups=(Group("all", 31, tuple(np.arange(500.0))),))
    found = needed(plan(design(recruits=untied, effects=(Correlated(rho),), studies=4_000)).lines[0])
    for people, power in zip(found, (0.8, 0.9), strict=True):
        step = (stats.norm.isf(0.025) + stats.norm.ppf(power)) / np.arctanh(rho)
        textbooks = [3 + variance * step**2 for variance in (1.06, 1 + rho**2 / 2)]
        assert 0.94 * min(textbooks) - 1 <= people <= 1.06 * max(textbooks) + 1.5


def test_a_smaller_level_needs_more_people() -> None:
    found = [needed(plan(design(alpha=alpha)).lines[0])[0] for alpha in (0.05, 0.01)]
    assert found[0] + 5 < found[1] < 2 * found[0]


# --- the report -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.6, -0.5])
def test_the_plan_agrees_with_the_reports_table_of_a_follow_up(rho: float) -> None:
    given = Correlation(Estimate(rho, Interval(rho - 0.1, rho + 0.1, 0.95, "BCa bootstrap"), 31), 0.01, 0.01, 31)
    table = follow_up.follow_up(given, paper().months, "test")
    assert isinstance(table, FollowUp)
    effects = tuple(Correlated(line.rho, line.what) for line in table.lines)
    planned = plan(design(effects=effects, studies=table.studies))
    for theirs, ours in zip(table.lines, planned.lines, strict=True):
        ours_at = {power.people: power.power.value for power in ours.curve}
        both = [(ours_at[at], power) for at, power in zip(theirs.at, theirs.power, strict=True) if at in ours_at]
        assert len(both) > 5
        for one, other in both:
            middle = (one + other) / 2
            assert one == pytest.approx(other, abs=4 * np.sqrt(2 * middle * (1 - middle) / table.studies) + 1e-9)
        for power, each in zip(("0.8", "0.9"), ours.needed, strict=True):
            people = theirs.needed[power]
            if people is None or each.people is None:  # about as many as were looked at
                assert (people or table.most) > 0.85 * table.most
                assert (each.people or table.most) > 0.85 * table.most
            else:
                assert each.people == pytest.approx(people, rel=0.1, abs=1.5)


def test_a_closed_study_is_planned_with_the_correlations_of_its_report(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: 199)
    data = load(store, simulate(store, participants=31, trials=60, comments=False))
    people = Population.analysed(data, data.people())
    recruits = of_study(data, "digits-squeezenet", closed=True)
    assert sorted(recruits.months) == sorted(people.months)
    assert recruits.people == 31
    found = final_accuracy.readings(people, "digits-squeezenet").default.experience
    assert isinstance(found, Correlation)
    assert list(recruits.observed) == list(follow_up.cases(found))
    assert recruits.source == "People as in the study “Simulated”, months and accuracies."


def test_of_a_study_that_is_not_closed_no_accuracy_is_read(store: Store) -> None:
    data = load(store, simulate(store, participants=31, trials=60, comments=False))
    recruits = of_study(data, "digits-squeezenet", closed=False)
    assert recruits.observed == ()
    assert (recruits.accuracies == paper().accuracies).all()
    assert recruits.source == "People as in the study “Simulated”, accuracies as in the paper."


def test_two_people_are_no_study_to_plan_with(store: Store) -> None:
    data = load(store, simulate(store, participants=2, trials=4, comments=False))
    assert of_study(data, "digits-squeezenet", closed=True).groups == ()


# --- the numbers ------------------------------------------------------------------------------------------------------


def test_every_power_has_wilsons_interval() -> None:
    found = plan(design(people=(20, 31)))
    assert [power.people for power in found.lines[0].asked] == [20, 31]
    for power in (*found.lines[0].curve, *found.without_effect):
        ends = interval(power.power)
        expected = stats.binomtest(round(power.power.value * 1_000), 1_000).proportion_ci(method="wilson")
        assert (ends.low, ends.high) == pytest.approx((expected.low, expected.high), abs=1e-7)
        assert ends.method == "Wilson"
        assert power.power.n == 1_000
    assert interval(found.without_effect[1].power).low < 0.05


def test_the_range_of_people_follows_from_the_intervals() -> None:
    few, many = (plan(design(studies=studies)).lines[0].needed[0] for studies in (200, 8_000))
    widths = []
    for each in (few, many):
        assert each.people is not None
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.people <= each.high
        widths.append(each.high - each.low)
    assert widths[0] > widths[1]
    assert widths[1] <= 2


def test_the_same_design_gives_the_same_text() -> None:
    first, again, other = (to_json(plan(design(seed=seed, studies=300))) for seed in (1, 1, 2))
    assert first == again
    assert json.loads(first)["lines"][0]["needed"][0]["people"] == pytest.approx(
        json.loads(other)["lines"][0]["needed"][0]["people"], abs=4
    )


def test_more_people_than_were_looked_at_and_no_effect() -> None:
    found = plan(design(effects=(Correlated(0.1), Correlated(0.0)), most=60))
    assert found.lines[0].needed == (Needed(0.8, None, None, None), Needed(0.9, None, None, None))
    assert max(power.people for power in found.lines[0].curve) == 60
    assert [power.people for power in found.lines[1].curve] == [31]
    assert found.lines[1].needed == found.lines[0].needed


def test_a_test_of_pairs_is_planned_for_the_pair_that_is_named() -> None:
    effect = Different((30.0, 55.0, 80.0), (25.0,) * 3)
    found: dict[str, Plan] = {
        outcome: plan(design(RegisteredTest.MANN_WHITNEY, effects=(effect,), outcome=outcome, studies=300, most=150))
        for outcome in ("any", "novice-expert", "all")
    }
    one = {outcome: each.lines[0].asked[0] for outcome, each in found.items()}
    assert one["any"].outcomes == one["all"].outcomes
    assert set(one["any"].outcomes) == {"any", "all", "novice-medium", "novice-expert", "medium-expert"}
    for outcome, each in one.items():
        assert each.power == each.outcomes[outcome]
        assert each.groups == {"novice": 8, "medium": 12, "expert": 11}
    any_, pair, all_ = (needed(each.lines[0])[0] for each in found.values())
    assert any_ <= pair < all_


def test_every_step_is_told() -> None:
    told: list[tuple[float, str]] = []
    plan(
        design(effects=(Correlated(0.6), Correlated(0.5)), studies=200), lambda share, what: told.append((share, what))
    )
    assert told[0] == (0.0, "ρ = 0: 31 people")
    assert {"ρ = 0.6: 6 people", "ρ = 0.5: 31 people"} <= {what for _, what in told}
    assert all(0 <= share <= 1 for share, _ in told)
