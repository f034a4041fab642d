"""One trial: the same bits every time, divergence, stopping, and what is reported when."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from training.hyperparameters import Configuration
from training.images.data import TaskData
from training.loop import train
from training.reproducibility.environment import prepare
from training.trial import BatchLosses, Ending, EpochEnd, Outcome, Part, Progress, TrialRequest

Configure = Callable[..., Configuration]


def start(data: TaskData, wanted: Configuration, seed: int = 10, part: Part = Part.TRIAL) -> Iterator[Progress | None]:
    return train(TrialRequest(data.task.name, wanted, seed, part), data)


def test_a_trial_gives_the_same_bits_again(few: TaskData, configuration: Configure, record: Callable) -> None:
    first = record(start(few, configuration()))
    assert record(start(few, configuration())) == first


def test_it_gives_the_same_bits_after_others_that_used_up_randomness(
    few: TaskData, configuration: Configure, record: Callable
) -> None:
    first = record(start(few, configuration()))
    record(start(few, configuration(optimizer="rmsprop", batch_size=7), seed=3))
    torch.manual_seed(99)
    assert record(start(few, configuration())) == first


def test_it_gives_the_same_bits_when_another_trial_runs_between_every_two_steps(
    few: TaskData, configuration: Configure, record: Callable
) -> None:
    alone = record(start(few, configuration()))
    others = itertools.chain.from_iterable(
        start(few, configuration(loss="mse"), seed=seed) for seed in itertools.count()
    )

    def interleaved() -> Iterator[Progress | None]:
        for item in start(few, configuration()):
            next(others)
            torch.rand(3)
            yield item

    assert record(interleaved()) == alone


def test_a_trial_leaves_the_randomness_of_its_process_as_it_was(few: TaskData, configuration: Configure) -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    list(start(few, configuration()))
    assert torch.equal(torch.rand(4), expected)


def test_other_seeds_give_other_losses(few: TaskData, configuration: Configure, record: Callable) -> None:
    first_losses = {record(start(few, configuration(epochs=1), seed=seed)).losses[0] for seed in range(4)}
    assert len(first_losses) == 4


def test_nothing_entered_changes_the_initial_weights_or_the_order_of_the_images(
    few: TaskData, configuration: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[int]] = []
    load_batch = TaskData.batch

    def watched(data: TaskData, places: torch.Tensor) -> torch.Tensor:
        seen.append(places.tolist())
        return load_batch(data, places)

    monkeypatch.setattr(TaskData, "batch", watched)
    orders = []
    for wanted in (configuration(batch_size=16), configuration(batch_size=7, optimizer="sgd", loss="l1")):
        seen.clear()
        list(start(few, wanted))
        measured = few.validation.tolist()
        orders.append([place for batch in seen if batch != measured for place in batch])
    assert orders[0] == orders[1]
    assert sorted(orders[0][:48]) == sorted(orders[0][48:]) == few.training.tolist()
    assert orders[0][:48] != orders[0][48:], "every epoch has an order of its own"


def test_an_epoch_reports_its_batch_losses_then_their_weighted_mean_and_the_validation_accuracy(
    few: TaskData, configuration: Configure
) -> None:
    items = [item for item in start(few, configuration(batch_size=20)) if item is not None]
    assert [type(item).__name__ for item in items if not isinstance(item, BatchLosses)] == [
        "EpochEnd",
        "EpochEnd",
        "Outcome",
    ]
    for epoch in (1, 2):
        blocks = [item for item in items if isinstance(item, BatchLosses) and item.epoch == epoch]
        losses = [loss for block in blocks for loss in block.losses]
        assert [block.first_step for block in blocks] == [
            sum(len(b.losses) for b in blocks[:i]) for i in range(len(blocks))
        ]
        end = next(item for item in items if isinstance(item, EpochEnd) and item.epoch == epoch)
        assert end.training_loss == pytest.approx((20 * losses[0] + 20 * losses[1] + 8 * losses[2]) / 48, rel=1e-12)
        assert end.accuracy is not None
        assert end.accuracy * 20 / 100 == round(end.accuracy * 20 / 100), "a whole number of 20 images"
    outcome = items[-1]
    assert isinstance(outcome, Outcome)
    assert (outcome.ending, outcome.epochs_completed, outcome.accuracy) == (Ending.COMPLETE, 2, end.accuracy)
    assert outcome.seconds > 0
    assert outcome.images_per_second > 0
    assert outcome.environment is not None
    assert (outcome.environment.device, outcome.environment.threads) == ("cpu", 1)


def test_an_evaluation_trains_on_training_and_validation_and_shows_no_accuracy_before_its_end(
    few: TaskData, configuration: Configure, record: Callable
) -> None:
    found = record(start(few, configuration(batch_size=17), part=Part.EVALUATION))
    assert len(found.losses) == 2 * math.ceil((48 + 20) / 17)
    assert [accuracy for _, _, accuracy in found.epochs] == [None, None]
    assert found.accuracy is not None


def test_the_network_learns(digits: TaskData, configuration: Configure, record: Callable) -> None:
    found = record(start(digits, configuration(epochs=4, batch_size=64, learning_rate=3e-4)))
    assert found.epochs[-1][1] < 0.75 * found.epochs[0][1]
    assert found.accuracy > 30, "chance is 10 %"


@pytest.mark.parametrize("loss", ["mse", "l1", "cross_entropy", "nll"])
def test_a_loss_that_is_not_finite_ends_the_trial_and_is_the_last_one_recorded(
    loss: str, few: TaskData, configuration: Configure, record: Callable
) -> None:
    # With a smoothing constant of 1 and no epsilon every update divides by zero, whatever the loss.
    wild = configuration(optimizer="rmsprop", loss=loss, learning_rate=100, alpha=1, epsilon=0, epochs=50, batch_size=1)
    found = record(start(few, wild))
    assert found.ending == Ending.DIVERGED
    assert not math.isfinite(found.losses[-1])
    assert all(math.isfinite(each) for each in found.losses[:-1])
    assert found.accuracy is None


def test_a_batch_may_hold_one_image_or_all_of_them(few: TaskData, configuration: Configure, record: Callable) -> None:
    assert len(record(start(few, configuration(batch_size=1, epochs=1))).losses) == 48
    assert len(record(start(few, configuration(batch_size=48, epochs=1))).losses) == 1
    assert len(record(start(few, configuration(batch_size=1000, epochs=1))).losses) == 1


def test_a_stop_ends_it_before_the_next_step_and_keeps_the_losses_until_there(
    few: TaskData, configuration: Configure, record: Callable
) -> None:
    whole = record(start(few, configuration(batch_size=4)))
    asked = iter([False] * 5 + [True])
    request = TrialRequest("few-digits", configuration(batch_size=4), 10)
    items = list(train(request, few, stop=lambda: next(asked)))
    found = record(iter(items))
    assert found.ending == Ending.STOPPED
    assert found.losses == whole.losses[:5]
    assert found.accuracy is None


def test_a_trial_says_which_data_or_preparation_it_misses(
    few: TaskData, configuration: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="for the task other, but the data are those of few-digits"):
        next(iter(train(TrialRequest("other", configuration(), 10), few)))
    monkeypatch.setattr("training.reproducibility.environment._prepared_thread", None)
    with pytest.raises(RuntimeError, match=r"call training\.reproducibility\.environment\.prepare"):
        next(iter(start(few, configuration())))


def test_a_negative_seed_is_refused(configuration: Configure) -> None:
    with pytest.raises(ValueError, match="seed of a trial must be 0 or more"):
        TrialRequest("few-digits", configuration(), -1)


def test_what_it_ran_on_names_processor_versions_and_threads(few: TaskData) -> None:
    environment = prepare(torch.device("cpu"), 1)
    assert environment.torch == torch.__version__
    assert environment.processor
    assert (environment.cuda, environment.precision) == (None, "float32")
    assert replace(environment, threads=2) != environment
