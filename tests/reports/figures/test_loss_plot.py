"""The picture of a running trial: what it shows, and that it can be drawn whatever the losses are."""

import io
import math
import threading

import numpy as np
import pytest
from PIL import Image

from reports.figures.loss_plot import HEIGHT, WIDTH, LossCurves, draw, format_loss, loss_curves, loss_curves_of
from reports.figures.loss_plot.curves import MOST_POINTS
from storage.queries.views import EpochView

NAN, INF = float("nan"), float("inf")


def running() -> LossCurves:
    return loss_curves([1.2, 1.1, 0.9, 1.0], [2.1, 1.7, 1.3], epoch=4, epochs_planned=10, batches_per_epoch=113)


def test_stored_epochs_are_shown_as_they_were_while_the_trial_ran() -> None:
    losses = [np.array([2.5, 2.0], dtype=np.float32), np.array([1.5], dtype=np.float32)]
    epochs = [EpochView(1, 2.25, 40.0, 1.0, losses[0]), EpochView(2, None, None, None, losses[1])]
    shown = loss_curves_of(epochs, epochs_planned=5, batches_per_epoch=2)
    assert shown == loss_curves([1.5], [2.25], epoch=2, epochs_planned=5, batches_per_epoch=2)
    assert loss_curves_of([], epochs_planned=5, batches_per_epoch=2) is None


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def ink(png: bytes, colour: tuple[int, int, int]) -> int:
    """How many pixels have about this colour."""
    return int((np.abs(pixels(png) - colour).max(axis=2) < 40).sum())


BLUE, GREEN, VERMILION = (0, 114, 178), (0, 158, 115), (213, 94, 0)


def test_batches_stand_left_at_their_numbers_and_epochs_right_up_to_those_planned() -> None:
    curves = running()

    assert (curves.batches.places, curves.batches.losses) == ((1, 2, 3, 4), (1.2, 1.1, 0.9, 1.0))
    assert curves.batches.length == 113
    assert (curves.epochs.places, curves.epochs.losses, curves.epochs.length) == ((1, 2, 3), (2.1, 1.7, 1.3), 10)
    assert curves.divergence is None


@pytest.mark.parametrize(("done", "planned", "shown"), [(0, 1000, 10), (4, 8, 8), (9, 1000, 32), (600, 1000, 1000)])
def test_the_epochs_axis_leaves_room_but_not_so_much_that_the_line_is_lost(done: int, planned: int, shown: int) -> None:
    curves = loss_curves([], [1.0] * done, epoch=done + 1, epochs_planned=planned)

    assert curves.epochs.length == shown


def test_the_alt_text_says_the_numbers() -> None:
    assert running().alt_text == (
        "Training loss, epoch 4 of 10. Batch 4 of 113: 1 (this epoch from 0.9 to 1.2). "
        "After the first epoch: 2.1; after the last of 3: 1.3; lowest 1.3."
    )


def test_before_the_first_loss_there_is_a_picture_that_says_so() -> None:
    curves = loss_curves([], [], epoch=1, epochs_planned=5)

    assert "No losses yet" in curves.alt_text
    assert ink(draw(curves), BLUE) == 0


@pytest.mark.parametrize(("value", "kind"), [(NAN, "NaN"), (INF, "infinite"), (-INF, "infinite")])
def test_divergence_is_marked_where_the_loss_stops_being_a_number(value: float, kind: str) -> None:
    curves = loss_curves([2.3, 9.0, 4e20, value], [2.5], epoch=2, epochs_planned=5, batches_per_epoch=20)

    assert curves.batches.losses == (2.3, 9.0, 4e20)
    assert curves.divergence is not None
    assert (curves.divergence.epoch, curves.divergence.batch, curves.divergence.kind) == (2, 4, kind)
    assert f"the loss became {kind} at batch 4 of epoch 2" in curves.alt_text
    assert ink(draw(curves), VERMILION) > 100
    assert ink(draw(running()), VERMILION) == 0


def test_an_epoch_without_a_finite_loss_is_left_out_of_the_line() -> None:
    curves = loss_curves([], [2.0, NAN], epoch=2, epochs_planned=2)

    assert curves.epochs.losses == (2.0,)


