"""The losses as Slack's chart and as text, within the limits of Slack's reference."""

import math

import pytest

from bot.live.line_chart import as_chart_block, as_text_block
from reports.figures.loss_plot import LossCurves, loss_curves

NAN = float("nan")


@pytest.mark.parametrize(
    "curves",
    [
        loss_curves([2.3], [], epoch=1, epochs_planned=5),
        loss_curves([2.3 / n for n in range(1, 20_001)], [2.0], epoch=1000, epochs_planned=1000),
        loss_curves([1.0], [3.0 / n for n in range(1, 1000)], epoch=1000, epochs_planned=1000),
        loss_curves([2.0, 3.4e38, NAN], [], epoch=1000, epochs_planned=1000),
        loss_curves([1.0] * 21, [1e-45, NAN, 2.0], epoch=4, epochs_planned=5),
    ],
)
def test_every_chart_keeps_slacks_limits(curves: LossCurves) -> None:
    block = as_chart_block(curves)

    assert block is not None
    content = block.to_dict()
    axis, (series,) = content["chart"]["axis_config"], content["chart"]["series"]
    assert content["type"] == "data_visualization"
    assert len(content["title"]) <= 50
    assert 1 <= len(axis["categories"]) <= 20
    assert len(set(axis["categories"])) == len(axis["categories"])
    assert all(len(each) <= 20 for each in [*axis["categories"], series["name"]])
    assert [point["label"] for point in series["data"]] == axis["categories"]
    assert all(math.isfinite(point["value"]) for point in series["data"])


def test_the_chart_shows_epochs_from_the_first_to_the_last_once_there_are_two() -> None:
    block = as_chart_block(loss_curves([9.0], [3.0 / n for n in range(1, 101)], epoch=101, epochs_planned=200))

    assert block is not None
    assert block.title == "Loss after each epoch"
    points = block.chart["series"][0]["data"]
    assert (points[0], points[-1]) == ({"label": "1", "value": 3.0}, {"label": "100", "value": 0.03})


def test_before_that_it_shows_the_batches_and_says_when_they_diverged() -> None:
    block = as_chart_block(loss_curves([2.0, 8.0, NAN], [2.5], epoch=2, epochs_planned=5))

    assert block is not None
    assert block.title == "Batch losses, epoch 2 of 5 (diverged)"
    assert block.chart["axis_config"]["categories"] == ["1", "2"]


def test_without_a_finite_loss_there_is_no_chart_but_there_are_words() -> None:
    curves = loss_curves([NAN], [], epoch=1, epochs_planned=5)

    assert as_chart_block(curves) is None
    assert "Diverged: the loss became NaN at batch 1 of epoch 1." in str(as_text_block(curves).to_dict())
