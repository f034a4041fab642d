"""Figures 8 and 9, and how people search: how they begin, why they choose, how far each try moves."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.figures import panels, style
from reports.figures.colours import GREY, INK, PAPER
from reports.figures.plate import Plate
from reports.results.further import GroupSearch, SearchBehaviour
from reports.results.measures import Correlation, Curve, NotComputable
from reports.results.paper import Comments, DefaultStart, GroupComments, GroupStart
from reports.wording import called, correlation, counted, estimate, listed, number, people, percent, whole
from training.hyperparameters import HYPERPARAMETERS

COMMENT_KINDS: Mapping[str, tuple[str, str, str]] = {
    "guess": ("guess", "#77aadd", ""),
    "default": ("default", "#eedd88", "////"),
    "past": ("past experience", "#ffaabb", ""),
    "learned": ("learnt", "#bbcc33", "\\\\\\\\"),
    "other": ("other", "#dddddd", ""),
}
"""Labels, colours of Paul Tol's light scheme (https://personal.sron.nl/~pault/), and hatches."""

_NO_STEPS = "Nobody has tried anything after a complete trial yet."

STEP_KINDS: Mapping[str, tuple[str, str, str]] = {
    "same": ("nothing changed", "#dddddd", ""),
    "exploitation": ("exploitation", "#77aadd", ""),
    "exploration": ("exploration", "#eedd88", "////"),
}


# --- figure 8 ---------------------------------------------------------------------------------------------------------


def default_start(found: DefaultStart) -> Plate:
    """Figure 8: people who left all optional hyperparameters at their defaults in their first configuration."""
    name, title = "figure-8", "Starting with all optional hyperparameters at their defaults"
    known = {group: start for group, start in found.groups.items() if isinstance(start, GroupStart)}
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found.groups, "Nobody has finished yet."))
    shares = listed(f"{start.defaults} of {start.defaults + start.others} {group}" for group, start in known.items())
    starters = sum(len(start.accuracies) for start in known.values())
    above = sum(start.above for start in known.values())
    above_told = (
        f"{above} of {starters} with a known final accuracy ended above {whole(found.above)} %."
        if starters
        else "No final accuracy of these people is known yet."
    )
    caption = f"People whose first try had every optional hyperparameter at its default: {shares}. {above_told}"
    alt = f"Bars: {shares} began with defaults."
    return Plate(name, title, caption, alt, partial(_draw_starts, found), height=2.2)


def _draw_starts(found: DefaultStart, figure: Figure) -> None:
    axes = style.axes_of(figure)
    names = []
    for position, (group, start) in enumerate(found.groups.items()):
        names.append(group)
        if not isinstance(start, GroupStart):
            axes.text(
                position,
                0.02,
                "nobody",
                transform=axes.get_xaxis_transform(),
                ha="center",
                color=INK,
                fontsize=style.SMALL,
            )
            continue
        look = style.look(group)
        for offset, count, filled in ((-0.2, start.defaults, True), (0.2, start.others, False)):
            axes.bar(
                position + offset,
                count,
                0.36,
                facecolor=look.colour if filled else PAPER,
                edgecolor=look.colour,
                hatch="" if filled else "////",
                linewidth=1.0,
                zorder=2,
            )
            axes.annotate(
                number(count, 0),
                (position + offset, count),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=style.SMALL,
                color=INK,
            )
    style.named_places(axes, "x", names)
    axes.set_ylim(bottom=0)
    axes.margins(y=0.14)
    style.whole_numbers(axes, "y")
    style.name_axes(axes, "", "people")
    handles = [
        Patch(facecolor=GREY, edgecolor=GREY, label="all at default"),
        Patch(facecolor=PAPER, edgecolor=GREY, hatch="////", label="something changed"),
    ]
    style.legend(figure, handles, handle=1.3)


# --- figure 9 ---------------------------------------------------------------------------------------------------------


def comments(
    found: Mapping[str, GroupComments | NotComputable], about: Comments, definition: str, name: str = "figure-9"
) -> Plate:
    """Figure 9: the comments of each group on its choices."""
    title = "Comments per group"
    known = {group: each for group, each in found.items() if isinstance(each, GroupComments)}
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found, "Nobody has left a comment."))
    counts = listed(
        f"{number(sum(each.counts.values()), 0)} from {people(each.people)} ({group})" for group, each in known.items()
    )
    guesses = listed(f"{group} {percent(each.shares.get('guess', 0.0))}" for group, each in known.items())
    rho = (
        f"Share of guesses against months: {correlation(about.guessing)}."
        if isinstance(about.guessing, Correlation)
        else f"No correlation with months: {about.guessing.why}"
    )
    caption = (
        f"Shares of the predefined comments (table 3), in percent: {counts}. Guesses: {guesses}. {rho} {definition}"
    )
    alt = f"Stacked bars of comments per group. Guesses: {guesses}."
    rows = {group: each.shares if isinstance(each, GroupComments) else {} for group, each in found.items()}
    names = [f"{group}\n{_speakers(each)}" for group, each in found.items()]
    draw = partial(_draw_shares, rows, names, COMMENT_KINDS, "share of comments (%)", 3)
    return Plate(name, title, caption, alt, draw, height=2.25)


def _speakers(each: GroupComments | NotComputable) -> str:
    return people(each.people) if isinstance(each, GroupComments) else "none"


def _draw_shares(
    rows: Mapping[str, Mapping[str, float]],
    names: list[str],
    kinds: Mapping[str, tuple[str, str, str]],
    x: str,
    columns: int,
    figure: Figure,
) -> None:
    panels.draw_shares(figure, rows, row_names=names, kinds=kinds, columns=columns)
    style.name_axes(figure.axes[0], x)