def test_the_scale_is_logarithmic_only_when_the_range_is_wide_and_positive() -> None:
    assert loss_curves([2.0, 0.01], [], epoch=1, epochs_planned=1).batches.scale == "log"
    assert loss_curves([2.0, 1.0], [], epoch=1, epochs_planned=1).batches.scale == "linear"
    assert loss_curves([2.0, 0.0], [], epoch=1, epochs_planned=1).batches.scale == "linear"
    assert loss_curves([200.0, -0.1], [], epoch=1, epochs_planned=1).batches.scale == "linear"


def test_thinning_20000_batches_keeps_the_spike_the_dip_the_first_and_the_last() -> None:
    losses = [1.0] * 20_000
    losses[7_001], losses[15_003], losses[0], losses[-1] = 40.0, 0.5, 1.5, 0.9

    curve = loss_curves(losses, [], epoch=1, epochs_planned=1).batches

    shown = dict(zip(curve.places, curve.losses, strict=True))
    assert len(shown) <= MOST_POINTS
    assert (shown[7_002], shown[15_004], shown[1], shown[20_000]) == (40.0, 0.5, 1.5, 0.9)


def test_the_course_of_a_long_epoch_is_shown_by_the_means_of_its_stretches() -> None:
    noisy = [2.0 + (1 if batch % 2 else -1) - batch / 960 for batch in range(960)]

    curve = loss_curves(noisy, noisy, epoch=1, epochs_planned=1000).batches

    assert [place for place, _ in curve.trend[:2]] == [10.5, 30.5]
    assert [loss for _, loss in curve.trend] == pytest.approx([2.0 - (place - 1) / 960 for place, _ in curve.trend])
    assert loss_curves(noisy[:40], noisy, epoch=1, epochs_planned=1000).batches.trend == ()
    assert loss_curves(noisy, noisy, epoch=1, epochs_planned=1000).epochs.trend == ()


@pytest.mark.parametrize("loss", [0.01, 0.05, 2.302585, -2.302585, 4321.0, 1.1e25, 1e-6])
def test_the_numbers_of_an_axis_are_not_cut_off_however_little_the_loss_moves(loss: float) -> None:
    left_edge = pixels(draw(loss_curves([loss] * 20, [loss] * 3, epoch=4, epochs_planned=9)))[:, :2]

    assert (left_edge > 250).all()


@pytest.mark.parametrize(
    "curves",
    [
        running(),
        loss_curves([], [], epoch=1, epochs_planned=1),
        loss_curves([2.302585], [], epoch=1, epochs_planned=1),
        loss_curves([2.302585] * 50, [2.302585] * 4, epoch=5, epochs_planned=8),
        loss_curves([0.0] * 5, [0.0], epoch=2, epochs_planned=2),
        loss_curves([NAN], [], epoch=1, epochs_planned=1),
        loss_curves([1e-45, 3.4e38], [1e-45, 3.4e38], epoch=3, epochs_planned=1000),
        loss_curves([-5.0, 5.0], [-1e30], epoch=2, epochs_planned=3),
        loss_curves([1.0] * 20_000, [1 / n for n in range(1, 1000)], epoch=1000, epochs_planned=1000),
    ],
)
def test_any_losses_make_a_png_of_the_same_size_without_metadata(curves: LossCurves) -> None:
    png = draw(curves)

    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
    assert set(picture.info) <= {"dpi"}
    assert b"atplotlib" not in png


def test_the_next_picture_shows_nothing_of_the_one_before() -> None:
    alone = draw(running())
    draw(loss_curves([2.0, 1e20, NAN], [1.0, 1e-9], epoch=3, epochs_planned=900))

    assert draw(running()) == alone


def test_pictures_drawn_in_several_threads_do_not_mix() -> None:
    cases = [loss_curves([1.0 / n, 2.0], [3.0 * n], epoch=2, epochs_planned=n + 2) for n in range(1, 5)]
    expected = [draw(each) for each in cases]
    drawn: dict[int, bytes] = {}

    threads = [threading.Thread(target=lambda n=n: drawn.update({n: draw(cases[n])})) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [drawn[n] for n in range(4)] == expected


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (0.0, "0"),
        (2.302585, "2.303"),
        (0.0213, "0.0213"),
        (1234567.0, "1.2e6"),
        (1e-5, "1.0e-5"),
        (math.e, "2.718"),
    ],
)
def test_losses_are_written_with_four_digits(loss: float, text: str) -> None:
    assert format_loss(loss) == text
