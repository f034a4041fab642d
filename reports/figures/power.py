"""Power curves: the chance to find an effect against the number of people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from reports.figures import style
from reports.figures.colours import BLUE, GREY, INK, PURPLE, VERMILION

_LOOKS = (
    (INK, (0, ()), "o"),
    (BLUE, (0, (4.5, 1.5)), "s"),
    (VERMILION, (0, (1.2, 1.2)), "^"),
    (PURPLE, (0, (6, 1.5, 1.2, 1.5)), "D"),
)
_NICE = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True)
class PowerCurve:
    """One curve: ``power`` (0 to 1) at each number of people, and the interval of the simulation where it is shown."""

    label: str
    at: Sequence[int]
    power: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def draw_power(figure: Figure, curves: Sequence[PowerCurve], wanted: Iterable[float], people: str) -> None:
    """Draw up to four curves.

    Args:
        wanted: Powers that get a line of their own.
        people: What the numbers of people are: the name of the axis.
    """
    axes = style.axes_of(figure)
    handles = []
    for curve, (colour, dashes, marker) in zip(curves, _LOOKS, strict=False):
        if curve.low:
            low, high = ([100 * each for each in ends] for ends in (curve.low, curve.high))
            axes.fill_between(curve.at, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(
            curve.at,
            [100 * power for power in curve.power],
            color=colour,
            linestyle=dashes,
            linewidth=1.5,
            marker=marker,
            markersize=3.4,
            markeredgewidth=0,
        )
        handles.append(Line2D([], [], color=colour, linestyle=dashes, marker=marker, markersize=4, label=curve.label))
    places = sorted({at for curve in curves for at in curve.at})
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.xaxis.set_major_locator(FixedLocator([each for each in _NICE if places[0] <= each <= places[-1]]))
    style.plain_numbers(axes, "x")
    style.percent_axis(axes)
    for power in wanted:
        axes.axhline(100 * power, color=GREY, linewidth=0.9, linestyle=(0, (1, 2)))
    style.name_axes(axes, people, "power (%)")
    style.legend(figure, handles, columns=1, handle=2.8)
