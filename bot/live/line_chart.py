"""A trial's losses as Slack's own line chart, and as a line of text, for workspaces that refuse pictures.

The chart is Slack's ``data_visualization`` block
(https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block): one series here, at most 20 categories
of at most 20 characters, every value finite, a title of at most 50 characters.
"""

from typing import Any

from slack_sdk.models.blocks import Block, PlainTextObject, SectionBlock

from reports.figures.loss_plot import Curve, LossCurves

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


def as_chart_block(curves: LossCurves) -> DataVisualizationBlock | None:
    """The losses as a line chart: of the epochs, or of the batches while fewer than two epochs have ended.

    Returns:
        The chart; ``None`` when there is no finite loss to draw.
    """
    epochs = len(curves.epochs.places) >= 2 or (len(curves.epochs.places) == 1 and curves.epochs_planned == 1)
    curve = curves.epochs if epochs else curves.batches
    if not curve.places:
        return None
    of = "Loss after each epoch" if epochs else f"Batch losses, epoch {curves.epoch} of {curves.epochs_planned}"
    title = f"{of} (diverged)" if curves.divergence else of
    return DataVisualizationBlock(
        title=title[:50],
        name="Training loss",
        x_label="Epoch" if epochs else "Batch",
        y_label="Loss",
        points=_points(curve),
    )


def as_text_block(curves: LossCurves) -> SectionBlock:
    """The losses in words and numbers."""
    return SectionBlock(text=PlainTextObject(text=curves.alt_text))


def _points(curve: Curve) -> dict[str, float]:
    """At most ``MOST_CATEGORIES`` of the losses, evenly chosen, the first and the last among them."""
    last = len(curve.places) - 1
    count = min(len(curve.places), MOST_CATEGORIES)
    chosen = [round(at * last / (count - 1)) for at in range(count)] if count > 1 else [0]
    # Six digits: the chart shows no more, and all digits of a float would make the message too long.
    return {str(curve.places[at]): float(f"{curve.losses[at]:.6g}") for at in chosen}
