"""Figures 1, 3, 4 and 5: random settings, experience, and final accuracy."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from reports.figures import panels, style
from reports.figures.colours import GREY, INK, PAPER
from reports.figures.plate import Plate
from reports.results.measures import Interval, NotComputable
from reports.results.paper import Box, Experience, FinalAccuracies, PersonPoint, RandomSettings
from reports.wording import capital, correlation, counted, estimate, interval, listed, number, people, spread, whole

Floats = NDArray[np.float64]

_MONTHS = (0, 1, 3, 6, 12, 24, 48, 96, 192, 384, 768, 1536)


# --- figure 1 ---------------------------------------------------------------------------------------------------------


def random_settings(found: RandomSettings | NotComputable, definition: str, name: str = "figure-1") -> Plate:
    """Figure 1: accuracies of settings drawn at random."""
    title = "Validation accuracy of random settings"
    if isinstance(found, NotComputable):
        return Plate(name, title, "", "", found)
    unfinished = f" {counted(found.unfinished, 'drawn setting')} not ended yet." if found.unfinished else ""
    caption = (
        f"{counted(found.spread.n, 'setting')} drawn at random: mean {spread(found.spread)} %"
        f"{_in_brackets(found.mean.interval, ' %')}. The line is the mean, the band one standard deviation. "
        f"{definition}{unfinished}"
    )
    alt = (
        f"Histogram of the validation accuracy of {counted(found.spread.n, 'setting')}, mean {spread(found.spread)} %."
    )
    return Plate(name, title, caption, alt, partial(_draw_random_settings, found), height=2.1)


def _draw_random_settings(found: RandomSettings, figure: Figure) -> None:
    axes = style.axes_of(figure)
    edges = np.array(found.histogram.edges)
    axes.bar(
        edges[:-1], found.histogram.counts, np.diff(edges), align="edge", color=GREY, edgecolor=PAPER, linewidth=0.8
    )
    mean, sd = found.spread.mean, found.spread.sd
    if not isinstance(sd, NotComputable):
        axes.axvspan(max(mean - sd, -2), min(mean + sd, 102), color=INK, alpha=0.08, linewidth=0, zorder=0)
    axes.axvline(mean, color=INK, linewidth=1.5)
    style.percent_axis(axes, "x")
    style.whole_numbers(axes, "y")
    style.name_axes(axes, "validation accuracy (%)", "settings")
    style.note(axes, f"mean {spread(found.spread)} %, n = {number(found.spread.n, 0)}")


# --- figure 3 ---------------------------------------------------------------------------------------------------------


def experience(found: Experience | NotComputable) -> Plate:
    """Figure 3: people's experience."""
    name, title = "figure-3", "Deep-learning experience"
    if isinstance(found, NotComputable):
        return Plate(name, title, "", "", found)
    groups = listed(f"{sum(counts)} {group}" for group, counts in found.by_group.items())
    caption = (
        f"Months of deep-learning experience of {people(len(found.months))}: {groups}. "
        f"{number(found.none, 0)} of them have none; the median is {whole(found.median)} months."
    )
    alt = f"Stacked histogram of months from {whole(found.months[0])} to {whole(found.months[-1])}: {groups}."
    return Plate(name, title, caption, alt, partial(_draw_experience, found), height=2.2)


