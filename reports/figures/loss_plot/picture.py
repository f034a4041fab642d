"""Draws the losses of a trial: left the batch losses of the current epoch, right the loss after each epoch."""

import io
from threading import Lock
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from PIL import Image

from reports.figures.colours import BLUE, GREEN, GRID, INK, VERMILION
from reports.figures.loss_plot.curves import HEIGHT, WIDTH, Curve, LossCurves, format_loss

LEAST_RANGE, LEAST_RANGE_OF_LONG_NUMBERS = 0.02, 0.25
"""A linear axis covers this part of its largest loss at least, so that its numbers differ within four digits;

the second one holds where a number with so many digits, such as 0.01005, is too long to be written beside the axis.
"""

TWO_TICKS_A_DECADE = 300.0
"""A logarithmic axis over a smaller ratio has a line at 1, 3, 10, 30 …, and over a larger one at 1, 10, 100 …."""

_DPI = 100
_TEXT = 16.5  # points: 23 pixels
_SHADES = 64


def draw(curves: LossCurves) -> bytes:
    """Draw the curves.

    Safe to call from any thread: pictures are drawn one after the other on one figure that is kept, since
    making a new one takes as long as the drawing.

    Returns:
        A PNG of ``WIDTH`` × ``HEIGHT`` pixels without metadata.
    """
    return _PICTURE.draw(curves)


class _Picture:
    """The one figure, with what changes from picture to picture."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._batches = _Panel(self._figure.add_axes((0.12, 0.19, 0.355, 0.68)), "batch", BLUE)
        self._epochs = _Panel(self._figure.add_axes((0.615, 0.19, 0.355, 0.68)), "epoch", GREEN)

    def draw(self, curves: LossCurves) -> bytes:
        with self._lock:
            self._batches.show(
                curves.batches,
                title=f"Loss, epoch {curves.epoch}",
                diverged_at=curves.divergence.batch if curves.divergence else None,
            )
            self._epochs.show(curves.epochs, title="Loss by epoch")
            self._canvas.draw()  # type: ignore[no-untyped-call]
            buffer = self._canvas.buffer_rgba()  # type: ignore[no-untyped-call]
            pixels = Image.frombuffer("RGBA", (WIDTH, HEIGHT), buffer, "raw", "RGBA", 0, 1)
            # Lines and letters on white: so many shades are enough, take half the time, and a third of the bytes.
            shades = pixels.convert("RGB").quantize(_SHADES, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            png = io.BytesIO()
            shades.save(png, "PNG", compress_level=4)
            return png.getvalue()


class _Panel:
    """One half of the picture: a line, its latest loss in numbers, and the mark where training diverged."""

    def __init__(self, axes: Axes, unit: str, colour: str) -> None:
        self._axes = axes
        axes.set_axisbelow(True)
        axes.grid(visible=True, axis="y", color=GRID, linewidth=1)
        axes.tick_params(labelsize=_TEXT, colors=INK, length=0, pad=5)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(INK)
        axes.set_xlabel(unit, fontsize=_TEXT, color=INK, labelpad=1)
        axes.xaxis.set_major_formatter(FuncFormatter(_whole))
        self._title = axes.set_title("", fontsize=_TEXT, color=INK, loc="left", pad=12)
        self._title.set_x(-0.28)  # above the numbers of the axis: an epoch of four digits and a loss fit into the line
        self._latest = axes.set_title("", fontsize=_TEXT, color=colour, loc="right", pad=12, weight="bold")
        (self._line,) = axes.plot([], [], color=colour, linewidth=2.2, solid_joinstyle="round")
        (self._trend,) = axes.plot([], [], color=colour, linewidth=3.2, solid_joinstyle="round")
        (self._end,) = axes.plot([], [], "o", color=colour, markersize=9, clip_on=False, zorder=5)
        (self._cross,) = axes.plot(
            [], [], "X", color=VERMILION, markeredgecolor="white", markersize=19, clip_on=False, zorder=6
        )
        self._note = axes.text(0.5, 0.5, "", transform=axes.transAxes, va="center", fontsize=_TEXT)

    def show(self, curve: Curve, *, title: str, diverged_at: int | None = None) -> None:
        self._title.set_text(title)
        self._latest.set_text(format_loss(curve.losses[-1]) if curve.losses else "")
        left, right = (0.5, 1.5) if curve.length == 1 else (1 - 0.025 * (curve.length - 1), curve.length)
        self._axes.set_xlim(left, right)
        self._axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
        self._scale_losses(curve)
        self._line.set_data(curve.places, curve.losses)
        self._line.set_alpha(0.3 if curve.trend else None)
        self._line.set_linewidth(1.1 if curve.trend else 2.2)
        self._trend.set_data([place for place, _ in curve.trend], [loss for _, loss in curve.trend])
        self._line.set_marker("o" if len(curve.places) <= 20 else "")
        self._end.set_data(curve.places[-1:], curve.losses[-1:])
        self._cross.set_data([], [])
        self._note.set_text("")
        if diverged_at is not None:
            self._cross.set_data([diverged_at], [self._axes.get_ylim()[1]])
            across = (diverged_at - left) / (right - left)
            beside = 0.05 if across < 0.5 else -0.05  # on the side of the cross where there is room
            self._write_note("diverged", across + beside, 0.92, VERMILION, "left" if beside > 0 else "right")
        elif not curve.places:
            self._write_note("no losses yet", 0.5, 0.5, INK, "center")

    def _write_note(
        self, text: str, x: float, y: float, colour: str, align: Literal["left", "center", "right"]
    ) -> None:
        self._note.set(text=text, position=(x, y), color=colour, horizontalalignment=align)

    def _scale_losses(self, curve: Curve) -> None:
        axes = self._axes
        low, high = (min(curve.losses), max(curve.losses)) if curve.losses else (0.0, 1.0)
        if axes.get_yscale() != curve.scale:
            axes.set_yscale(curve.scale)
        if curve.scale == "log":
            margin = (high / low) ** 0.06
            axes.set_ylim(low / margin, high * margin)
            subs = (1.0, 3.0) if high / low < TWO_TICKS_A_DECADE else (1.0,)
            axes.yaxis.set_major_locator(LogLocator(base=10, subs=subs, numticks=5))
        else:
            # A loss that hardly moves looks flat, and the numbers of the axis differ.
            largest = max(abs(low), abs(high))
            least = largest * (LEAST_RANGE if 0.1 <= largest < 1e4 else LEAST_RANGE_OF_LONG_NUMBERS) or 2.0
            margin = max((high - low) * 0.06, (least - (high - low)) / 2)
            axes.set_ylim(low - margin, high + margin)
            axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=2) if curve.losses else NullLocator())
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(_short))


def _short(loss: float, _position: int | None) -> str:
    if loss != 0 and not 1e-3 <= abs(loss) < 1e4:
        mantissa, exponent = f"{loss:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{loss:.4g}"


def _whole(place: float, _position: int | None) -> str:
    return f"{place:.0f}"


_PICTURE = _Picture()
