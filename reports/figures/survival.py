"""How many tries people need, with those who never get there: Kaplan–Meier curves."""

from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import panels, style
from reports.figures.plate import Plate
from reports.results.measures import NotComputable
from reports.results.paper import Threshold
from reports.results.survival import LogRank, TriesNeeded
from reports.wording import listed, p_value, whole

NAME = "tries-needed"


def tries_needed(found: tuple[Threshold, ...], definition: str, name: str = NAME) -> Plate:
    """For each threshold, the share of each group that has not reached it after so many tries."""
    title = f"Who has not reached {listed(f'{whole(each.accuracy)} %' for each in found)} after k tries"
    known = [group for each in found for group in each.needed.values() if isinstance(group, TriesNeeded)]
    if not known:
        return Plate(name, title, "", "", panels.first_reason(found[0].needed, "Nobody has finished yet."))
    if not any(group.reached for group in known):
        return Plate(name, title, "", "", NotComputable(f"Nobody reached {whole(found[0].accuracy)} %."))
    told = " ".join(_in_words(each) for each in found)
    caption = (
        "Kaplan–Meier curves: somebody who stopped without reaching the threshold (a tick) counts as long as they "
        f"tried. The intervals of medians are Brookmeyer and Crowley’s. {told} {definition}"
    )
    rows = -(-len(found) // 2)
    return Plate(name, title, caption, f"Step curves. {told}", partial(_draw, found), height=0.7 + 2.0 * rows)


def in_words(threshold: Threshold) -> str:
    """``novice 6 (95 % CI 3 to 12), medium 4 (…) and expert fewer than half (3 of 7)``; empty where nobody tried."""
    known = [each for each in threshold.needed.values() if isinstance(each, TriesNeeded)]
    return listed(f"{each.group} {_median(each)}" for each in known) if any(each.reached for each in known) else ""


def _in_words(threshold: Threshold) -> str:
    medians = in_words(threshold)
    if not medians:
        return f"Nobody reached {whole(threshold.accuracy)} %."
    tests = [each for each in threshold.log_rank if isinstance(each, LogRank)]
    pairs = [f"{each.first} and {each.second} {p_value(each.p)} (Holm {p_value(each.p_holm)})" for each in tests]
    compared = f"; log-rank: {'; '.join(pairs)}" if tests else ""
    return f"Tries until half have reached {whole(threshold.accuracy)} %: {medians}{compared}."


def _median(group: TriesNeeded) -> str:
    if isinstance(group.median, NotComputable):
        return f"fewer than half ({group.reached} of {group.n})"
    if isinstance(group.low, NotComputable):
        return whole(group.median)
    if isinstance(group.high, NotComputable):
        return f"{whole(group.median)} (95 % CI {whole(group.low)} or more)"
    return f"{whole(group.median)} (95 % CI {whole(group.low)} to {whole(group.high)})"


def _draw(found: tuple[Threshold, ...], figure: Figure) -> None:
    columns = min(2, len(found))
    grid_of = figure.add_gridspec(-(-len(found) // columns), columns)
    drawn: dict[str, None] = {}
    for place, threshold in enumerate(found):
        axes = style.axes_of(figure, grid_of[divmod(place, columns)])
        for group in threshold.needed.values():
            if isinstance(group, TriesNeeded):
                _draw_curve(axes, group)
                drawn[group.group] = None
        axes.set_xlim(left=0)
        style.percent_axis(axes)
        style.whole_numbers(axes, "x")
        style.name_axes(axes, "tries", "not there yet (%)" if place % columns == 0 else "")
        style.note(axes, f"to reach {whole(threshold.accuracy)} %")
    style.legend(figure, panels.line_handles(list(drawn)), handle=2.6)


def _draw_curve(axes: Axes, group: TriesNeeded) -> None:
    look = style.look(group.group)
    left = [100 * share for share in group.left]
    axes.step(group.at, left, where="post", color=look.colour, linestyle=look.dashes, linewidth=look.width)
    height = dict(zip(group.at, left, strict=True))
    stopped = sorted(set(group.stopped))
    axes.plot(stopped, [height[each] for each in stopped], "|", color=look.colour, markersize=5)
