"""Regressions of final accuracy on experience, and on tries, background and task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from reports.analysis import final_accuracy
from reports.data.population import Population
from reports.results.further import Coefficient, Regression, Regressions
from reports.results.measures import Estimate, Interval, NotComputable
from reports.statistics.arrays import Floats
from reports.statistics.inference import same
from reports.statistics.least_squares import least_squares
from reports.statistics.resampling import LEVEL
from reports.wording import in_words
from storage.schema.states import Background
from storage.study_rules import Question

EXPERIENCE = "log(1 + months)"
INTERCEPT = "intercept"

EDUCATION = ("high_school", "bachelor", "master_enrolled", "master", "doctorate")
"""The levels that the background form offers, in their order: a step counts 1."""

PEOPLE_PER_COVARIATE = 5
"""With fewer people per covariate, a regression fits these people and predicts nobody else."""

EDUCATION_IN_BANDS = ("before_master", "master_or_more")
"""The levels in data that have education in bands."""

_LEFT_OUT = "left out of these data, so that people cannot be recognised by it."

_FEWEST = 5
_ANSWERED = 0.75
_RARE = 2


@dataclass(frozen=True)
class _Covariate:
    """A column of the design; NaN where a person gave no answer."""

    name: str
    values: Floats


def regressions(
    population: Population,
    questions: Sequence[Question],
    tasks: Sequence[str] = (),
    background: Background = Background.FULL,
) -> Regressions:
    """Final accuracy on experience alone, and with tries, background and (of several) the task.

    Args:
        background: How much of what people told of themselves the data have.
        tasks: With several, each but the first gets a coefficient, in both regressions.
    """
    y = final_accuracy.accuracies(population)
    known = np.isfinite(y)
    rows = [row for row, is_known in zip(population.rows, known, strict=True) if is_known]
    y = y[known]
    months = _Covariate(EXPERIENCE, np.log1p(population.months[known]))
    of_tasks = [_Covariate(f"task: {task}", np.array([float(row.task == task) for row in rows])) for task in tasks[1:]]
    tries = _Covariate("tries", population.tries[known].astype(np.float64))
    education = _education([row.education for row in rows])
    asked = questions if background.has_answers else ()
    answers = [each for question in asked for each in _answers(question, [row.answers for row in rows])]
    missing = [f"{question.label}: {_LEFT_OUT}" for question in questions if question not in asked]
    adjusted = _regression(y, [months, *of_tasks, tries, *education, *answers])
    if isinstance(adjusted, Regression):
        adjusted = replace(adjusted, left_out=(*adjusted.left_out, *missing))
    return Regressions(experience=_regression(y, [months, *of_tasks]), adjusted=adjusted)


def _education(given: Sequence[str | None]) -> list[_Covariate]:
    if any(given) and all(each is None or each in EDUCATION_IN_BANDS for each in given):
        bands = [np.nan if each is None else float(EDUCATION_IN_BANDS.index(each)) for each in given]
        return [_Covariate("education (master or more)", np.array(bands, dtype=np.float64))]
    if all(each is None or each in EDUCATION for each in given):
        values = [np.nan if each is None else float(EDUCATION.index(each)) for each in given]
        return [_Covariate("education (steps)", np.array(values, dtype=np.float64))]
    return _indicators("education", given)


def _answers(question: Question, given: Sequence[Mapping[str, Any]]) -> list[_Covariate]:
    answers = [each.get(question.name) for each in given]
    if not question.is_scale:
        return _indicators(question.label, [None if each is None else str(each) for each in answers])
    numbers = [question.as_number(each) for each in answers]
    values = np.array([np.nan if each is None else each for each in numbers], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return [_Covariate(question.label, values)]


def _indicators(name: str, given: Sequence[str | None]) -> list[_Covariate]:
    """A 0/1 column for each answer but the most frequent; answers of very few people count as the most frequent."""
    answers = sorted({each for each in given if each is not None})
    counts = {each: given.count(each) for each in answers}
    usual = max(answers, key=lambda each: counts[each], default=None)
    return [
        _Covariate(
            f"{name}: {answer}",
            np.array([np.nan if each is None else float(each == answer) for each in given], dtype=np.float64),
        )
        for answer in answers
        if answer != usual and counts[answer] >= _RARE
    ]


def _regression(y: Floats, covariates: Sequence[_Covariate]) -> Regression | NotComputable:
    """With the first covariate, experience, in any case; the others as far as they can be used."""
    if len(y) < _FEWEST:
        who = "person has" if len(y) == 1 else "people have"
        return NotComputable(
            f"{in_words(len(y)).capitalize()} {who} a final accuracy; a regression needs {_FEWEST} at least."
        )
    if np.isnan(covariates[0].values).all():
        return NotComputable("There are no months of experience in these data, so there is no regression on them.")
    if same(y):
        return NotComputable("All final accuracies are the same, so there is nothing to explain.")
    if same(covariates[0].values):
        return NotComputable("Everybody has the same experience, so it explains nothing.")
    used, left_out = _usable(covariates, len(y))
    if not used or used[0] is not covariates[0]:
        return NotComputable("All but one person have the same experience, so its coefficient is not known.")
    complete = np.all([np.isfinite(each.values) for each in used], axis=0)
    design = np.column_stack([np.ones(np.count_nonzero(complete)), *(each.values[complete] for each in used)])
    fit = least_squares(design, y[complete])
    if isinstance(fit, NotComputable):
        return fit
    names = (INTERCEPT, *(each.name for each in used))
    coefficients = tuple(
        _coefficient(name, float(value), float(error), fit.freedom)
        for name, value, error in zip(names, fit.coefficients, fit.errors, strict=True)
    )
    experience = coefficients[1]
    doubling = np.log(2)
    interval = Interval(experience.interval.low * doubling, experience.interval.high * doubling, LEVEL, "t, HC3")
    count = int(np.count_nonzero(complete))
    return Regression(
        coefficients=coefficients,
        per_doubling=Estimate(float(experience.value * doubling), interval, count),
        r_squared=fit.r_squared,
        r_squared_adjusted=fit.r_squared_adjusted,
        n=count,
        left_out=left_out,
        incomplete=len(y) - count,
    )


def _usable(covariates: Sequence[_Covariate], people: int) -> tuple[list[_Covariate], tuple[str, ...]]:
    """The covariates that can be used, and a sentence for each other one."""
    most = max(1, people // PEOPLE_PER_COVARIATE)
    used: list[_Covariate] = []
    left_out: list[str] = []
    for each in covariates:
        answered = np.isfinite(each.values)
        if np.count_nonzero(answered) < _ANSWERED * people:
            left_out.append(f"{each.name}: fewer than three in four people answered.")
        elif same(each.values[answered]):
            left_out.append(f"{each.name}: the same for everybody.")
        elif len(used) == most:
            left_out.append(f"{each.name}: {people} people are too few for another covariate.")
        elif not _adds([*used, each]):
            left_out.append(f"{each.name}: follows from the others.")
        else:
            used.append(each)
    return used, tuple(left_out)


def _adds(covariates: Sequence[_Covariate]) -> bool:
    """Whether a fit is possible: the last covariate adds something, and enough people answered all of them."""
    complete = np.all([np.isfinite(each.values) for each in covariates], axis=0)
    design = np.column_stack([np.ones(len(complete)), *(each.values for each in covariates)])[complete]
    return not isinstance(least_squares(design, np.zeros(len(design))), NotComputable)


def _coefficient(name: str, value: float, error: float, freedom: int) -> Coefficient:
    reach = float(stats.t.isf((1 - LEVEL) / 2, freedom)) * error
    t = value / error if error > 0 else 0.0
    p = float(2 * stats.t.sf(abs(t), freedom)) if error > 0 else float(value == 0)
    return Coefficient(name, value, error, t, p, Interval(value - reach, value + reach, LEVEL, "t, HC3"))
