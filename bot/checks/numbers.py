"""Numbers to be read by people, as a picture and as a chart: only eyes can tell whether Slack shows them."""

import io
import secrets

from bot.live.line_chart import DataVisualizationBlock

_LEAST, _MOST = 10, 99
_WIDTH, _HEIGHT, _DPI = 320, 200, 100
_TEXT = 90  # points


def draw_lots(count: int) -> tuple[int, ...]:
    """So many numbers of two digits, all different, drawn at random."""
    return tuple(secrets.SystemRandom().sample(range(_LEAST, _MOST + 1), count))


def as_picture(number: int) -> bytes:
    """A number, written large.

    Returns:
        A PNG of 320 × 200 pixels without metadata; the same number gives the same bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.5, 0.5, str(number), fontsize=_TEXT, weight="bold", ha="center", va="center")
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def as_chart(number: int) -> DataVisualizationBlock:
    """A line chart whose title says the number, and whose line ends at it."""
    points = {"1": 0.0, "2": number / 2, "3": float(number)}
    return DataVisualizationBlock(
        title=f"The number is {number}", name="Number", x_label="x", y_label="y", points=points
    )
