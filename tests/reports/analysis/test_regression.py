"""Least squares against certified values and statsmodels, and what becomes of covariates that cannot be used."""

import numpy as np
import pytest

from reports.analysis.regression import EXPERIENCE, regressions
from reports.data.population import Population
from reports.results.further import Regression
from reports.results.measures import NotComputable
from reports.statistics.least_squares import Fit, least_squares
from storage.study_rules import Question
from tests.reports.by_hand import DIVERGED, Someone, people

# Longley (1967), certified by NIST's Statistical Reference Datasets.
LONGLEY = np.array(
    [
        (60323, 83.0, 234289, 2356, 1590, 107608, 1947),
        (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
        (60171, 88.2, 258054, 3682, 1616, 109773, 1949),
        (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
        (63221, 96.2, 328975, 2099, 3099, 112075, 1951),
        (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
        (64989, 99.0, 365385, 1870, 3547, 115094, 1953),
        (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
        (66019, 101.2, 397469, 2904, 3048, 117388, 1955),
        (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
        (68169, 108.4, 442769, 2936, 2798, 120445, 1957),
        (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
        (68655, 112.6, 482704, 3813, 2552, 123366, 1959),
        (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
        (69331, 115.7, 518173, 4806, 2572, 127852, 1961),
        (70551, 116.9, 554894, 4007, 2827, 130081, 1962),
    ]
)
CERTIFIED = (-3482258.63459582, 15.0618722713733, -0.358191792925910e-01, -2.02022980381683)
CERTIFIED += (-1.03322686717359, -0.511041056535807e-01, 1829.15146461355)

# Brownlee's stack loss data; HC3 standard errors by statsmodels 0.15.0.
STACK_LOSS = np.array([42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14, 13, 11, 12, 8, 7, 8, 8, 9, 15, 15], dtype=np.float64)
AIR = np.array([80, 80, 75, 62, 62, 62, 62, 62, 58, 58, 58, 58, 58, 58, 50, 50, 50, 50, 50, 56, 70])
WATER = np.array([27, 27, 25, 24, 22, 23, 24, 24, 23, 18, 18, 17, 18, 19, 18, 18, 19, 19, 20, 20, 20])
ACID = np.array([89, 88, 90, 87, 87, 87, 93, 93, 87, 80, 89, 88, 82, 93, 89, 86, 72, 79, 80, 82, 91])

QUESTIONS = (
    Question("years", "Years of programming", "number"),
    Question("skill", "Skill", "choice", ("1 – low", "2", "3 – high")),
    Question("field", "Field", "choice", ("physics", "biology", "arts")),
)


def fitted(design: np.ndarray, y: np.ndarray) -> Fit:
    fit = least_squares(design, y)
    assert isinstance(fit, Fit)
    return fit


def test_the_coefficients_of_longley_are_the_certified_ones() -> None:
    design = np.column_stack([np.ones(16), LONGLEY[:, 1:]])
    fit = fitted(design, LONGLEY[:, 0])
    assert fit.coefficients == pytest.approx(CERTIFIED, rel=1e-7)
    assert fit.r_squared == pytest.approx(0.995479004577296, abs=1e-9)
    assert fit.freedom == 9


def test_hc3_of_the_stack_loss_is_that_of_statsmodels() -> None:
    fit = fitted(np.column_stack([np.ones(21), AIR, WATER, ACID]), STACK_LOSS)
    assert fit.coefficients == pytest.approx((-39.91967442, 0.7156402, 1.29528612, -0.15212252))
    assert fit.errors == pytest.approx((9.00110511, 0.2134212, 0.5887538, 0.12058023))
    assert fit.r_squared_adjusted == pytest.approx(0.8983257699537434)


@pytest.mark.parametrize(
    ("design", "why"),
    [
        (np.ones((2, 2)), "Two people are too few for 2 coefficients."),
        (np.ones((9, 2)), "The covariates follow from one another."),
        (np.column_stack([np.ones(5), [0, 0, 0, 0, 1]]), "A covariate sets one person apart"),
    ],
)
def test_what_cannot_be_fitted_says_why(design: np.ndarray, why: str) -> None:
    found = least_squares(design, np.arange(float(len(design))))
    assert isinstance(found, NotComputable)
    assert found.why.startswith(why)


def someone(place: int, **options: object) -> Someone:
    months = float(place % 7) ** 2
    accuracy = 20 + 10 * np.log1p(months) + (place * 7 % 5)
    answers = {
        "years": place % 4,
        "skill": ("1 – low", "2", "3 – high")[place * 5 % 3],
        "field": ("physics", "biology")[place % 2],
    }
    return Someone(months, tries=[50.0] * (1 + place * 3 % 8), final=[float(accuracy)] * 2, answers=answers, **options)  # type: ignore[arg-type]


def population(count: int, **options: object) -> Population:
    return people(*(someone(place, **options) for place in range(count)))


def regression(found: Regression | NotComputable) -> Regression:
    assert isinstance(found, Regression)
    return found


def test_experience_is_found_with_and_without_covariates() -> None:
    found = regressions(population(40, education="master"), QUESTIONS)
    alone, adjusted = regression(found.experience), regression(found.adjusted)
    assert [each.name for each in alone.coefficients] == ["intercept", EXPERIENCE]
    assert alone.coefficients[1].value == pytest.approx(10, abs=0.6)
    assert alone.coefficients[1].p < 0.001
    assert alone.per_doubling.value == pytest.approx(10 * np.log(2), abs=0.4)
    names = [each.name for each in adjusted.coefficients]
    assert names == ["intercept", EXPERIENCE, "tries", "Years of programming", "Skill", "Field: physics"]
    assert adjusted.left_out == ("education (steps): the same for everybody.",)


def test_too_many_covariates_are_left_out_with_a_reason() -> None:
    found = regression(regressions(population(12), QUESTIONS).adjusted)
    assert len(found.coefficients) == 3
    assert "Years of programming: 12 people are too few for another covariate." in found.left_out


def test_who_gave_no_answer_is_left_out_of_the_adjusted_regression_alone() -> None:
    crowd = [someone(place) for place in range(40)]
    crowd[3].answers = {}
    found = regressions(people(*crowd), QUESTIONS)
    assert regression(found.experience).n == 40
    assert regression(found.adjusted).n == 39
    assert regression(found.adjusted).incomplete == 1


def test_a_question_that_few_answered_is_left_out() -> None:
    crowd = [someone(place) for place in range(40)]
    for each in crowd[:20]:
        each.answers = {"skill": "2"}
    found = regression(regressions(people(*crowd), QUESTIONS).adjusted)
    assert "Years of programming: fewer than three in four people answered." in found.left_out


@pytest.mark.parametrize(
    ("crowd", "why"),
    [
        ([], "No people have a final accuracy; a regression needs 5 at least."),
        ([Someone(1.0, final=[50.0])], "One person has a final accuracy"),
        ([Someone(float(months), final=[DIVERGED] * 2) for months in range(9)], "All final accuracies are the same"),
        ([Someone(3.0, final=[float(place)]) for place in range(9)], "Everybody has the same experience"),
        (
            [Someone(float(place == 8), final=[float(place)]) for place in range(9)],
            "All but one person have the same experience",
        ),
    ],
)
def test_a_study_that_tells_nothing_of_experience_says_why(crowd: list[Someone], why: str) -> None:
    found = regressions(people(*crowd), ()).experience
    assert isinstance(found, NotComputable)
    assert found.why.startswith(why)