def _draw_experience(found: Experience, figure: Figure) -> None:
    axes = style.axes_of(figure)
    edges = np.array(found.histogram.edges)
    below = np.zeros(len(found.histogram.counts))
    for group, counts in found.by_group.items():
        look = style.look(group)
        axes.bar(
            edges[:-1],
            counts,
            np.diff(edges),
            below,
            align="edge",
            color=look.colour,
            hatch=look.hatch,
            edgecolor=PAPER,
            linewidth=0.8,
        )
        below += counts
    style.whole_numbers(axes, "y")
    axes.xaxis.set_major_locator(FixedLocator(found.histogram.edges[:: max(1, len(edges) // 7)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))
    style.name_axes(axes, "deep-learning experience (months)", "people")
    style.legend(figure, panels.fill_handles(list(found.by_group)), handle=1.3)


# --- figure 4 ---------------------------------------------------------------------------------------------------------


def accuracy_against_experience(found: FinalAccuracies, definition: str, name: str = "figure-4") -> Plate:
    """Figure 4: everybody's final accuracy."""
    title = "Final accuracy against experience"
    known = [point for point in found.points if point.months is not None]
    if not known:
        return Plate(name, title, "", "", _why_no_points(found))
    rho = "" if isinstance(found.experience, NotComputable) else correlation(found.experience)
    told = f"Spearman’s {rho}." if rho else f"No correlation: {_why(found.experience)}"
    caption = (
        "Each point is a person: the mean test accuracy of the evaluations of their final choice; the bar is one "
        f"standard deviation between seeds. {told} Overall {_overall(found)}. {definition}{left_out(found)}"
    )
    alt = f"Scatter plot of {people(len(known))}: final accuracy against months of experience. {told}"
    return Plate(name, title, caption, alt, partial(_draw_points, known, rho), height=2.75)


def _draw_points(points: list[PersonPoint], rho: str, figure: Figure) -> None:
    axes = style.axes_of(figure)
    few = len(points) <= 150
    groups = list(dict.fromkeys(("novice", "medium", "expert", *(point.group for point in points))))
    for group in groups:
        look = style.look(group)
        of_group = [point for point in points if point.group == group]
        months = [point.months or 0.0 for point in of_group]
        accuracies = [point.accuracy for point in of_group]
        flat = len(points) > panels.MOST_VECTORS
        if few:
            spreads = [point.sd or 0.0 for point in of_group]
            axes.errorbar(months, accuracies, spreads, fmt="none", ecolor=look.colour, elinewidth=0.9, alpha=0.7)
        axes.plot(
            months,
            accuracies,
            look.marker,
            color=look.colour,
            markersize=5.0 if few else 2.8,
            alpha=0.9 if few else 0.45,
            markeredgecolor=PAPER,
            markeredgewidth=0.6 if few else 0,
            rasterized=flat,
            clip_on=False,
            zorder=3,
        )
    most = max(point.months or 0 for point in points)
    axes.set_xscale("function", functions=(_log, _back))
    axes.set_xlim(-0.25, max(most, 1) * 1.12 + 0.3)
    axes.xaxis.set_major_locator(FixedLocator([each for each in _MONTHS if each <= max(most, 1)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))
    style.percent_axis(axes)
    style.name_axes(axes, "deep-learning experience (months)", "final test accuracy (%)")
    if rho:
        style.note(axes, f"{rho}, n = {number(len(points), 0)}")
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=5, label=group)
        for group in groups
        for look in (style.look(group),)
    ]
    style.legend(figure, handles, handle=1.0)


def _log(months: Floats) -> Floats:
    return np.asarray(np.log1p(np.maximum(months, -0.9)))


def _back(places: Floats) -> Floats:
    return np.asarray(np.expm1(places))


# --- figure 5 ---------------------------------------------------------------------------------------------------------


def accuracy_by_group(found: FinalAccuracies, definition: str, name: str = "figure-5") -> Plate:
    """Figure 5: boxes."""
    title = "Final accuracy per group"
    known = {group: box for group, box in found.boxes.items() if isinstance(box, Box)}
    if not known:
        return Plate(name, title, "", "", _why_no_points(found))
    means = "; ".join(f"{group} {estimate(box.mean_estimate, 1, ' %')}" for group, box in known.items())
    caption = f"{HOW_TO_READ_A_BOX} Means: {means}.{_missing(found.boxes)} {definition}{left_out(found)}"
    medians = listed(f"{group} {number(box.median)} %" for group, box in known.items())
    alt = f"Box plots of final test accuracy; medians: {medians}."
    draw = partial(draw_boxes, found.boxes, "final test accuracy (%)", percent=True)
    return Plate(name, title, caption, alt, draw)


HOW_TO_READ_A_BOX = (
    "A box reaches from the first to the third quartile, a whisker to the outermost value within 1.5 box lengths. "
    "The diamond is the mean with its 95 % confidence interval; each point is a person."
)


def draw_boxes(
    boxes: Mapping[str, Box | NotComputable],
    y: str,
    figure: Figure,
    *,
    percent: bool,
    looks: Mapping[str, style.Look] | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """A box for each group; a group without a box has an empty place.

    Args:
        boxes: By group.
        y: What the vertical axis shows.
        figure: Where they are drawn.
        percent: Whether the axis goes from 0 to 100.
        looks, names: How boxes look and what stands below them, where that is not their group's.
    """
    axes = style.axes_of(figure)
    named, looking = names or {}, looks or {}
    below = [f"{named.get(group, group)}\nn = {box.n if isinstance(box, Box) else 0}" for group, box in boxes.items()]
    style.named_places(axes, "x", below)
    for position, (group, box) in enumerate(boxes.items()):
        if isinstance(box, Box):
            panels.draw_box(axes, position, box, looking.get(group))
        else:
            axes.text(
                position,
                0.5,
                "nobody",
                transform=axes.get_xaxis_transform(),
                ha="center",
                color=INK,
                fontsize=style.SMALL,
            )
    if percent:
        style.percent_axis(axes)
    else:
        axes.axhline(0, color=INK, linewidth=0.8)
        style.plain_numbers(axes, "y")
    style.name_axes(axes, "", y)


# --- words ------------------------------------------------------------------------------------------------------------


def left_out(found: FinalAccuracies) -> str:
    """A sentence on the people who are missing from a figure."""
    said = []
    if found.pending:
        said.append(f"{capital(people(found.pending))} left out because some of their evaluations have not ended.")
    if found.left_out:
        said.append(f"{capital(people(found.left_out))} without any accuracy left out.")
    return "".join(f" {each}" for each in said)


def _why_no_points(found: FinalAccuracies) -> NotComputable:
    if isinstance(found.spread, NotComputable):
        return found.spread
    if found.points and isinstance(found.experience, NotComputable):
        return found.experience
    return NotComputable("Nobody has a final accuracy yet.")


def _overall(found: FinalAccuracies) -> str:
    if isinstance(found.spread, NotComputable):
        return "unknown"
    bounds = "" if isinstance(found.mean, NotComputable) else _in_brackets(found.mean.interval, " %")
    return f"{spread(found.spread)} %{bounds}"


def _in_brackets(bounds: Interval | NotComputable, unit: str) -> str:
    told = interval(bounds, 1, unit)
    return f" ({told})" if told else ""


def _why(found: object) -> str:
    return found.why if isinstance(found, NotComputable) else ""


def _missing(boxes: Mapping[str, Box | NotComputable]) -> str:
    return "".join(f" {box.why}" for box in boxes.values() if isinstance(box, NotComputable))
