"""The losses as Slack's charts and as text, within the limits of Slack's reference."""

import math

import pytest

from bot.live.line_chart import as_chart_blocks, as_text_block
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
    blocks = as_chart_blocks(curves)

    assert 1 <= len(blocks) <= 2
    for block in blocks:
        content = block.to_dict()
        axis, (series,) = content["chart"]["axis_config"], content["chart"]["series"]
        assert content["type"] == "data_visualization"
        assert len(content["title"]) <= 50
        assert 1 <= len(axis["categories"]) <= 20
        assert len(set(axis["categories"])) == len(axis["categories"])
        assert all(len(each) <= 20 for each in [*axis["categories"], series["name"]])
        assert [point["label"] for point in series["data"]] == axis["categories"]
        assert all(math.isfinite(point["value"]) for point in series["data"])


def test_there_is_a_chart_of_the_epochs_batches_and_one_of_the_epochs() -> None:
    batches, epochs = as_chart_blocks(
        loss_curves([9.0, 8.0], [3.0 / n for n in range(1, 101)], epoch=101, epochs_planned=200)
    )

    assert batches.title == "Batch losses, epoch 101 of 200"
    assert batches.chart["series"][0]["data"] == [{"label": "1", "value": 9.0}, {"label": "2", "value": 8.0}]
    assert epochs.title == "Loss after each epoch"
    points = epochs.chart["series"][0]["data"]
    assert (points[0], points[-1]) == ({"label": "1", "value": 3.0}, {"label": "100", "value": 0.03})


def test_of_many_batches_a_point_is_the_mean_of_those_since_the_one_before() -> None:
    (batches,) = as_chart_blocks(loss_curves([1.0, 3.0] * 100, [], epoch=1, epochs_planned=5))

    points = batches.chart["series"][0]["data"]
    assert [point["label"] for point in points] == [str(10 * n) for n in range(1, 21)]
    assert {point["value"] for point in points} == {2.0}


def test_the_title_says_when_the_batches_diverged() -> None:
    batches, epochs = as_chart_blocks(loss_curves([2.0, 8.0, NAN], [2.5], epoch=2, epochs_planned=5))

    assert batches.title == "Batch losses, epoch 2 of 5 (diverged)"
    assert batches.chart["axis_config"]["categories"] == ["1", "2"]
    assert epochs.chart["axis_config"]["categories"] == ["1"]


def test_without_a_finite_loss_there_is_no_chart_but_there_are_words() -> None:
    curves = loss_curves([NAN], [], epoch=1, epochs_planned=5)

    assert as_chart_blocks(curves) == ()
    assert "Diverged: the loss became NaN at batch 1 of epoch 1." in str(as_text_block(curves).to_dict())
