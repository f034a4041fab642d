"""The picture that a participant watches while a trial trains.

Left the batch losses of the current epoch, right the loss after each epoch, as in the paper's web application.
:func:`loss_curves` computes what is to be shown, :func:`draw` draws it; the numbers are tested without a picture.

A picture says nothing about the task: no data set, no network, no class, no accuracy.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from PIL import Image

from reports.figures.colours import BLUE, GREEN, GRID, INK, VERMILION

Scale = Literal["linear", "log"]

MOST_POINTS = 360
"""Points kept of a curve: more than there are pixel columns in a panel's half would draw nothing new."""

STRETCHES = 48
"""Of a long epoch: the mean loss of each is drawn over the losses themselves, whose course is lost in their noise."""

LONG = 160
"""So many losses are a long epoch."""

FEWEST_EPOCHS_AHEAD = 10
"""So many epochs fit on an axis however few are done yet."""

LOG_FROM_RATIO = 30.0
"""A logarithmic scale helps when the largest loss is this many times the smallest; below, it hides the shape."""


@dataclass(frozen=True)
class Curve:
    """One panel's line: finite losses at the places they belong to, thinned for drawing.

    Attributes:
        places: Batch or epoch numbers, from 1, ascending; at most ``MOST_POINTS``.
        losses: The loss at each place; finite. Of a thinned stretch its smallest and largest are kept.
        length: The right end of the axis: how many there will be when all is done, or in a while.
        scale: How the losses are drawn.
        trend: Of a long curve the place in the middle of each stretch and the stretch's mean loss; empty otherwise.
    """

    places: tuple[int, ...]
    losses: tuple[float, ...]
    length: int
    scale: Scale
    trend: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Divergence:
    """Where the loss stopped being a number.

    Attributes:
        epoch: From 1.
        batch: From 1, within the epoch.
        kind: ``"NaN"`` or ``"infinite"``.
    """

    epoch: int
    batch: int
    kind: Literal["NaN", "infinite"]


@dataclass(frozen=True)
class LossCurves:
    """What the picture shows, computed.

    Attributes:
        epoch: The current epoch, from 1.
        epochs_planned: How many the configuration asks for.
        batches: The batch losses of the current epoch.
        epochs: The training loss of each epoch that has ended.
        batch_count: How many batch losses of the current epoch are known, before thinning.
        latest_batch: The last finite batch loss of the current epoch.
        divergence: Where training diverged, ``None`` while it has not.
        alt_text: The picture in words and numbers, for screen readers and for those who see no picture.
    """

    epoch: int
    epochs_planned: int
    batches: Curve
    epochs: Curve
    batch_count: int
    latest_batch: float | None
    divergence: Divergence | None
    alt_text: str


def loss_curves(
    batch_losses: Sequence[float],
    epoch_losses: Sequence[float],
    *,
    epoch: int,
    epochs_planned: int,
    batches_per_epoch: int | None = None,
) -> LossCurves:
    """Compute what the picture of a trial shows.

    Args:
        batch_losses: The losses of the current epoch, in order. A non-finite one is where training diverged;
            what follows it is not shown.
        epoch_losses: The training loss of every epoch that has ended, in order; non-finite ones are left out.
        epoch: The epoch that ``batch_losses`` belong to, from 1 (before the first batch: 1).
        epochs_planned: How many epochs the configuration asks for, from 1.
        batches_per_epoch: How many batches an epoch has, so that the axis does not grow; ``None`` if unknown.
    """
    batches = np.asarray(batch_losses, dtype=np.float64)
    finite = np.isfinite(batches)
    divergence = None
    if not finite.all():
        first = int(np.argmin(finite))
        divergence = Divergence(epoch, first + 1, "NaN" if math.isnan(batches[first]) else "infinite")
        batches = batches[:first]
    ends = np.asarray(epoch_losses, dtype=np.float64)
    ended = np.flatnonzero(np.isfinite(ends))
    latest = float(batches[-1]) if batches.size else None
    return LossCurves(
        epoch=epoch,
        epochs_planned=epochs_planned,
        batches=_curve(
            np.arange(batches.size),
            batches,
            max(batches_per_epoch or 0, batches.size + (divergence is not None), 1),
            noisy=True,
        ),
        epochs=_curve(ended, ends[ended], _epochs_ahead(ends.size, epochs_planned)),
        batch_count=int(batches.size),
        latest_batch=latest,
        divergence=divergence,
        alt_text=_in_words(epoch, epochs_planned, batches, ends[ended], batches_per_epoch, divergence),
    )


