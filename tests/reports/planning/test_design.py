"""What can be planned, and in which groups people come."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from reports.planning.design import Correlated, Different, NotPlannable
from reports.planning.recruits import Group, at_normal, beta_quantiles, paper
from reports.planning.registered_tests import RegisteredTest
from tests.reports.planning.designs import design

KRUSKAL, MANN_WHITNEY = RegisteredTest.KRUSKAL_WALLIS, RegisteredTest.MANN_WHITNEY


def test_groups_keep_their_shares() -> None:
    plan = design(KRUSKAL)
    assert plan.sizes(31) == (8, 12, 11)
    assert plan.sizes(62) == (16, 24, 22)
    assert plan.sizes(32) == (8, 13, 11)
    for people in range(3, 300):
        sizes = np.array(plan.sizes(people))
        assert sizes.sum() == people
        assert (np.abs(sizes - np.array([8, 12, 11]) * people / 31) < 1).all()


def test_pairs_are_of_the_groups_in_their_order() -> None:
    assert design(MANN_WHITNEY).pairs == ("novice-medium", "novice-expert", "medium-expert")
    assert design(KRUSKAL).pairs == ()


def test_other_groups_keep_the_months_of_their_name() -> None:
    same = paper().with_groups([(None, 4), (None, 5), (None, 6)])
    assert [(group.name, group.people) for group in same.groups] == [("novice", 4), ("medium", 5), ("expert", 6)]
    assert same.groups[2].months == paper().groups[2].months
    assert paper().with_groups([("expert", 9), ("other", 3)]).groups == (
        Group("expert", 9, paper().groups[2].months),
        Group("other", 3),
    )
    assert paper().with_groups([(None, 9), (None, 3)]).names == ("group1", "group2")


@pytest.mark.parametrize(("mean", "sd"), [(55.9, 26.3), (90, 3), (10, 0.5), (10, 12), (50, 45)])
def test_accuracies_have_the_mean_and_the_standard_deviation(mean: float, sd: float) -> None:
    normal = stats.norm.isf((np.arange(200_000) + 0.5) / 200_000)
    accuracies = at_normal(beta_quantiles(mean, sd), normal)
    assert (np.mean(accuracies), np.std(accuracies)) == pytest.approx((mean, sd), rel=1e-4)
    assert (np.min(accuracies) >= 0, np.max(accuracies) <= 100) == (True, True)


@pytest.mark.parametrize(
    ("test", "changed", "why"),
    [
        ("spearman", {"alpha": 0.0}, "Alpha is above 0 and below 1"),
        ("spearman", {"studies": 10}, "Simulate 100 to 1,000,000 studies"),
        ("spearman", {"seed": -1}, "The seed is 0 or a larger whole number."),
        ("spearman", {"people": (2, 31)}, "The number of people is from 3 to 10,000."),
        ("spearman", {"most": 2}, "The largest number of people to look at is from 3"),
        ("spearman", {"effects": ()}, "Give one to 4 effects."),
        ("spearman", {"effects": (Correlated(1.2),)}, "A correlation is from −1 to 1"),
        ("spearman", {"effects": (Different((50.0,) * 3, (20.0,) * 3),)}, "takes --rho"),
        ("spearman", {"outcome": "all!"}, "does not compare pairs"),
        ("mann-whitney", {"outcome": "novice-guru"}, "There is no pair “novice-guru”. There are: any, all, novice-med"),
        ("mann-whitney", {"effects": (Different((50.0,) * 2, (20.0,) * 2),)}, "each of the 3 groups (novice, medium"),
        ("levene", {"effects": (Different((50.0,) * 3, (20.0, 20.0, 50.0)),)}, "below 50.0."),
        ("levene", {"effects": (Different((0.0,) * 3, (20.0,) * 3),)}, "above 0 and below 100 %"),
    ],
)
def test_what_cannot_be_planned_is_said(test: str, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(NotPlannable) as refused:
        design(RegisteredTest(test), **changed).checked()
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("test", "groups", "why"),
    [
        ("kruskal-wallis", [("one", 5)], "two groups at least"),
        ("kruskal-wallis", [("one", 5), ("one", 5)], "same name"),
        ("kruskal-wallis", [("one", 5), ("two", 0)], "one person or more"),
        ("spearman", [("one", 5), ("two", 5)], "these groups have none. Leave the groups out"),
        ("spearman", [("novice", 5), ("two", 5)], "they are known of novice only"),
    ],
)
def test_groups_that_cannot_be_planned_are_said(test: str, groups: list[tuple[str | None, int]], why: str) -> None:
    with pytest.raises(NotPlannable) as refused:
        design(RegisteredTest(test), recruits=paper().with_groups(groups)).checked()
    assert why in str(refused.value)


def test_an_effect_says_what_it_is() -> None:
    assert Correlated(0.3, "half of it").label == "ρ = 0.3 (half of it)"
    assert Different((40.0, 55.5), (30.0, 20.0)).label == "40 ± 30, 55.5 ± 20"
    assert replace(Correlated(0.3), rho=0.0).is_none
    assert Different((40.0, 40.0), (9.0, 9.0)).is_none
    assert not Different((40.0, 40.0), (9.0, 8.0)).is_none
