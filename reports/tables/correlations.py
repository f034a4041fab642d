"""Tables of how accuracy and other measures go with months of experience: rank correlations, regressions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.results.further import Coefficient, Regression, Regressions
from reports.results.measures import Correlation, Estimate, NotComputable
from reports.results.study_results import TaskResults
from reports.statistics.inference import holm
from reports.tables.columns import FROM, TO, Column, Entry, Heading, Layout, high, low


class Corrected(NamedTuple):
    """A correlation, with its p-value after Holm's correction; ``None`` for what is another reading of one of them."""

    found: Correlation
    p_holm: float | None


CORRELATIONS = Layout[Corrected](
    labels=(Heading("of", "months and …"),),
    columns=(
        Column("n", "n", lambda each: each.found.n),
        Column("rho", "ρ", lambda each: each.found.rho.value, 2),
        Column("low", FROM, lambda each: low(each.found.rho), 2),
        Column("high", TO, lambda each: high(each.found.rho), 2),
        Column("p", "p", lambda each: each.found.p, 3, is_p=True),
        Column("p_permutation", "p, permutation", lambda each: each.found.p_permutation, 3, is_p=True),
        Column("p_holm", "p, Holm", lambda each: each.p_holm, 3, is_p=True),
    ),
)

_OTHER = "final accuracy, other reading"


def correlations(task: TaskResults) -> Iterator[Entry[Corrected]]:
    """All rank correlations of a task, with Holm's correction over all of them."""
    return corrected(dict(_correlations(task)))


def corrected(found: Mapping[str, Correlation | NotComputable]) -> Iterator[Entry[Corrected]]:
    """These correlations, with Holm's correction over all of them but another reading."""
    tested = {of: each.p for of, each in found.items() if isinstance(each, Correlation) and of != _OTHER}
    p_holm = dict(zip(tested, holm(list(tested.values())), strict=True))
    for of, each in found.items():
        yield Entry((of,), Corrected(each, p_holm.get(of)) if isinstance(each, Correlation) else each)


def _correlations(task: TaskResults) -> Iterator[tuple[str, Correlation | NotComputable]]:
    final = task.final
    yield "final accuracy", final.default.experience
    if final.default.experience != final.alternative.experience:
        yield _OTHER, final.alternative.experience
    for threshold in task.thresholds.default:
        yield f"tries to reach {threshold.accuracy:g} %", threshold.correlation
    yield "share of guesses among comments", task.comments.guessing
    yield "distance of steps", task.search.experience_distance
    yield "values changed per step", task.search.experience_changed


@dataclass(frozen=True)
class Term:
    """A row of a regression: a coefficient, or what follows from one.

    Attributes:
        coefficient: None for what follows from one.
    """

    covariate: str
    estimate: Estimate
    coefficient: Coefficient | None
    regression: Regression


REGRESSIONS = Layout[Term](
    labels=(Heading("model", "model"),),
    columns=(
        Column("covariate", "covariate", lambda term: term.covariate),
        Column("coefficient", "coefficient", lambda term: term.estimate.value, 2),
        Column("error", "error", lambda term: term.coefficient.error if term.coefficient else None, 2),
        Column("t", "t", lambda term: term.coefficient.t if term.coefficient else None, 2),
        Column("p", "p", lambda term: term.coefficient.p if term.coefficient else None, 3, is_p=True),
        Column("low", FROM, lambda term: low(term.estimate), 2),
        Column("high", TO, lambda term: high(term.estimate), 2),
        Column("n", "n", lambda term: term.regression.n),
        Column("r_squared", "R²", lambda term: term.regression.r_squared if term.coefficient else None, 2),
        Column(
            "r_squared_adjusted",
            "adjusted",
            lambda term: term.regression.r_squared_adjusted if term.coefficient else None,
            2,
        ),
    ),
)

HC3 = (
    "Least squares with standard errors that allow for unequal variances (HC3). Coefficients are percentage points per "
    "unit; of log(1 + months), per unit of the natural logarithm."
)


def regressions(found: Regressions) -> Iterator[Entry[Term]]:
    """Both regressions, a row for each coefficient and for each covariate that could not be used."""
    for model, regression in (("experience alone", found.experience), ("with covariates", found.adjusted)):
        if isinstance(regression, NotComputable):
            yield Entry((model,), regression)
            continue
        for each in regression.coefficients:
            yield Entry((model,), Term(each.name, Estimate(each.value, each.interval, regression.n), each, regression))
        yield Entry((model,), Term("per doubling of 1 + months", regression.per_doubling, None, regression))
        yield from (Entry((model,), NotComputable(why)) for why in regression.left_out)
