"""Searchers: what is drawn at random, and what TPE proposes."""

import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy import stats

from training.hyperparameters import BY_NAME, HYPERPARAMETERS, Configuration, Loss, Optimizer
from training.search.searchers import Tpe, derived_seed, describe, draw
from training.search.space import SPACE, Count, PowerOfTwo, Real

ROOT = Path(__file__).parents[3]
IMAGES = 1437

PROPOSE = """
from training.search.searchers import Tpe, draw
settings = draw(14, 3, training_images=1437)
print(Tpe(8, 1437).next([(each, 10.0 * place % 70) for place, each in enumerate(settings)]))
"""

History = list[tuple[Configuration, float | None]]


@pytest.fixture(scope="module")
def many() -> list[Configuration]:
    return draw(4000, 10, training_images=IMAGES)


def test_a_seed_gives_these_settings_on_every_machine() -> None:
    first, second = draw(2, 10, training_images=IMAGES)
    assert first.summary() == (
        "Adam · negative log likelihood · 80 epochs · batch 16 · learning rate 0.00366 · weight decay 4.78e-06 · "
        "epsilon 0.000401 · beta1 0.81 · beta2 0.885"
    )
    assert second.summary() == (
        "Adam · mean squared error · 71 epochs · batch 16 · learning rate 0.341 · weight decay 0.0000135 · "
        "epsilon 3.8e-08 · beta1 0.9631 · beta2 0.9676"
    )


def test_a_longer_list_begins_like_a_shorter_one_and_another_seed_gives_others(many: list[Configuration]) -> None:
    assert draw(320, 10, training_images=IMAGES) == many[:320]
    assert not set(draw(320, 11, training_images=IMAGES)) & set(many)
    assert draw(0, 10, training_images=IMAGES) == []


def test_what_is_drawn_could_have_been_entered_and_what_is_not_used_stays_at_its_default(
    many: list[Configuration],
) -> None:
    for each in many:
        assert Configuration.create(each.as_dict(), training_images=IMAGES) == each
        for hyperparameter in HYPERPARAMETERS:
            if not hyperparameter.used_by(each.optimizer):
                assert getattr(each, hyperparameter.name) == hyperparameter.default


def test_every_choice_and_every_batch_size_is_as_likely_as_the_others(many: list[Configuration]) -> None:
    for name, count in (("loss", 4), ("optimizer", 6), ("batch_size", 7)):
        found = Counter(getattr(each, name) for each in many)
        assert len(found) == count
        assert stats.chisquare(list(found.values())).pvalue > 0.001, name
    assert {each.batch_size for each in many} == {8, 16, 32, 64, 128, 256, 512}


@pytest.mark.parametrize("name", [name for name, kind in SPACE.items() if isinstance(kind, Real)])
def test_numbers_have_the_distribution_that_is_documented(many: list[Configuration], name: str) -> None:
    kind = SPACE[name]
    assert isinstance(kind, Real)
    values = [getattr(each, name) for each in many if BY_NAME[name].used_by(each.optimizer)]
    drawn = [1 - value if kind.below_one else value for value in values]
    low, high = kind.low, kind.high
    if kind.logarithmic:
        drawn, low, high = [math.log(value) for value in drawn], math.log(low), math.log(high)
    assert low - 1e-9 <= min(drawn) < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < max(drawn) <= high + 1e-9
    assert stats.kstest(drawn, stats.uniform(low, high - low).cdf).pvalue > 0.001


