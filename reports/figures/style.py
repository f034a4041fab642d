"""One house style: as wide as a column of a two-column paper, text of 7 points or more, one look per group.

At a phone's 360 pixels a figure is scaled by 1.4, so the smallest text is some 10 pixels high there.
"""

import io
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reports.figures.colours import BLUE, GREEN, GREY, GRID, INK, PAPER, PURPLE, VERMILION
from reports.figures.font import family
from reports.wording import whole

Format = Literal["png", "svg", "pdf"]

FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")

WIDTH = 3.3
"""Inches: a column."""

HEIGHT = 2.5

TEXT, SMALL = 8.0, 7.5
"""Points."""

DOTS_PER_INCH = 300

Dashes = tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Look:
    """How a group (or a searcher) looks in every figure; marker and dashes differ, too."""

    colour: str
    marker: str
    dashes: Dashes
    hatch: str
    width: float = 1.5


_SOLID: Dashes = (0, ())

_LOOKS: Mapping[str, Look] = {
    "novice": Look(VERMILION, "o", (0, (1.2, 1.2)), ""),
    "medium": Look(BLUE, "s", (0, (4.5, 1.5)), "////"),
    "expert": Look(GREEN, "^", _SOLID, "\\\\\\\\"),
    "people": Look(INK, "D", _SOLID, "", 2.2),
    "random": Look(GREY, "x", (0, (6, 1.5, 1.2, 1.5)), ""),
    "tpe": Look(PURPLE, "v", (0, (6, 1.5, 1.2, 1.5, 1.2, 1.5)), ""),
}


def look(name: str) -> Look:
    """How a group, ``people`` or a searcher is drawn."""
    return _LOOKS.get(name, Look(INK, "*", _SOLID, ""))


_ARM_LOOKS: Sequence[Look] = (
    Look(BLUE, "o", _SOLID, ""),
    Look(VERMILION, "s", _SOLID, ""),
    Look(GREEN, "^", _SOLID, ""),
    Look(PURPLE, "v", _SOLID, ""),
    Look(GREY, "x", _SOLID, ""),
    Look(INK, "D", _SOLID, ""),
)


def arm_look(position: int) -> Look:
    """How the arm at a position in the rules, from 0, is drawn."""
    return _ARM_LOOKS[position % len(_ARM_LOOKS)]


# --- axes -------------------------------------------------------------------------------------------------------------


def axes_of(figure: Figure, position: Any = 111, *, grid: Literal["x", "y", "both"] = "y", **options: Any) -> Axes:
    """Empty axes in the house style."""
    axes: Axes = figure.add_subplot(position, **options)
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis=grid, color=GRID, linewidth=0.6)
    axes.tick_params(labelsize=SMALL, colors=INK, length=0, pad=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
        spine.set_linewidth(0.8)
    return axes


def name_axes(axes: Axes, x: str = "", y: str = "") -> None:
    """Say what is on each axis, with its unit."""
    axes.set_xlabel(x, fontsize=TEXT, color=INK, labelpad=2)
    axes.set_ylabel(y, fontsize=TEXT, color=INK, labelpad=3)


def note(axes: Axes, text: str) -> None:
    """The figure's main number, above the axes at the left."""
    axes.set_title(text, fontsize=SMALL, color=INK, loc="left", pad=4)


def percent_axis(axes: Axes, which: Literal["x", "y"] = "y") -> None:
    """From 0 to 100 % with a line every 20."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_ylim if which == "y" else axes.set_xlim)(-2, 102)
    axis.set_major_locator(FixedLocator([0, 20, 40, 60, 80, 100]))


def whole_numbers(axes: Axes, which: Literal["x", "y"], most: int = 6) -> None:
    """Ticks at whole numbers only."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1, steps=[1, 2, 3, 5, 6, 10]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))


def plain_numbers(axes: Axes, which: Literal["x", "y"]) -> None:
    """Ticks such as −0.5 and 20, never 1e1."""
    (axes.yaxis if which == "y" else axes.xaxis).set_major_formatter(FuncFormatter(lambda value, _: whole(value)))


def named_places(axes: Axes, which: Literal["x", "y"], names: Sequence[str]) -> None:
    """Put names at 0, 1, 2, … instead of numbers, without grid lines."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(range(len(names)), labels=list(names))
    axis.grid(visible=False)
    (axes.set_xlim if which == "x" else axes.set_ylim)(-0.6, len(names) - 0.4)
    if which == "y":
        axes.invert_yaxis()


def legend(figure: Figure, handles: Sequence[Artist], *, columns: int = 3, handle: float = 2.0) -> None:
    """Above everything, so that it covers nothing; read row by row."""
    rows = -(-len(handles) // columns)
    by_column = [handles[position] for column in range(columns) for position in range(column, len(handles), columns)]
    figure.legend(
        handles=by_column if rows > 1 else list(handles),
        loc="outside upper center",
        ncols=columns,
        fontsize=SMALL,
        labelcolor=INK,
        frameon=False,
        handlelength=handle,
        handletextpad=0.5,
        columnspacing=1.3,
        borderaxespad=0.1,
        borderpad=0.1,
    )


def sentence_instead(figure: Figure, sentence: str) -> None:
    """Write the reason into a figure that cannot be computed."""
    figure.text(
        0.5,
        0.5,
        textwrap.fill(sentence, 44),
        ha="center",
        va="center",
        fontsize=TEXT,
        color=INK,
        linespacing=1.5,
    )


# --- files ------------------------------------------------------------------------------------------------------------

_styled = Lock()  # Matplotlib's settings are the whole process's


@contextmanager
def styled() -> Iterator[None]:
    """Within this, text is in the figures' font, and stays text in files. One thread at a time."""
    settings: dict[Any, Any] = {
        "font.family": family(),
        "svg.hashsalt": "black-magic",
        "svg.fonttype": "none",
        "pdf.fonttype": 42,  # TrueType: publishers refuse Matplotlib's own kind
    }
    with _styled, rc_context(settings):
        yield


def new_figure(height: float) -> Figure:
    """An empty figure, whose parts make room for one another when it is first written."""
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.04, hspace=0.04, wspace=0.04)
    return Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor=PAPER, layout=layout)


