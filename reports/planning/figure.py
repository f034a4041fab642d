"""The figure of a plan: power against the number of people, a curve for each effect."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from reports.figures.plate import Plate
from reports.figures.power import PowerCurve, draw_power
from reports.planning.results import Plan, Power
from reports.planning.sentences import simulated, summary
from reports.results.measures import Interval, NotComputable

_HEIGHT = 2.6


def power_figure(plan: Plan) -> Plate:
    """Power against the number of people; where there is no effect, the sentence that says so."""
    lines = [line for line in plan.lines if not line.is_none]
    name, title = "power", "How many people the study needs"
    if not lines:
        return Plate(name, title, "", "", NotComputable("There is no effect, so there is nothing to find."))
    caption = f"{plan.what} {simulated(plan)} {summary(plan)}"
    curves = [_curve(line.label, line.curve) for line in lines]
    wanted = [each.power for each in lines[0].needed]
    return Plate(name, title, caption, f"Power curves. {summary(plan)}", partial(_draw, curves, wanted), height=_HEIGHT)


def _curve(label: str, powers: Sequence[Power]) -> PowerCurve:
    ends = [power.power.interval for power in powers]
    known = [each for each in ends if isinstance(each, Interval)]
    return PowerCurve(
        label,
        at=[power.people for power in powers],
        power=[power.power.value for power in powers],
        low=[each.low for each in known],
        high=[each.high for each in known],
    )


def _draw(curves: Sequence[PowerCurve], wanted: Sequence[float], figure: Figure) -> None:
    draw_power(figure, curves, wanted, "people in the study")