def test_epochs_are_log_uniform_whole_numbers_and_can_be_limited(many: list[Configuration]) -> None:
    epochs = [each.epochs for each in many]
    assert (min(epochs), max(epochs)) == (1, 100)
    assert sorted(epochs)[len(epochs) // 2] == 7  # √(0.5 × 100.5), rounded
    limited = draw(500, 10, training_images=IMAGES, most_epochs=3)
    assert {each.epochs for each in limited} == {1, 2, 3}
    assert [each.learning_rate for each in limited] == [each.learning_rate for each in many[:500]]
    with pytest.raises(ValueError, match="at least one epoch"):
        draw(1, 10, training_images=IMAGES, most_epochs=0)


def test_no_batch_is_larger_than_the_training_split() -> None:
    assert {each.batch_size for each in draw(200, 10, training_images=48)} == {8, 16, 32}
    assert {each.batch_size for each in draw(20, 10, training_images=5)} == {4}
    assert {each.batch_size for each in draw(20, 10, training_images=1)} == {1}


def test_the_distributions_are_told_for_all_fifteen() -> None:
    rows = dict(describe(IMAGES, most_epochs=4))
    assert list(rows) == [each.label for each in HYPERPARAMETERS]
    assert rows["Epochs"] == "log-uniform whole number from 1 to 4"
    assert rows["Batch size"] == "one of 8, 16, 32, 64, 128, 256, 512"
    assert rows["Learning rate"] == "log-uniform from 0.00001 to 1"
    assert rows["Momentum"] == "uniform from 0 to 0.99, with RMSprop and SGD"
    assert rows["Rho"] == "1 minus log-uniform from 0.001 to 0.5, with Adadelta"
    assert rows["Epsilon"] == "log-uniform from 1e-10 to 0.01, with Adam, Adadelta and RMSprop"


@pytest.mark.parametrize("name", SPACE)
def test_what_was_drawn_is_found_again_from_the_value(many: list[Configuration], name: str) -> None:
    """TPE is told of earlier trials by their values."""
    kind = SPACE[name]
    for value in [getattr(each, name) for each in many[:200] if BY_NAME[name].used_by(each.optimizer)]:
        match kind:
            case Real():
                assert kind.value_of(kind.drawn_for(value)) == pytest.approx(value, rel=1e-3)
            case PowerOfTwo():
                assert 2 ** kind.drawn_for(value) == value
            case Count():
                assert kind.drawn_for(value) == value


def quality(configuration: Configuration) -> float | None:
    """A made-up accuracy: best for Adam near a learning rate of 0.003; large learning rates diverge."""
    if configuration.learning_rate > 0.3:
        return None
    away = abs(math.log10(configuration.learning_rate) - math.log10(0.003))
    return 90 - 20 * away - (0 if configuration.optimizer is Optimizer.ADAM else 25)


def tune(seed: int, tries: int) -> History:
    history: History = []
    tpe = Tpe(seed, IMAGES)
    for _ in range(tries):
        proposed = tpe.next(history)
        history.append((proposed, quality(proposed)))
    return history


def best(history: Sequence[tuple[Configuration, float | None]]) -> float:
    return max(accuracy for _, accuracy in history if accuracy is not None)


def test_tpe_proposes_the_same_after_a_restart() -> None:
    history = tune(5, 16)
    for place in (0, 3, 10, 15):
        assert Tpe(5, IMAGES).next(history[:place]) == history[place][0]
    assert Tpe(6, IMAGES).next(history[:12]) != history[12][0]


def test_tpe_proposes_the_same_in_every_process() -> None:
    proposals = {
        subprocess.run(
            [sys.executable, "-c", PROPOSE],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(proposals) == 1


def test_tpe_learns_from_what_it_has_tried() -> None:
    tuned, drawn = [], []
    for seed in range(4):
        tuned.append(best(tune(seed, 25)))
        drawn.append(best([(each, quality(each)) for each in draw(25, seed, training_images=IMAGES)]))
    assert sum(tuned) > sum(drawn)


def test_what_has_no_accuracy_counts_as_the_worst() -> None:
    """Where every SGD diverges and all others reach the same, SGD is hardly proposed any more."""
    history: History = [
        (each, None if each.optimizer is Optimizer.SGD else 50.0) for each in draw(60, 1, training_images=IMAGES)
    ]
    proposed = [Tpe(seed, IMAGES).next(history).optimizer for seed in range(24)]
    assert proposed.count(Optimizer.SGD) <= 1


def test_trials_from_elsewhere_are_learnt_from_too() -> None:
    """Values outside the distributions count as the nearest bound: nothing is refused."""
    wild = Configuration.create(
        {"epochs": 1000, "batch_size": 100, "loss": Loss.L1, "optimizer": "sgd", "learning_rate": 50, "momentum": 1}
    )
    default = Configuration.create({"epochs": 5, "batch_size": 64, "loss": Loss.NLL, "optimizer": "adagrad"})
    proposed = Tpe(1, IMAGES).next([(wild, None), (default, 60.0)] * 8)
    assert Configuration.create(proposed.as_dict(), training_images=IMAGES) == proposed


def test_nothing_is_written_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    tune(2, 12)
    assert capfd.readouterr() == ("", "")


def test_seeds_that_follow_from_a_seed_differ() -> None:
    assert len({derived_seed(10, member) for member in range(1000)}) == 1000
    assert derived_seed(10, 1) == derived_seed(10, 1) != derived_seed(11, 1)
