"""The settings of a pilot lie evenly over what people would try, and are the same everywhere."""

from collections import Counter

from training.hyperparameters import BY_NAME, Optimizer
from training.search.spread import spread


def test_they_are_the_same_everywhere_and_a_longer_list_begins_alike() -> None:
    settings = spread(64, epochs=10, training_images=4000)
    assert spread(16, epochs=10, training_images=4000) == settings[:16]
    first = settings[0]
    assert (first.optimizer, first.loss, first.batch_size, first.learning_rate, first.epochs) == (
        "adagrad",
        "cross_entropy",
        16,
        0.00316,
        10,
    )


def test_optimizers_and_magnitudes_have_equal_shares() -> None:
    settings = spread(120, epochs=10, training_images=4000)
    optimizers = Counter(each.optimizer for each in settings)
    assert set(optimizers) == set(Optimizer)
    assert max(optimizers.values()) - min(optimizers.values()) <= 4, "120 is no multiple of 9"
    low = sum(each.learning_rate < 0.00316 for each in settings)
    assert abs(low - 60) <= 2


def test_the_rest_stays_as_preset_and_no_batch_is_larger_than_the_split() -> None:
    given = {"epochs", "batch_size", "loss", "optimizer", "learning_rate"}
    for each in spread(64, epochs=3, training_images=40):
        assert each.epochs == 3
        assert each.batch_size <= 40
        assert all(value == BY_NAME[name].default for name, value in each.as_dict().items() if name not in given)
