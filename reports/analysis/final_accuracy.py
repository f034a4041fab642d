"""The paper's section 3.1: figure 4 (accuracy against experience), figure 5 (boxes), table 2 (Levene)."""

from collections.abc import Mapping

import numpy as np

from reports.data.population import Population, final, is_pending
from reports.results.arms import Comparison
from reports.results.measures import Correlation, NotComputable, Reading
from reports.results.paper import Box, FinalAccuracies, PersonPoint
from reports.statistics import inference, resampling
from reports.statistics.arrays import TOLERANCE, Floats
from storage.study_rules import GROUPS

DEFINITION = (
    "An evaluation that diverged or failed counts as 0 %, so that nobody is left out: the paper shows all 31 people."
)
OTHERWISE = "Evaluations that diverged or failed are left out, and so is a person who has no other evaluation."


def readings(population: Population, name: str) -> Reading[FinalAccuracies]:
    """Final accuracies in both readings of what an evaluation without an accuracy counts as."""
    both = [[final(row, lost_count=lost_count) for row in population.rows] for lost_count in (True, False)]
    counted = _final_accuracies(population, points(population, lost_count=True), name)
    same = both[0] == both[1]
    left_out = counted if same else _final_accuracies(population, points(population, lost_count=False), name)
    return Reading(counted, left_out, DEFINITION, OTHERWISE)


def points(population: Population, *, lost_count: bool) -> tuple[PersonPoint, ...]:
    """Everybody with a final accuracy."""
    found = ((row, final(row, lost_count=lost_count)) for row in population.rows)
    return tuple(
        PersonPoint(row.code, row.group or row.kind, row.months, each.accuracy, each.sd, each.evaluations)
        for row, each in found
        if each is not None
    )


def accuracies(population: Population) -> Floats:
    """Everybody's final accuracy, by the default reading; NaN where there is none."""
    found = [final(row, lost_count=True) for row in population.rows]
    return np.array([np.nan if each is None else each.accuracy for each in found], dtype=np.float64)


def _final_accuracies(population: Population, known: tuple[PersonPoint, ...], name: str) -> FinalAccuracies:
    values = np.array([each.accuracy for each in known], dtype=np.float64)
    groups = np.array([each.group for each in known], dtype=np.str_)
    samples = {group: values[groups == group] if len(known) else values for group in GROUPS}
    pending = sum(is_pending(row) for row in population.rows)
    spread = inference.spread(values)
    nobody = NotComputable("Nobody's final choice has been evaluated yet.")
    compared = comparison(samples, name)
    return FinalAccuracies(
        points=known,
        pending=pending,
        left_out=len(population) - pending - len(known),
        spread=nobody if isinstance(spread, NotComputable) else spread,
        mean=resampling.mean(values, f"{name}/final/mean") if len(known) else nobody,
        experience=experience(known, name),
        boxes=compared.boxes,
        levene=compared.levene,
        differences=compared.differences,
        kruskal=compared.kruskal,
    )


def comparison(samples: Mapping[str, Floats], name: str, *, of: str = "group") -> Comparison:
    """Compare samples of final accuracies.

    Args:
        samples: By the name of a group or an arm.
        name: What the resampling follows from.
        of: What a sample is: ``group`` or ``arm``.
    """
    return Comparison(
        boxes=boxes(samples, f"{name}/final", of=of),
        levene=Reading(
            inference.levene(samples, median=False, name=f"{name}/levene/mean"),
            inference.levene(samples, median=True, name=f"{name}/levene/median"),
            f"Deviations from the {of}'s mean: Levene's own test, which the paper cites.",
            f"Deviations from the {of}'s median (Brown and Forsythe): holds better when accuracies are skewed.",
        ),
        differences=inference.differences(samples, name=f"{name}/mann-whitney"),
        kruskal=inference.kruskal(samples, name=f"{name}/kruskal"),
    )


def experience(known: tuple[PersonPoint, ...], name: str) -> Correlation | NotComputable:
    """Figure 4's correlation of months with final accuracy: the study's primary test."""
    months = np.array([each.months for each in known], dtype=np.float64)
    values = np.array([each.accuracy for each in known], dtype=np.float64)
    of = ("months of experience", "final accuracies")
    return inference.spearman(months, values, name=f"{name}/final/rho", of=of)


def boxes(samples: Mapping[str, Floats], name: str, *, of: str = "group") -> Mapping[str, Box | NotComputable]:
    """Every group's box, or every arm's."""
    return {group: box(group, values, f"{name}/{group}", of=of) for group, values in samples.items()}


def box(group: str, values: Floats, name: str, *, of: str = "group") -> Box | NotComputable:
    """The numbers of one box: quartiles by linear interpolation, whiskers by Tukey's rule."""
    if not len(values):
        return NotComputable(f"Nobody in the {of} {group} has a final accuracy yet.")
    ordered = np.sort(values)
    q1, median, q3 = (float(each) for each in np.quantile(ordered, [0.25, 0.5, 0.75]))
    reach = 1.5 * (q3 - q1)
    within = ordered[(ordered >= q1 - reach - TOLERANCE) & (ordered <= q3 + reach + TOLERANCE)]
    return Box(
        group=group,
        n=len(values),
        mean=float(np.mean(values)),
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else NotComputable("One person has no standard deviation."),
        median=median,
        q1=q1,
        q3=q3,
        whisker_low=float(within[0]),
        whisker_high=float(within[-1]),
        outliers=tuple(float(each) for each in ordered if not within[0] <= each <= within[-1]),
        values=tuple(float(each) for each in ordered),
        mean_estimate=resampling.mean(values, f"{name}/mean"),
        median_estimate=resampling.median(values, f"{name}/median"),
    )
