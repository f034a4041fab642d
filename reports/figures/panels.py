"""What several figures have in common: curves with their errors, boxes with their values, bars that add up."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.figures import style
from reports.figures.colours import INK, PAPER
from reports.results.measures import Curve, Interval, NotComputable
from reports.results.paper import Box
from reports.wording import called, number

MOST_VECTORS = 600
"""More points than these are drawn as one image in SVG and PDF."""

_GOLDEN = 0.618_033_988_75


def known_of(mapping: Mapping[str, Curve | NotComputable]) -> dict[str, Curve]:
    """The curves that could be computed."""
    return {name: curve for name, curve in mapping.items() if isinstance(curve, Curve)}


def first_reason(mapping: Mapping[str, object], otherwise: str) -> NotComputable:
    """Why none of them can be computed: the reason that all share, or else ``otherwise``."""
    reasons = {each.why for each in mapping.values() if isinstance(each, NotComputable)}
    return NotComputable(reasons.pop() if len(reasons) == 1 else otherwise)


THIN = "A line is thin where fewer than half of the group still try."


def draw_curves(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Lines with their standard errors as bands; thin where few people are left, a mark where there is one point."""
    for name, curve in curves.items():
        look = style.look(name)
        at, mean = np.array(curve.at), np.array(curve.mean)
        error = np.array([0.0 if each is None else each for each in curve.error])
        last = many(curve)
        marker = look.marker if len(at) == 1 else ""
        line: dict[str, Any] = {"color": look.colour, "linestyle": look.dashes}
        axes.fill_between(
            at[:last], (mean - error)[:last], (mean + error)[:last], color=look.colour, alpha=0.16, linewidth=0
        )
        axes.plot(at[:last], mean[:last], linewidth=look.width, marker=marker, markersize=5, **line)
        axes.plot(at[last - 1 :], mean[last - 1 :], linewidth=0.7, alpha=0.7, **line)


def many(curve: Curve) -> int:
    """How many points, from the first on, are of at least half of the group: of those who made so many tries."""
    left = curve.made or curve.n
    return next((position for position, n in enumerate(left) if 2 * n < max(left)), len(left)) or 1


def line_handles(names: Sequence[str]) -> list[Line2D]:
    """For a legend of curves."""
    looks = [(name, style.look(name)) for name in names]
    return [
        Line2D([], [], color=look.colour, linestyle=look.dashes, linewidth=look.width, label=called(name))
        for name, look in looks
    ]


def fill_handles(names: Sequence[str]) -> list[Patch]:
    """For a legend of bars."""
    looks = [(name, style.look(name)) for name in names]
    return [
        Patch(facecolor=look.colour, edgecolor=PAPER, hatch=look.hatch, linewidth=0, label=called(name))
        for name, look in looks
    ]


def draw_box(axes: Axes, position: float, box: Box, look: style.Look | None = None) -> None:
    """A box at a place, its values beside it, and the mean with its interval between them.

    Args:
        axes: Where it is drawn.
        position: Its place on the horizontal axis.
        box: Its numbers.
        look: How it looks; without one, as its group does.
    """
    look = look or style.look(box.group)
    stats = {
        "med": box.median,
        "q1": box.q1,
        "q3": box.q3,
        "whislo": box.whisker_low,
        "whishi": box.whisker_high,
        "fliers": [],
    }
    line = {"color": look.colour, "linewidth": 1.2}
    axes.bxp(
        [stats],
        positions=[position - 0.17],
        widths=0.38,
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": (*_rgb(look.colour), 0.22), "edgecolor": look.colour, "linewidth": 1.2},
        medianprops={"color": look.colour, "linewidth": 2.2},
        whiskerprops=line,
        capprops=line,
    )
    values = np.array(box.values)
    few = len(values) <= 100
    spread = (np.arange(len(values)) * _GOLDEN) % 1 - 0.5
    axes.plot(
        position + 0.3 + 0.2 * spread,
        values,
        look.marker,
        color=look.colour,
        markersize=3.6 if few else 2.2,
        alpha=0.75 if few else 0.4,
        markeredgewidth=0,
        rasterized=len(values) > MOST_VECTORS,
    )
    draw_estimate(axes, (position + 0.1, box.mean), box.mean_estimate.interval, vertical=True)


def draw_estimate(
    axes: Axes,
    at: tuple[float, float],
    interval: Interval | NotComputable,
    *,
    vertical: bool,
    colour: str = INK,
    marker: str = "D",
) -> None:
    """A mark with its confidence interval, where it has one."""
    x, y = at
    if isinstance(interval, Interval):
        ends = [interval.low, interval.high]
        axes.plot(*(([x, x], ends) if vertical else (ends, [y, y])), color=colour, linewidth=1.3, zorder=4)
    axes.plot([x], [y], marker, color=colour, markersize=4.5, markeredgecolor=PAPER, markeredgewidth=0.7, zorder=5)


def draw_shares(
    figure: Figure,
    rows: Mapping[str, Mapping[str, float]],
    *,
    row_names: Sequence[str],
    kinds: Mapping[str, tuple[str, str, str]],
    columns: int = 3,
) -> None:
    """Horizontal bars of shares that add up to 1; each part says its percent where it is wide enough.

    Args:
        rows: By row the share of each kind; an empty row is left empty.
        row_names: What a reader reads for each row.
        kinds: By kind its label, colour and hatch.
    """
    axes = style.axes_of(figure, grid="x")
    style.named_places(axes, "y", row_names)
    for position, shares in enumerate(rows.values()):
        left = 0.0
        for kind, (_, colour, hatch) in kinds.items():
            width = 100 * shares.get(kind, 0.0)
            if width <= 0:
                continue
            axes.barh(
                position,
                width,
                left=left,
                height=0.62,
                color=colour,
                hatch=hatch,
                edgecolor=PAPER,
                linewidth=0.8,
                zorder=2,
            )
            if width >= 9:
                axes.text(
                    left + width / 2,
                    position,
                    number(width, 0),
                    ha="center",
                    va="center",
                    fontsize=style.SMALL,
                    color="#111111",
                    zorder=3,
                    bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0} if hatch else None,
                )
            left += width
    style.percent_axis(axes, "x")
    axes.set_xlim(0, 100)
    handles = [
        Patch(facecolor=colour, edgecolor=PAPER, hatch=hatch, linewidth=0, label=label)
        for label, colour, hatch in kinds.values()
    ]
    style.legend(figure, handles, columns=columns, handle=1.3)


def _rgb(colour: str) -> tuple[float, float, float]:
    return tuple(int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5))  # type: ignore[return-value]
