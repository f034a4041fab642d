"""Figures 6 and 7: how many tries it takes, and what each try brings."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import panels, style
from reports.figures.colours import INK
from reports.figures.plate import Plate
from reports.results.measures import Curve, NotComputable
from reports.results.paper import GroupTries, Threshold
from reports.wording import correlation, listed, number, whole

_HALF_WIDTH = 0.3
_LEFT, _RIGHT = -0.1, 0.34
"""Beside a group's place: the middle of the violin, and the mean."""


def tries_to_threshold(found: tuple[Threshold, ...], definition: str, name: str = "figure-6") -> Plate:
    """Figure 6: violins of the number of tries."""
    title = f"Tries until {listed(f'{whole(each.accuracy)} %' for each in found)} validation accuracy"
    groups = [group for each in found for group in each.groups.values()]
    if not any(isinstance(group, GroupTries) for group in groups):
        return Plate(name, title, "", "", panels.first_reason(found[0].groups, "Nobody has finished yet."))
    if not any(isinstance(group, GroupTries) and group.reached for group in groups):
        return Plate(name, title, "", "", NotComputable(f"Nobody reached {whole(found[0].accuracy)} %."))
    told = " ".join(_in_words(each) for each in found)
    caption = (
        "The violin is the distribution of the number of the first try at or above the threshold, each point a person, "
        "the diamond the mean with its 95 % confidence interval. Under each group: how many of its people reached it. "
        f"{told} {definition}"
    )
    alt = f"Violin plots. {told}"
    rows = -(-len(found) // 2)
    return Plate(name, title, caption, alt, partial(_draw_thresholds, found), height=0.5 + 2.0 * rows)


def _in_words(threshold: Threshold) -> str:
    known = [group for group in threshold.groups.values() if isinstance(group, GroupTries)]
    means = [
        f"{group.group} {number(group.mean.value)} ({group.reached} of {group.n})"
        for group in known
        if not isinstance(group.mean, NotComputable)
    ]
    never = sum(group.never for group in known)
    if not means:
        return f"Nobody reached {whole(threshold.accuracy)} %."
    some = f"; {never} never did" if never else ""
    rho = (
        ""
        if isinstance(threshold.correlation, NotComputable)
        else f"; months and tries: {correlation(threshold.correlation)}"
    )
    return f"Mean tries to {whole(threshold.accuracy)} % of those who reached it: {listed(means)}{some}{rho}."


def _draw_thresholds(found: tuple[Threshold, ...], figure: Figure) -> None:
    columns = min(2, len(found))
    grid_of = figure.add_gridspec(-(-len(found) // columns), columns)
    most = max(
        (
            group.tries[-1]
            for each in found
            for group in each.groups.values()
            if isinstance(group, GroupTries) and group.tries
        ),
        default=1,
    )
    for place, threshold in enumerate(found):
        axes = style.axes_of(figure, grid_of[divmod(place, columns)])
        names = []
        if not any(isinstance(tries, GroupTries) and tries.reached for tries in threshold.groups.values()):
            axes.text(0.5, 0.5, "nobody did", transform=axes.transAxes, ha="center", fontsize=style.SMALL, color=INK)
        for position, (group, tries) in enumerate(threshold.groups.items()):
            if isinstance(tries, GroupTries):
                _draw_violin(axes, position, tries)
                names.append(f"{group}\n{tries.reached}/{tries.n}")
            else:
                names.append(f"{group}\nnobody")
        style.named_places(axes, "x", names)
        axes.tick_params(axis="x", labelsize=7)
        axes.set_ylim(0, most * 1.06 + 0.5)
        style.whole_numbers(axes, "y")
        style.name_axes(axes, "", "tries" if place % columns == 0 else "")
        style.note(axes, f"to reach {whole(threshold.accuracy)} %")


def _draw_violin(axes: Axes, place: float, tries: GroupTries) -> None:
    look = style.look(tries.group)
    middle = place + _LEFT
    if tries.density:
        width = _HALF_WIDTH * np.array(tries.density) / max(tries.density)
        axes.fill_betweenx(
            tries.density_at, middle - width, middle + width, facecolor=look.colour, alpha=0.22, linewidth=0
        )
        for side in (-1, 1):
            axes.plot(middle + side * width, tries.density_at, color=look.colour, linewidth=1.0, linestyle=look.dashes)
    for at, count in _stacks(tries.tries).items():
        several = np.arange(min(count, 9)) - (min(count, 9) - 1) / 2
        axes.plot(
            middle + several * 0.065,
            np.full(len(several), float(at)),
            look.marker,
            color=look.colour,
            markersize=2.8,
            alpha=0.8,
            markeredgewidth=0,
        )
    if not isinstance(tries.mean, NotComputable):
        panels.draw_estimate(axes, (place + _RIGHT, tries.mean.value), tries.mean.interval, vertical=True)


def _stacks(tries: tuple[int, ...]) -> Mapping[int, int]:
    """How many people stand side by side at each number of tries."""
    return {each: tries.count(each) for each in dict.fromkeys(tries)}


def accuracy_after_tries(
    found: Mapping[str, Curve | NotComputable], definition: str, *, name: str = "figure-7", what: str = "best so far"
) -> Plate:
    """Figure 7: curves of accuracy against the number of tries."""
    title = f"Validation accuracy after k tries: {what}"
    known = panels.known_of(found)
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found, "Nobody has finished yet."))
    ends = listed(_told_last(group, curve) for group, curve in known.items())
    starts = listed(f"{group} {number(curve.mean[0])} %" for group, curve in known.items())
    told = f"First try: {starts}. Last try that at least half of the group made: {ends}."
    caption = f"The mean of each group; the band is one standard error. {panels.THIN} {told} {definition}"
    alt = f"Curves of mean validation accuracy against tries. {told}"
    return Plate(name, title, caption, alt, partial(_draw_curves, known))


def _told_last(group: str, curve: Curve) -> str:
    place = panels.many(curve) - 1
    return f"{group} {number(curve.mean[place])} % (try {whole(curve.at[place])})"


def _draw_curves(curves: Mapping[str, Curve], figure: Figure) -> None:
    axes = style.axes_of(figure)
    panels.draw_curves(axes, curves)
    style.percent_axis(axes)
    style.whole_numbers(axes, "x")
    style.name_axes(axes, "tries", "validation accuracy (%)")
    style.legend(figure, panels.line_handles(list(curves)), handle=2.6)
