"""How far tries are apart, and what counts as exploring."""

import numpy as np
import pytest

from reports.analysis import search_behaviour
from reports.data import configuration_space
from reports.data.study_data import Trials
from reports.results.further import GroupSearch, SearchBehaviour
from reports.results.measures import Curve, NotComputable
from tests.reports.by_hand import CANCELLED, DIVERGED, Someone, people, row_of, study
from training.hyperparameters import HYPERPARAMETERS, Configuration

SGD = {"epochs": 10, "batch_size": 64, "loss": "nll", "optimizer": "sgd"}


def made(**values: object) -> Configuration:
    return Configuration.create({**SGD, **values})  # type: ignore[dict-item]


def distance(first: Configuration, second: Configuration) -> float:
    units = configuration_space.unit(np.array([row_of(first), row_of(second)]))
    return float(configuration_space.distances(units[:1], units[1:])[0])


# --- the space --------------------------------------------------------------------------------------------------------


def test_every_hyperparameter_has_a_scale_in_table_1s_order() -> None:
    assert tuple(configuration_space.SCALES) == tuple(each.name for each in HYPERPARAMETERS)


@pytest.mark.parametrize("name", [each.name for each in HYPERPARAMETERS if each.kind != "choice"])
def test_scales_ascend_from_0_to_1(name: str) -> None:
    bounds = next(each.narrow for each in HYPERPARAMETERS if each.name == name)
    units = configuration_space.SCALES[name].unit(
        np.concatenate([[bounds.low], np.geomspace(1e-12, 1, 99) * bounds.high])
    )
    assert units.min() >= 0
    assert units.max() <= 1
    assert units[0] == 0
    assert (np.diff(units) >= -1e-12).all()


def test_values_beyond_a_scale_count_as_its_ends() -> None:
    for name, scale in configuration_space.SCALES.items():
        if scale.kind != "choice":
            ends = scale.unit(np.array([-1e300, -1.0, 1e300]))
            assert (ends.tolist(), name) == ([0, 0, 1], name)


def test_a_factor_of_ten_is_as_far_everywhere() -> None:
    low = distance(made(learning_rate=1e-4), made(learning_rate=1e-3))
    assert low == pytest.approx(distance(made(learning_rate=1e-2), made(learning_rate=1e-1)))
    assert low == pytest.approx(1 / 7 / 7)  # of seven decades, and seven values that SGD uses


def test_distances_are_symmetric_and_nothing_is_0_from_itself() -> None:
    adam = made(optimizer="adam", beta1=0.5)
    assert distance(adam, adam) == 0
    assert distance(adam, made()) == distance(made(), adam) > 0


def test_another_optimizer_is_as_far_as_a_choice_can_be() -> None:
    """SGD and Adagrad, all else at the defaults: one of nine values that either uses."""
    assert distance(made(), made(optimizer="adagrad")) == pytest.approx(1 / 9)


# --- behaviour --------------------------------------------------------------------------------------------------------


def behaviour(*crowd: Someone) -> SearchBehaviour:
    data = study(*crowd)
    return search_behaviour.behaviour(people(*crowd), people(), data.artificial("random"), "test")


def group(found: GroupSearch | NotComputable) -> GroupSearch:
    assert isinstance(found, GroupSearch)
    return found


def test_steps_are_from_the_best_so_far() -> None:
    someone = Someone(
        0,
        [DIVERGED, 50.0, 40.0, 60.0, CANCELLED],
        configurations=[
            made(optimizer="adam"),  # nothing complete before it
            made(),  # nor here
            made(learning_rate=0.01),  # one value: exploits; worse
            made(learning_rate=0.1, optimizer="adam"),  # optimizer and learning rate, from the second try: explores
            made(learning_rate=0.1, optimizer="adam"),  # the same as the best so far
        ],
    )
    found = behaviour(someone)
    novice = group(found.groups.default["novice"])
    assert (novice.people, novice.steps) == (1, 3)
    assert novice.changed.value == pytest.approx((1 + 2 + 0) / 3)
    assert novice.one_value.value == pytest.approx(1 / 3)
    assert (novice.same, novice.exploitation, novice.exploration) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert novice.improved == pytest.approx(1 / 3)
    assert found.changed_values["novice"]["learning_rate"] == pytest.approx(2 / 3)
    curve = found.distance_by_try["novice"]
    assert isinstance(curve, Curve)
    assert curve.at == (3, 4, 5)


def test_what_the_new_optimizer_does_not_use_is_no_change() -> None:
    someone = Someone(0, [50.0, 40.0], configurations=[made(optimizer="adam", beta1=0.5, beta2=0.5), made()])
    assert group(behaviour(someone).groups.default["novice"]).changed.value == 1


def test_by_distance_a_small_step_exploits_and_a_large_one_explores() -> None:
    someone = Someone(
        0, [50.0, 40.0, 30.0], configurations=[made(), made(epochs=11, batch_size=65, momentum=0.01), made(loss="l1")]
    )
    found = behaviour(someone).groups
    assert group(found.default["novice"]).exploitation == 0
    assert group(found.alternative["novice"]).exploitation == 0.5


def test_everybody_counts_once() -> None:
    long = Someone(0, [50.0] * 11, configurations=[made()] * 11)
    short = Someone(0, [50.0, 40.0], configurations=[made(), made(learning_rate=0.5)])
    assert group(behaviour(long, short).groups.default["novice"]).same == 0.5


def test_a_group_that_made_no_step_says_so() -> None:
    found = behaviour(Someone(0, [DIVERGED, 50.0])).groups.default
    assert found["novice"] == NotComputable("Nobody in the group novice tried anything after a complete trial.")
    assert found["expert"] == NotComputable("Nobody in the group expert has finished yet.")


def test_random_settings_are_apart_as_far_as_all_pairs_are_on_average() -> None:
    configurations = [made(learning_rate=0.5 * 2.0**-power) for power in range(4)]
    trials: Trials = study(Someone(None, [50.0] * 4, configurations=configurations, kind="random")).trials
    pairs = [distance(a, b) for a in configurations for b in configurations if a != b]
    assert search_behaviour.random_distance(trials, np.arange(4)) == pytest.approx(np.mean(pairs))
