"""The picture that a participant watches while a trial trains, as in the paper's web application.

:func:`loss_curves` computes what is to be shown, :func:`draw` draws it. A picture says nothing about the task: no data
set, no network, no class, no accuracy.
"""

from reports.figures.loss_plot.curves import Curve, Divergence, LossCurves, format_loss, loss_curves, loss_curves_of
from reports.figures.loss_plot.picture import HEIGHT, WIDTH, draw

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
]
