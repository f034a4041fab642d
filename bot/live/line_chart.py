"""A trial's losses as Slack's own line charts, and as a line of text.

A chart is Slack's ``data_visualization`` block
(https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block): two in a message at most, one series here,
at most 20 categories of at most 20 characters, every value finite, a title of at most 50 characters. It needs no
upload, and ``chat.update`` may change it.
"""

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import Block, PlainTextObject, SectionBlock

from reports.figures.loss_plot import LossCurves

MOST_CATEGORIES = 20


class DataVisualizationBlock(Block):
    """A ``data_visualization`` block with one line. ``slack_sdk`` has no class for it yet."""

    type = "data_visualization"

    def __init__(self, *, title: str, name: str, x_label: str, y_label: str, points: dict[str, float]) -> None:
        super().__init__(type=self.type)
        self.title = title
        self.chart: dict[str, Any] = {
            "type": "line",
            "series": [{"name": name, "data": [{"label": at, "value": value} for at, value in points.items()]}],
            "axis_config": {"categories": list(points), "x_label": x_label, "y_label": y_label},
        }

    @property
    def attributes(self) -> set[str]:  # type: ignore[override]  # as in every block of the SDK
        """The attributes that ``to_dict`` writes."""
        return super().attributes | {"title", "chart"}


def as_chart_blocks(curves: LossCurves) -> tuple[DataVisualizationBlock, ...]:
    """The losses as line charts: those of the current epoch's batches, and those of the epochs that have ended.

    Returns:
        One or two charts; none when there is no finite loss to draw.
    """
    charts = []
    if curves.batches.places:
        of = f"Batch losses, epoch {curves.epoch} of {curves.epochs_planned}"
        points = curves.batches.stretches(MOST_CATEGORIES)
        charts.append(_chart(f"{of} (diverged)" if curves.divergence else of, "Batch", points))
    if curves.epochs.places:
        places, losses = curves.epochs.places, curves.epochs.losses
        chosen = _evenly(len(places), MOST_CATEGORIES)
        charts.append(_chart("Loss after each epoch", "Epoch", [(places[at], losses[at]) for at in chosen]))
    return tuple(charts)


def as_text_block(curves: LossCurves) -> SectionBlock:
    """The losses in words and numbers."""
    return SectionBlock(text=PlainTextObject(text=curves.alt_text))


def _chart(title: str, x_label: str, points: Sequence[tuple[int, float]]) -> DataVisualizationBlock:
    # Six digits: the chart shows no more, and all digits of a float would make the message too long.
    values = {str(at): float(f"{loss:.6g}") for at, loss in points}
    return DataVisualizationBlock(
        title=title[:50], name="Training loss", x_label=x_label, y_label="Loss", points=values
    )


def _evenly(count: int, most: int) -> list[int]:
    """At most ``most`` of the indices below ``count``, evenly chosen, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(at * (count - 1) / (most - 1)) for at in range(most)]