# --- search -----------------------------------------------------------------------------------------------------------


def steps(found: Mapping[str, GroupSearch | NotComputable], definition: str, name: str = "search-steps") -> Plate:
    """Exploration against exploitation."""
    title = "Exploration and exploitation"
    known = {group: each for group, each in found.items() if isinstance(each, GroupSearch)}
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found, _NO_STEPS))
    explored = listed(f"{called(group)} {percent(each.exploration)}" for group, each in known.items())
    changed = listed(f"{called(group)} {estimate(each.changed, 1)}" for group, each in known.items())
    caption = (
        f"What steps (tries after the first complete one) do, in percent. Exploration: {explored}. "
        f"Values changed per step: {changed}. {definition}"
    )
    rows = {group: _step_shares(each) for group, each in found.items()}
    names = [f"{called(group)}\n{_steppers(each)}" for group, each in found.items()]
    draw = partial(_draw_shares, rows, names, STEP_KINDS, "share of steps (%)", 3)
    return Plate(
        name, title, caption, f"Stacked bars of steps. Exploration: {explored}.", draw, height=_rows(len(rows))
    )


def _step_shares(each: GroupSearch | NotComputable) -> Mapping[str, float]:
    if isinstance(each, NotComputable):
        return {}
    return {"same": each.same, "exploitation": each.exploitation, "exploration": each.exploration}


def _steppers(each: GroupSearch | NotComputable) -> str:
    return counted(each.steps, "step") if isinstance(each, GroupSearch) else "none"


def _rows(count: int) -> float:
    return 0.85 + 0.45 * count


def distance(found: SearchBehaviour) -> Plate:
    """How far each try is from the best so far."""
    name, title = "search-distance", "How far each try moves from the best so far"
    known = panels.known_of(found.distance_by_try)
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found.distance_by_try, _NO_STEPS))
    rho = (
        f"Months against a person’s mean distance: {correlation(found.experience_distance)}."
        if isinstance(found.experience_distance, Correlation)
        else ""
    )
    random = (
        f"Two random settings are {number(found.random_distance, 2)} apart (the line). "
        if isinstance(found.random_distance, float)
        else ""
    )
    caption = (
        "Mean distance of the k-th try from the best one before it, from 0 (the same configuration) to 1; "
        f"the band is one standard error. {panels.THIN} {random}{rho}"
    )
    ends = listed(f"{called(group)} {number(curve.mean[0], 2)}" for group, curve in known.items())
    alt = f"Curves of distance against tries; they begin at: {ends}."
    return Plate(name, title, caption, alt, partial(_draw_distance, known, found.random_distance))


def _draw_distance(curves: Mapping[str, Curve], random: float | NotComputable, figure: Figure) -> None:
    axes = style.axes_of(figure)
    panels.draw_curves(axes, curves)
    highest = max(
        mean + (error or 0) for curve in curves.values() for mean, error in zip(curve.mean, curve.error, strict=True)
    )
    names = list(curves)
    if isinstance(random, float):
        look = style.look("random")
        axes.axhline(random, color=look.colour, linestyle=look.dashes, linewidth=look.width)
        highest = max(highest, random)
        names.append("random")
    axes.set_ylim(0, min(1.02, highest * 1.1 + 0.02))
    style.plain_numbers(axes, "y")
    style.whole_numbers(axes, "x")
    style.name_axes(axes, "tries", "distance from the best")
    style.legend(figure, panels.line_handles(names), handle=2.6, columns=3)


def changed_values(found: SearchBehaviour) -> Plate:
    """Which hyperparameters steps change."""
    name, title = "search-values", "Which values a step changes"
    if not found.changed_values:
        why = panels.first_reason(found.groups.default, _NO_STEPS)
        return Plate(name, title, "", "", why)
    labels = {each.name: each.label for each in HYPERPARAMETERS}
    most = {group: max(shares, key=lambda each: shares[each]) for group, shares in found.changed_values.items()}
    told = listed(
        f"{called(group)} {labels.get(each, each).lower()} ({percent(found.changed_values[group][each])})"
        for group, each in most.items()
    )
    caption = f"Share of steps that change each hyperparameter. Most often: {told}."
    return Plate(
        name, title, caption, f"Dot plot. Most often changed: {told}.", partial(_draw_values, found, labels), height=3.5
    )


def _draw_values(found: SearchBehaviour, labels: Mapping[str, str], figure: Figure) -> None:
    axes = style.axes_of(figure, grid="both")
    rows = list(next(iter(found.changed_values.values())))
    style.named_places(axes, "y", [labels.get(each, each) for each in rows])
    axes.yaxis.grid(visible=True)
    count = len(found.changed_values)
    for position, (group, shares) in enumerate(found.changed_values.items()):
        look = style.look(group)
        offsets = np.arange(len(rows)) + 0.16 * (position - (count - 1) / 2)
        axes.plot(
            [100 * shares.get(each, 0.0) for each in rows],
            offsets,
            look.marker,
            color=look.colour,
            markersize=4.2,
            markeredgecolor=PAPER,
            markeredgewidth=0.4,
        )
    axes.set_xlim(left=0)
    style.plain_numbers(axes, "x")
    style.name_axes(axes, "share of steps (%)")
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=5, label=called(group))
        for group in found.changed_values
        for look in (style.look(group),)
    ]
    style.legend(figure, handles, handle=1.0, columns=4)
