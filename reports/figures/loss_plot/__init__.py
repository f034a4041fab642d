"""The picture that a participant watches while a trial trains, as in the paper's web application.

:func:`loss_curves` computes what is to be shown, :func:`draw` draws it. A picture says nothing about the task: no data
set, no network, no class, no accuracy.
"""

from reports.figures.loss_plot.curves import (
    HEIGHT,
    WIDTH,
    Curve,
    Divergence,
    LossCurves,
    format_loss,
    loss_curves,
    loss_curves_of,
)

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Curve",
    "Divergence",
    "LossCurves",
    "draw",
    "format_loss",
    "loss_curves",
    "loss_curves_of",
    "prepare",
]


def draw(curves: LossCurves) -> bytes:
    """Draw the curves: see :func:`reports.figures.loss_plot.picture.draw`."""
    from reports.figures.loss_plot import picture

    return picture.draw(curves)


def prepare() -> None:
    """Load Matplotlib, which :func:`draw` needs. It takes a second, so a bot that starts does it later."""
    from reports.figures.loss_plot import picture  # noqa: F401
