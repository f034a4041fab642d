"""The figures: they show the results, in one style, whatever the study is, and say so where they cannot."""

import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from reports.compute import compute
from reports.data.study_data import StudyData
from reports.figures import colours, font, panels, style
from reports.figures.catalogue import plates
from reports.figures.plate import Plate
from reports.figures.strategies import COMMENT_KINDS, STEP_KINDS
from reports.results.measures import Curve, NotComputable
from reports.results.paper import Box, Experience, RandomSettings
from reports.results.study_results import StudyResults, TaskResults
from tests.reports.conftest import Simulated
from tests.reports.pictures import SHOWN, make
from tests.reports.test_bad_input import STUDIES

GROUPS = ("novice", "medium", "expert")
LOOKS = ("people", "random", "tpe", *GROUPS)
BAD = (
    "nobody",
    "one",
    "no medium",
    "all equal",
    "all diverged",
    "some finals diverged",
    "no comments",
    "only machines",
    "one random setting",
    "two tasks, one person each",
)
QUICK = ("nobody", "one")
"""Of these, those that are drawn at each run; the rest takes long."""


@pytest.fixture(scope="session")
def task(ordinary: tuple[StudyData, StudyResults]) -> TaskResults:
    return ordinary[1].tasks[0]


@pytest.fixture(scope="session")
def drawn(ordinary: tuple[StudyData, StudyResults]) -> dict[str, Plate]:
    return dict(plates(ordinary[1]))


@pytest.fixture(scope="session")
def laid_out(drawn: dict[str, Plate]) -> dict[str, Figure]:
    """All figures as they are when they have been drawn."""
    figures = {name: plate.figure() for name, plate in drawn.items()}
    for figure in figures.values():
        FigureCanvasAgg(figure).draw()
    return figures


def texts(figure: Figure) -> Iterator[tuple[Text, Bbox]]:
    """All that is drawn: a tick beyond the end of its axis is not."""
    beyond = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        for label in (tick.label1, tick.label2)
    }
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text not in beyond and text.get_visible() and text.get_text().strip():
            yield text, text.get_window_extent()


# --- what they show


def test_there_is_a_figure_for_each_of_the_papers_and_more(drawn: dict[str, Plate]) -> None:
    assert {"figure-1", *(f"figure-{number}" for number in range(3, 10))} <= set(drawn)
    assert {"search-steps", "search-distance", "search-values", "machines-tries", "machines-time"} <= set(drawn)
    assert {"machines-difference", "importance", "components", "follow-up", "figure-7-this-try"} <= set(drawn)
    assert "figure-6-other-reading" in drawn, "the paper does not say whether a cancelled try is one"
    assert not any(isinstance(plate.content, NotComputable) for plate in drawn.values())


def test_figure_1_has_the_histogram(drawn: dict[str, Plate], task: TaskResults) -> None:
    found = task.random_settings.default
    assert isinstance(found, RandomSettings)
    (axes,) = drawn["figure-1"].figure().axes
    assert [bar.get_height() for bar in axes.patches[: len(found.histogram.counts)]] == list(found.histogram.counts)
    assert axes.lines[0].get_xdata()[0] == found.spread.mean
    assert f"{found.spread.mean:.1f} ± " in axes.get_title(loc="left")


def test_figure_3_stacks_the_groups_up_to_everybody(drawn: dict[str, Plate], task: TaskResults) -> None:
    assert isinstance(task.experience, Experience)
    (axes,) = drawn["figure-3"].figure().axes
    tops: dict[float, float] = {}
    for bar in axes.patches:
        tops[bar.get_x()] = max(tops.get(bar.get_x(), 0), bar.get_y() + bar.get_height())
    assert tuple(tops.values()) == task.experience.histogram.counts


def test_figure_4_has_everybody_at_their_place(drawn: dict[str, Plate], task: TaskResults) -> None:
    (axes,) = drawn["figure-4"].figure().axes
    shown = {
        (float(x), float(y)) for line in axes.lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    assert {(point.months, point.accuracy) for point in task.final.default.points} <= shown
    assert "ρ = " in axes.get_title(loc="left")


def test_figure_5_has_the_groups_boxes(drawn: dict[str, Plate], task: TaskResults) -> None:
    (axes,) = drawn["figure-5"].figure().axes
    heights = {float(y) for line in axes.lines for y in line.get_ydata()}
    for box in task.final.default.boxes.values():
        assert isinstance(box, Box)
        assert {box.median, box.whisker_low, box.whisker_high, box.mean} <= heights
        assert set(box.values) <= heights
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        f"{group}\nn = {box.n}" for group, box in task.final.default.boxes.items() if isinstance(box, Box)
    ]