def _print_png(figure: Figure, to: io.BytesIO) -> None:
    quickly = {"compress_level": 4}
    canvas = FigureCanvasAgg(figure)
    canvas.print_png(to, metadata={"Software": None}, pil_kwargs=quickly)  # type: ignore[no-untyped-call]


def _print_svg(figure: Figure, to: io.BytesIO) -> None:
    FigureCanvasSVG(figure).print_svg(to, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]


def _print_pdf(figure: Figure, to: io.BytesIO) -> None:
    nothing = dict.fromkeys(("CreationDate", "Creator", "Producer"))
    FigureCanvasPdf(figure).print_pdf(to, metadata=nothing)  # type: ignore[no-untyped-call]


_PRINT: Mapping[Format, Callable[[Figure, io.BytesIO], None]] = {
    "png": _print_png,
    "svg": _print_svg,
    "pdf": _print_pdf,
}


def encode(figure: Figure, kind: Format) -> bytes:
    """The figure as a file: the same bytes for the same figure. Text stays text in SVG and PDF."""
    buffer = io.BytesIO()
    with styled():
        # Each canvas prints by itself: Figure.savefig would draw everything twice, once to lay it out.
        figure.dpi = DOTS_PER_INCH
        _PRINT[kind](figure, buffer)
    figure.set_layout_engine("none")  # the parts are where they belong; laying them out again would take as long
    return _shorten(buffer.getvalue()) if kind == "svg" else buffer.getvalue()


def _shorten(svg: bytes) -> bytes:
    """Without names of empty parts, and with coordinates to a hundredth of a point: half the bytes look the same.

    Matplotlib names parts by a hash of their coordinates, whose last bits are not the same on every machine. They get
    numbers instead.
    """
    numbers: dict[bytes, bytes] = {}
    svg = _HASHED.sub(lambda found: found[1] + numbers.setdefault(found[2], b"n%d" % (len(numbers) + 1)), svg)
    svg = _FAMILY.sub(b"font-family: 'DejaVu Sans', Verdana, sans-serif;", _EMPTY.sub(b"", svg))
    return _COORDINATES.sub(lambda found: _DIGITS.sub(rb"\1", found[0]), svg)


_HASHED = re.compile(rb'( id="|"#|\(#)([A-Za-z]\w*[0-9a-f]{10})(?=["\)])')
_EMPTY = re.compile(rb'\s*<g id="[^"]*"/>')
_FAMILY = re.compile(rb"font-family: [^;\"]*;")
_COORDINATES = re.compile(rb' (?:d|x|y|transform)="[^"]*"')
_DIGITS = re.compile(rb"(\.\d\d)\d+")
