"""People against random search and TPE: at equal tries, at equal time, and how much better they are."""

from collections.abc import Mapping
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import panels, style
from reports.figures.colours import INK
from reports.figures.plate import Plate
from reports.results.further import AgainstRandom, AgainstTpe, Machines
from reports.results.measures import Curve, Estimate, NotComputable
from reports.wording import called, capital, counted, lead, listed, number, percent, whole

_ORDER = ("people", "random", "tpe", "novice", "medium", "expert")
_NOTHING = "Nobody has finished yet, and no baseline has run."


def by_tries(found: Machines) -> Plate:
    """Anytime curves at equal tries."""
    caption = (
        "Mean best validation accuracy after k tries; the band is one standard error. Random search is its exact "
        f"expectation over {counted(found.random_drawn, 'drawn setting')}."
    )
    return _curves("machines-tries", "People against machines, at equal tries", found.by_tries, caption, "tries")


def by_time(curves: Mapping[str, Curve | NotComputable], definition: str, name: str = "machines-time") -> Plate:
    """Anytime curves at equal time."""
    caption = f"Mean best validation accuracy after so many minutes; the band is one standard error. {definition}"
    return _curves(name, "People against machines, at equal time", curves, caption, "minutes")


def _curves(name: str, title: str, curves: Mapping[str, Curve | NotComputable], caption: str, unit: str) -> Plate:
    known = panels.known_of(curves)
    if not known:
        return Plate(name, title, "", "", panels.first_reason(curves, _NOTHING))
    in_order = {each: known[each] for each in (*_ORDER, *known) if each in known}
    end = _end(in_order)
    told = f"After {whole(end)} {unit}: {listed(_told_at(end, each, curve) for each, curve in in_order.items())}."
    missing = "".join(
        f" {each.why}" for each in (curves.get("random"), curves.get("tpe")) if isinstance(each, NotComputable)
    )
    alt = f"Curves of the best validation accuracy so far against {unit}. {told}"
    draw = partial(_draw_curves, in_order, end, unit)
    return Plate(name, title, f"{caption} {panels.THIN} {told}{missing}", alt, draw, height=2.8)


def _end(curves: Mapping[str, Curve]) -> float:
    """Where people and TPE end; random search's line goes on as far as settings were drawn."""
    return max(
        (curve.at[-1] for name, curve in curves.items() if name != "random"),
        default=curves["random"].at[-1] if "random" in curves else 1.0,
    )


def _told_at(end: float, name: str, curve: Curve) -> str:
    place = max((place for place, at in enumerate(curve.at) if at <= end), default=0)
    after = f" (after {whole(curve.at[place])})" if curve.at[place] != end else ""
    return f"{called(name)} {number(curve.mean[place])} %{after}"


def _draw_curves(curves: Mapping[str, Curve], end: float, unit: str, figure: Figure) -> None:
    axes = style.axes_of(figure)
    panels.draw_curves(axes, curves)
    style.percent_axis(axes)
    first = min(curve.at[0] for curve in curves.values())
    axes.set_xlim(first - 0.02 * end, max(end, first + 1) * 1.01)
    style.whole_numbers(axes, "x")
    style.name_axes(axes, unit, "best validation accuracy (%)")
    style.legend(figure, panels.line_handles(list(curves)), handle=2.4, columns=2 if len(curves) == 4 else 3)


def difference(found: Machines) -> Plate:
    """How many percentage points people are ahead."""
    name, title = "machines-difference", "How far people are ahead of machines"
    random = {group: each for group, each in found.against_random.items() if isinstance(each, AgainstRandom)}
    tpe = {group: each for group, each in found.against_tpe.items() if isinstance(each, AgainstTpe)}
    if not random and not tpe:
        return Plate(name, title, "", "", panels.first_reason({**found.against_random, **found.against_tpe}, _NOTHING))
    rows = {
        "best validation accuracy, minus random search’s": {group: each.advantage for group, each in random.items()},
        "final test accuracy, minus TPE’s": {group: each.difference.mean for group, each in tpe.items()},
    }
    caption = " ".join(
        (
            "Differences in percentage points with 95 % confidence intervals; right of zero people are ahead.",
            *(_told_random(group, each) for group, each in random.items() if group in ("people", "tpe")),
            *(_told_tpe(group, each) for group, each in tpe.items() if group == "people"),
            *(
                panels.first_reason(each, _NOTHING).why
                for each, known in ((found.against_random, random), (found.against_tpe, tpe))
                if not known
            ),
        )
    )
    alt = f"Differences with their intervals. {' '.join(_told_random(group, each) for group, each in random.items())}"
    kept = {label: each for label, each in rows.items() if each}
    height = 0.6 + sum(0.42 + 0.22 * len(each) for each in kept.values())
    return Plate(name, title, caption, alt.strip(), partial(_draw_differences, kept), height=height)


def _told_random(group: str, found: AgainstRandom) -> str:
    return (
        f"{capital(called(group))} against random search with as many tries: {lead(found.advantage)}, "
        f"ahead in {percent(found.ahead)} of comparisons."
    )


def _told_tpe(group: str, found: AgainstTpe) -> str:
    return f"{capital(called(group))} against TPE: {lead(found.difference.mean)}."


def _draw_differences(rows: Mapping[str, Mapping[str, Estimate]], figure: Figure) -> None:
    grid = figure.add_gridspec(len(rows), 1, height_ratios=[1.2 + len(each) for each in rows.values()])
    first: Axes | None = None
    for place, (label, estimates) in enumerate(rows.items()):
        axes = style.axes_of(figure, grid[place], grid="x", sharex=first)
        first = first or axes
        style.named_places(axes, "y", [called(group) for group in estimates])
        axes.axvline(0, color=INK, linewidth=0.8)
        for position, (group, found) in enumerate(estimates.items()):
            look = style.look(group)
            panels.draw_estimate(
                axes,
                (found.value, position),
                found.interval,
                vertical=False,
                colour=look.colour,
                marker=look.marker,
            )
        style.note(axes, label)
        style.plain_numbers(axes, "x")
        if place == len(rows) - 1:
            style.name_axes(axes, "percentage points")
        else:
            axes.tick_params(labelbottom=False)