def test_figure_6_has_a_panel_for_each_threshold(drawn: dict[str, Plate], task: TaskResults) -> None:
    panels = drawn["figure-6"].figure().axes
    assert [axes.get_title(loc="left") for axes in panels] == ["to reach 25 %", "to reach 50 %"]
    for axes, threshold in zip(panels, task.thresholds.default, strict=True):
        means = {
            float(line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "D" and len(line.get_ydata()) == 1
        }
        assert means == {each.mean.value for each in threshold.groups.values()}  # type: ignore[union-attr]


def test_figure_7_has_the_curves_with_their_errors(drawn: dict[str, Plate], task: TaskResults) -> None:
    (axes,) = drawn["figure-7"].figure().axes
    bands = [each for each in axes.collections if isinstance(each, PolyCollection)]
    curves = task.after_tries.best.default.values()
    for curve, line, rest, band in zip(curves, axes.lines[::2], axes.lines[1::2], bands, strict=True):
        assert isinstance(curve, Curve)
        last = panels.many(curve)  # beyond it, fewer than half of the group still try
        assert 2 * curve.made[last - 1] >= curve.made[0]
        assert (*line.get_ydata(), *rest.get_ydata()[1:]) == curve.mean
        assert (*line.get_xdata(), *rest.get_xdata()[1:]) == curve.at
        highest = max(mean + (error or 0) for mean, error in zip(curve.mean[:last], curve.error[:last], strict=True))
        assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(highest)


def test_random_search_goes_no_further_than_people_and_tpe(drawn: dict[str, Plate], task: TaskResults) -> None:
    (axes,) = drawn["machines-tries"].figure().axes
    people = task.machines.by_tries["people"]
    assert isinstance(people, Curve)
    assert axes.get_xlim()[1] < people.at[-1] + 2
    assert f"After {people.at[-1]:.0f} tries: all people" in drawn["machines-tries"].caption


def test_alternative_texts_say_the_numbers(drawn: dict[str, Plate]) -> None:
    for plate in drawn.values():
        assert re.search(r"\d", plate.description), plate.name
        assert plate.description.endswith("."), plate.name
        assert plate.caption[0].isupper() or plate.caption[0].isdigit(), plate.name
        assert plate.caption.endswith((".", "?")), plate.name


# --- what they look like


def test_they_are_a_column_wide_with_text_of_seven_points_or_more_and_nothing_cut_off(
    laid_out: dict[str, Figure],
) -> None:
    for name, figure in laid_out.items():
        assert figure.get_figwidth() == 3.3
        page = figure.bbox.padded(1)
        for text, place in texts(figure):
            assert text.get_fontsize() >= 7, (name, text.get_text())
            assert page.x0 <= place.x0, (name, text.get_text())
            assert place.x1 <= page.x1, (name, text.get_text())
            assert page.y0 <= place.y0, (name, text.get_text())
            assert place.y1 <= page.y1, (name, text.get_text())


def test_names_on_an_axis_do_not_run_into_one_another(laid_out: dict[str, Figure]) -> None:
    for name, figure in laid_out.items():
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                labels = {label for label, _ in texts(axes.figure)} & set(axis.get_ticklabels())  # type: ignore[arg-type]
                places = sorted((label.get_window_extent() for label in labels), key=lambda each: (each.x0, each.y0))
                for first, second in pairwise(places):
                    assert not first.overlaps(second), name


def linear(colour: str) -> np.ndarray:
    """sRGB → linear light."""
    part = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """As the Web Content Accessibility Guidelines count it."""
    lights = sorted(float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (first, second))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What is left of linear light: Machado, Oliveira and Fernandes (2009), table 1, severity 1.0."""


def lab(light: np.ndarray) -> np.ndarray:
    """Linear sRGB → CIELAB (D65), where distances are about as people see them."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(light, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHTS)
def test_groups_are_told_apart_with_every_kind_of_colour_vision(sight: str) -> None:
    def seen(colour: str) -> np.ndarray:
        return lab(SIGHTS[sight] @ linear(colour))

    least = 15 if sight == "tritanopia" else 25  # of 10,000 people one has it, and the palette is weakest there
    for palette in ([style.look(each).colour for each in GROUPS], [colour for _, colour, _ in STEP_KINDS.values()]):
        for place, first in enumerate(palette):
            for second in palette[place + 1 :]:
                assert np.linalg.norm(seen(first) - seen(second)) > least, (first, second)


def test_groups_are_told_apart_without_any_colour_too() -> None:
    looks = [style.look(each) for each in LOOKS]
    assert len({look.marker for look in looks}) == len(LOOKS)
    assert len({look.dashes for look in looks}) == len(LOOKS) - 1, "people and experts: one is thicker"
    assert style.look("people").width > style.look("expert").width
    assert len({style.look(each).hatch for each in GROUPS}) == len(GROUPS)
    neighbours = [hatch for _, _, hatch in COMMENT_KINDS.values()]
    assert all(first != second for first, second in pairwise(neighbours))


def test_colours_stand_out_on_a_white_and_on_the_dark_page() -> None:
    for name in LOOKS[1:]:
        for page in (colours.PAPER, "#16191c"):
            assert contrast(style.look(name).colour, page) >= 3, (name, page)
    for _, colour, _ in (*COMMENT_KINDS.values(), *STEP_KINDS.values()):
        assert contrast(colour, "#111111") >= 4.5, "the percent within"


# --- files


def test_the_same_figure_gives_the_same_bytes_and_no_date(drawn: dict[str, Plate]) -> None:
    for name in ("figure-4", "figure-9"):
        first, second = drawn[name].files(), drawn[name].files()
        assert first == second
        assert b"CreationDate" not in first["pdf"]
        assert b"dc:date" not in first["svg"]
        assert b"Type3" not in first["pdf"], "publishers refuse fonts of this kind"


def test_no_part_of_an_svg_is_named_by_a_hash_of_its_last_bits(drawn: dict[str, Plate]) -> None:
    for plate in drawn.values():
        if not isinstance(plate.content, NotComputable):
            svg = style.encode(plate.figure(), "svg").decode()
            defined = re.findall(r' id="(n\d+)"', svg)
            assert len(defined) == len(set(defined)) > 0
            assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(defined)
            assert not re.search(r'[#"]\w*[0-9a-f]{10}["\)]', svg)


def test_text_stays_text_in_svg(drawn: dict[str, Plate]) -> None:
    assert b">deep-learning experience (months)</text>" in drawn["figure-4"].files()["svg"]


@pytest.mark.long
def test_a_thousand_people_are_one_image_in_the_svg(simulated: Simulated, quick: None) -> None:
    found = dict(plates(compute(simulated(participants=1000, trials=2000, comments=False))))
    for name in ("figure-4", "figure-5", "figure-6"):
        svg = found[name].files()["svg"]
        assert len(svg) < 250_000, name
    assert b"<image" in found["figure-4"].files()["svg"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "study", [each if each in QUICK else pytest.param(each, marks=pytest.mark.long) for each in BAD]
)
def test_whatever_the_study_is_each_figure_is_drawn_or_says_why_not(study: str, simulated: Simulated) -> None:
    results = compute(simulated(**STUDIES[study]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, plate in plates(results).items():
            figure = plate.figure()
            svg = style.encode(figure, "svg").decode()
            assert not re.search(r">[^<]*\b(nan|inf|None)\b[^<]*<", svg), name
            assert not re.search(r"\b(nan|inf|None)\b", plate.caption + plate.description), name
            if isinstance(plate.content, NotComputable):
                (said,) = [text.get_text() for text, _ in texts(figure)]
                assert " ".join(said.split()) == plate.content.why
                assert not figure.axes
            else:
                assert figure.axes


@pytest.mark.usefixtures("quick")
def test_with_several_tasks_each_has_its_figures_and_one_is_of_all_together(simulated: Simulated) -> None:
    found = plates(compute(simulated(participants=12, trials=120, tasks=("digits-squeezenet", "a b/c"))))
    assert {"figure-4-digits-squeezenet", "figure-4-a-b-c", "pooled"} <= set(found)
    assert "figure-4" not in found


@pytest.mark.long
@pytest.mark.usefixtures("quick")
def test_the_readmes_figures_can_be_made(tmp_path: Path) -> None:
    make(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(SHOWN.values())
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_the_figures_font_has_the_date_of_the_whole_one() -> None:
    """It is in every PDF, and a date of today would be too."""
    part, whole = (TTFont(findfont(FontProperties(family=[name]))) for name in font.family())
    assert part["head"].modified == whole["head"].modified
