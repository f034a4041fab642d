"""Searchers: programs that choose configurations like a participant, from :mod:`training.search.space`.

Random search draws all settings in advance. TPE (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization")
is Optuna's, with Optuna's own settings: it learns from one participant's trials, as a person does.
"""

from collections.abc import Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from training.hyperparameters import HYPERPARAMETERS, Configuration, Optimizer, Value
from training.search.space import Count, Distribution, OneOf, PowerOfTwo, Real, describe, space_for

__all__ = ["Tpe", "derived_seed", "describe", "draw"]

_NOT_MEASURED = -1.0
"""Stands for the accuracy of a trial that has none. TPE only looks at the order, and this is below every accuracy."""

optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would write a line to stderr for every proposal


def draw(count: int, seed: int, *, training_images: int, most_epochs: int | None = None) -> list[Configuration]:
    """Draw settings at random. The same seed gives the same settings on every machine, and a longer list begins alike.

    NumPy promises that the raw stream of a bit generator stays the same, and of nothing above it: so only that is used.

    Args:
        count: How many.
        seed: 0 or more.
        training_images: The size of the training split: no batch is larger.
        most_epochs: A lower ceiling for the epochs than the table's.

    Raises:
        ValueError: A negative count or seed, no epoch, or no image.
    """
    space = space_for(training_images, most_epochs)
    raw = np.random.PCG64(seed).random_raw(count * len(HYPERPARAMETERS))
    positions = ((raw >> 11) * 2.0**-53).reshape(count, len(HYPERPARAMETERS)).tolist()
    return [
        Configuration.create(
            {each.name: space[each.name].at(position) for each, position in zip(HYPERPARAMETERS, row, strict=True)},
            training_images=training_images,
        )
        for row in positions
    ]


def derived_seed(seed: int, *places: int) -> int:
    """Another seed that follows from a seed and some whole numbers, such as the number of a participant; 0 or more."""
    return int(np.random.SeedSequence([seed, *places]).generate_state(1)[0])


class Tpe:
    """Proposes configurations one after another, each from all trials so far.

    Keeps nothing between two proposals: the history is told anew every time, and the randomness follows from the seed
    and the number of trials so far. So a restart changes nothing.

    As Optuna does by default, the first ten are drawn at random. What every optimizer uses is drawn jointly, what only
    some use from the trials that used it.

    Args:
        seed: 0 or more.
        training_images: The size of the training split: no batch is larger.
    """

    def __init__(self, seed: int, training_images: int) -> None:
        self._seed, self._training_images = seed, training_images
        self._space = space_for(training_images)

    def next(self, history: Sequence[tuple[Configuration, float | None]]) -> Configuration:
        """The next configuration to try.

        Args:
            history: All trials so far in their order, with the validation accuracy in percent. ``None``: the trial
                diverged, failed or was cancelled. It counts as worse than any that was measured, so TPE stays away
                from what it tried; left out, it would be proposed again and again.
        """
        sampler = optuna.samplers.TPESampler(
            seed=derived_seed(self._seed, len(history)), multivariate=True, constant_liar=False
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.add_trials([self._trial(configuration, accuracy) for configuration, accuracy in history])
        trial = study.ask()
        optimizer = Optimizer(str(self._ask(trial, "optimizer")))
        others = [each.name for each in HYPERPARAMETERS if each.name != "optimizer" and each.used_by(optimizer)]
        values: dict[str, Value] = {"optimizer": optimizer} | {name: self._ask(trial, name) for name in others}
        return Configuration.create(values, training_images=self._training_images)

    def _ask(self, trial: optuna.Trial, name: str) -> Value:
        distribution = self._space[name]
        match distribution:
            case OneOf():
                return str(trial.suggest_categorical(name, distribution.choices))
            case Count():
                return trial.suggest_int(name, distribution.low, distribution.high, log=True)
            case PowerOfTwo():
                return int(2 ** trial.suggest_int(name, distribution.low, distribution.high))
            case Real():
                drawn = trial.suggest_float(name, distribution.low, distribution.high, log=distribution.logarithmic)
                return distribution.value_of(drawn)

    def _trial(self, configuration: Configuration, accuracy: float | None) -> optuna.trial.FrozenTrial:
        used = {each.name: value for each, value in configuration.used()}
        return optuna.trial.create_trial(
            params={name: _drawn_for(self._space[name], value) for name, value in used.items()},
            distributions={name: _optunas(self._space[name]) for name in used},
            value=_NOT_MEASURED if accuracy is None else accuracy,
        )


def _optunas(distribution: Distribution) -> BaseDistribution:
    match distribution:
        case OneOf():
            return CategoricalDistribution(distribution.choices)
        case Count():
            return IntDistribution(distribution.low, distribution.high, log=True)
        case PowerOfTwo():
            return IntDistribution(distribution.low, distribution.high)
        case Real():
            return FloatDistribution(distribution.low, distribution.high, log=distribution.logarithmic)


def _drawn_for(distribution: Distribution, value: Value) -> Value:
    """What would have been drawn for a value; the nearest that can be for one from elsewhere."""
    return str(value) if isinstance(distribution, OneOf) else distribution.drawn_for(float(value))