def format_loss(loss: float) -> str:
    """A loss as a person reads it: four significant digits at most, ``0.0213``, ``2.303``, ``1.2e6``."""
    if loss != 0 and not 1e-3 <= abs(loss) < 1e5:
        mantissa, exponent = f"{loss:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{loss:.4g}" if abs(loss) < 1e4 else f"{loss:.0f}"


def _curve(
    indices: npt.NDArray[np.int64], losses: npt.NDArray[np.float64], length: int, *, noisy: bool = False
) -> Curve:
    kept = _thin(losses)
    return Curve(
        places=tuple((indices[kept] + 1).tolist()),
        losses=tuple(losses[kept].tolist()),
        length=length,
        scale=_scale(losses),
        trend=_trend(losses) if noisy and losses.size >= LONG else (),
    )


def _trend(losses: npt.NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """The middle and the mean of stretches of equal length; an unfinished last one counts as far as it goes."""
    edges = np.linspace(0, losses.size, STRETCHES + 1)
    return tuple(
        ((start + end + 1) / 2, float(losses[round(start) : round(end)].mean())) for start, end in pairwise(edges)
    )


def _epochs_ahead(done: int, planned: int) -> int:
    """The right end of the epochs' axis: all that are planned, unless what is done would be lost at its left end.

    The end then doubles from time to time, so that a quarter of the axis is used at least, and it seldom moves.
    """
    power_of_two = 1 << (2 * done - 1).bit_length()  # the first that is twice what is done, or more
    return max(done, 1, min(planned, max(FEWEST_EPOCHS_AHEAD, power_of_two)))


def _thin(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Indices to draw: of every stretch its smallest and largest loss, so that no spike is hidden; first and last."""
    if losses.size <= MOST_POINTS:
        return np.arange(losses.size)
    edges = np.linspace(0, losses.size, MOST_POINTS // 2, dtype=np.int64)
    kept = {0, losses.size - 1}
    for start, end in pairwise(edges):
        stretch = losses[start:end]
        kept.update((int(start + stretch.argmin()), int(start + stretch.argmax())))
    return np.array(sorted(kept), dtype=np.int64)


def _scale(losses: npt.NDArray[np.float64]) -> Scale:
    if losses.size < 2 or losses.min() <= 0:
        return "linear"
    return "log" if losses.max() / losses.min() >= LOG_FROM_RATIO else "linear"


def _in_words(
    epoch: int,
    epochs_planned: int,
    batches: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    batches_per_epoch: int | None,
    divergence: Divergence | None,
) -> str:
    said = [f"Training loss, epoch {epoch} of {epochs_planned}."]
    if batches.size:
        of_how_many = f" of {batches_per_epoch}" if batches_per_epoch else ""
        said.append(
            f"Batch {batches.size}{of_how_many}: {format_loss(batches[-1])} "
            f"(this epoch from {format_loss(batches.min())} to {format_loss(batches.max())})."
        )
    if ends.size == 1:
        said.append(f"After epoch 1: {format_loss(ends[0])}.")
    elif ends.size:
        said.append(
            f"After the first epoch: {format_loss(ends[0])}; after the last of {ends.size}: {format_loss(ends[-1])}; "
            f"lowest {format_loss(ends.min())}."
        )
    if divergence:
        said.append(
            f"Diverged: the loss became {divergence.kind} at batch {divergence.batch} of epoch {divergence.epoch}."
        )
    elif not batches.size and not ends.size:
        said.append("No losses yet.")
    return " ".join(said)


# --- drawing -------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 760, 420
"""Pixels. In a thread on a phone the picture is some 300 wide, so text of 23 pixels is 9 high there."""

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
