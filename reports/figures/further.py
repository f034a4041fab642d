"""The importance of hyperparameters, components of variance, the power of a follow-up, and all tasks together."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from reports.figures import panels, people, style
from reports.figures.colours import BLUE, GREY, INK, VERMILION
from reports.figures.plate import Plate
from reports.figures.power import PowerCurve, draw_power
from reports.results.further import Components, FollowUp, Importance, PowerLine
from reports.results.measures import Correlation, NotComputable
from reports.results.paper import Box
from reports.results.study_results import Pooled
from reports.wording import correlation, counted, estimate, listed, number, percent, whole
from reports.wording import people as people_of
from training.hyperparameters import HYPERPARAMETERS

POOLED = "pooled"

_LABELS = {each.name: each.label for each in HYPERPARAMETERS}


def importance(found: Importance | NotComputable, definition: str, name: str = "importance") -> Plate:
    """How much of the variance each hyperparameter accounts for."""
    title = "Importance of each hyperparameter"
    if isinstance(found, NotComputable):
        return Plate(name, title, "", "", found)
    first = listed(f"{_LABELS.get(each, each)} {percent(share)}" for each, share in list(found.shares.items())[:3])
    used = counted(found.n, "trial") + (f" (a random part of {number(found.of, 0)})" if found.n < found.of else "")
    caption = (
        "Share of the variance of validation accuracy that each hyperparameter accounts for (fANOVA; Hutter et al., "
        f"2014), from {used}; the line is one standard deviation between forests. Largest: {first}. {definition}"
    )
    return Plate(name, title, caption, f"Bars. Largest: {first}.", partial(_draw_importance, found), height=3.1)


def _draw_importance(found: Importance, figure: Figure) -> None:
    axes = style.axes_of(figure, grid="x")
    style.named_places(axes, "y", [_LABELS.get(each, each) for each in found.shares])
    places = np.arange(len(found.shares))
    axes.barh(
        places,
        [100 * share for share in found.shares.values()],
        height=0.62,
        color=BLUE,
        xerr=[100 * found.sd.get(each, 0.0) for each in found.shares],
        error_kw={"ecolor": INK, "elinewidth": 1.0},
    )
    axes.set_xlim(left=0)
    style.plain_numbers(axes, "x")
    style.name_axes(axes, "share of variance (%)")


def components(found: Components | NotComputable) -> Plate:
    """How much final accuracies differ between people, and how much between seeds."""
    name, title = "components", "Where final accuracies differ"
    if isinstance(found, NotComputable):
        return Plate(name, title, "", "", found)
    caption = (
        f"Standard deviations of the components of final accuracy, from {people_of(found.people)} and "
        f"{counted(found.seeds, 'seed')}: between people {number(found.sd_people)}, between seeds "
        f"{number(found.sd_seeds)}, the rest {number(found.sd_rest)} percentage points. Of the variance of a single "
        f"evaluation {estimate(found.icc, 2)} lies between people (ICC); of the mean of all seeds "
        f"{estimate(found.icc_mean, 2)}."
    )
    alt = (
        f"Bars: people {number(found.sd_people)}, seeds {number(found.sd_seeds)}, rest {number(found.sd_rest)} "
        "percentage points."
    )
    return Plate(name, title, caption, alt, partial(_draw_components, found), height=1.45)


def _draw_components(found: Components, figure: Figure) -> None:
    axes = style.axes_of(figure, grid="x")
    parts = {"people": found.sd_people, "seeds": found.sd_seeds, "the rest": found.sd_rest}
    style.named_places(axes, "y", list(parts))
    axes.barh(range(len(parts)), list(parts.values()), height=0.6, color=[BLUE, VERMILION, GREY])
    for position, value in enumerate(parts.values()):
        axes.annotate(
            number(value),
            (value, position),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            color=INK,
        )
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    style.plain_numbers(axes, "x")
    style.name_axes(axes, "standard deviation (percentage points)")


# --- follow-up --------------------------------------------------------------------------------------------------------


def follow_up(found: FollowUp | NotComputable) -> Plate:
    """Power against the number of people."""
    name, title = "follow-up", "How many people a follow-up needs"
    if isinstance(found, NotComputable):
        return Plate(name, title, "", "", found)
    if not any(line.at for line in found.lines):
        return Plate(name, title, "", "", NotComputable("The correlation here is 0, so there is nothing to find."))
    needed = "For " + "; for ".join(_needed(line, found.most) for line in found.lines)
    caption = (
        f"The chance to find the correlation (Spearman, two-sided, α = {whole(found.alpha)}), from "
        f"{number(found.studies, 0)} simulated studies at each number of people. {needed}."
    )
    return Plate(name, title, caption, f"Power curves. {needed}.", partial(_draw_follow_up, found))


def _needed(line: PowerLine, most: int) -> str:
    wanted = listed(
        f"{f'more than {number(most, 0)}' if count is None else number(count, 0)} ({percent(float(power))} power)"
        for power, count in line.needed.items()
    )
    return f"ρ = {number(line.rho, 2)} ({line.what}) {wanted} people"


def _draw_follow_up(found: FollowUp, figure: Figure) -> None:
    curves = [
        PowerCurve(f"ρ = {number(line.rho, 2)} ({line.what})", line.at, line.power) for line in found.lines if line.at
    ]
    wanted = {float(each) for line in found.lines for each in line.needed}
    draw_power(figure, curves, wanted, "people in the follow-up")


# --- several tasks ----------------------------------------------------------------------------------------------------


def pooled(found: Pooled) -> Plate:
    """Final accuracy of all tasks together, each minus the mean of its task."""
    name, title = POOLED, "All tasks together: final accuracy minus the task’s mean"
    known: Mapping[str, Box] = {group: box for group, box in found.boxes.items() if isinstance(box, Box)}
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found.boxes, "Nobody has a final accuracy yet."))
    rho = (
        f"Within tasks, months and final accuracy: {correlation(found.experience)}."
        if isinstance(found.experience, Correlation)
        else f"No correlation: {found.experience.why}"
    )
    means = listed(f"{group} {number(box.mean)}" for group, box in known.items())
    caption = (
        f"{people.HOW_TO_READ_A_BOX} Final accuracy minus the mean of the task’s people, in percentage points: "
        f"{means}; {people_of(found.n)}. {rho}"
    )
    alt = f"Box plots of deviations from the task’s mean; group means: {means} percentage points."
    draw = partial(people.draw_boxes, found.boxes, "minus the task’s mean (points)", percent=False)
    return Plate(name, title, caption, alt, draw)
