"""What a pilot's trials say of a task: against published numbers, and with each fault by itself."""

import math

import numpy as np
import pytest

from reports.pilot.assess import assess, guessing_accuracy, intraclass_correlation
from reports.pilot.measures import PilotRun
from reports.pilot.sentences import verdict
from reports.results.as_json import to_json
from reports.results.measures import Estimate, Interval, NotComputable
from training.tasks import DIGITS_SQUEEZENET, MNIST_SQUEEZENET

FACTS = MNIST_SQUEEZENET.facts
SEEDS = (10, 1, 2)
FIT = ([90.0, 91, 92], [70, 72, 69], [50, 55, 49], [10, 9, 11])


FICKLE = "good settings that learn nothing with another seed"


def assessed(rows=FIT, facts=FACTS, seconds=60.0, epochs=10):
    runs = [
        PilotRun(setting, seed, accuracy, epochs, seconds)
        for setting, row in enumerate(rows)
        for seed, accuracy in zip(SEEDS, row, strict=True)
    ]
    settings = [{"learning_rate": setting} for setting in range(len(rows))]
    return assess("a-task", facts, settings, SEEDS, runs, epochs=epochs, limit_minutes=120)


def unfit(pilot):
    return [each.name for each in pilot.findings if not each.fit]


def test_the_intraclass_correlation_is_that_of_shrout_and_fleiss():
    """Table 2 of Shrout and Fleiss 1979: six targets, four judges; ICC(1, 1) is 0.17 there."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = intraclass_correlation(np.array(ratings, dtype=np.float64))
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(0.166, abs=0.0005)
    assert isinstance(found.interval, Interval)
    # The interval that R's psych::ICC prints for them
    assert (found.interval.low, found.interval.high) == pytest.approx((-0.133, 0.723), abs=0.0005)
    assert found.interval.method == "exact F"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_its_interval_covers_the_truth_as_often_as_it_says(share):
    random = np.random.default_rng(5)
    covered = []
    for _ in range(1_000):
        rows = math.sqrt(share) * random.standard_normal((16, 1))
        found = intraclass_correlation(rows + math.sqrt(1 - share) * random.standard_normal((16, 3)))
        covered.append(found.interval.low <= share <= found.interval.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_seeds_that_never_differ_agree_and_accuracies_that_never_differ_say_nothing():
    agreement = intraclass_correlation(np.array([[10.0, 10], [90, 90]]))
    assert (agreement.value, type(agreement.interval)) == (1, NotComputable)
    assert intraclass_correlation(np.full((3, 2), 10.0)) == NotComputable("All trials have the same accuracy.")


def test_a_task_whose_accuracies_belong_to_the_settings_is_fit():
    pilot = assessed()
    assert unfit(pilot) == []
    assert pilot.is_fit
    assert verdict(pilot).endswith("a-task is fit to measure skill, on this machine and in this time.")
    assert pilot.best == pytest.approx(91)
    assert pilot.dead == pytest.approx(3 / 12)
    assert pilot.seconds_per_epoch == 6
    assert pilot.tries == 120
    within = np.var(FIT, axis=1, ddof=1).mean()
    assert pilot.between_seeds == pytest.approx(math.sqrt(within))
    between = np.var(np.mean(FIT, axis=1), ddof=1) - within / 3
    assert pilot.between_settings == pytest.approx(math.sqrt(between))
    assert '"seconds_per_epoch": 6.0' in to_json(pilot)


@pytest.mark.parametrize(
    ("rows", "more", "names"),
    [
        ([[90, 20, 60], [30, 95, 50], [60, 20, 90], [85, 30, 40]], {}, ["agreement of seeds"]),
        (
            [[95, 95, 10], [90, 90, 90], [60, 60, 10], [10, 10, 10], [10, 10, 10], [96, 96, 96], [97, 97, 97]],
            {},
            ["agreement of seeds", FICKLE],
        ),
        ([*[[90, 91, 92]] * 3, *[[10, 10, 10]] * 13], {}, ["trials that diverged or only guess"]),
        ([[90, 91, 92], [70, 71, 69], [40, 40, 41]], {}, [FICKLE]),  # two of them are good
        (FIT, {"facts": DIGITS_SQUEEZENET.facts}, ["standard error of a test accuracy of 50 %"]),
        (FIT, {"seconds": 4.0}, ["a trial is worth waiting for"]),
        (FIT, {"seconds": 1_800.0}, ["trials in 120 minutes"]),
    ],
)
def test_each_fault_is_named(rows, more, names):
    pilot = assessed(rows, **more)
    assert unfit(pilot) == names
    assert not pilot.is_fit
    said = verdict(pilot)
    assert "not fit to measure skill here: take it for demonstration only" in said
    assert all(each.why in said for each in pilot.findings if not each.fit)


def test_settings_that_hardly_do_better_than_guessing_are_none_that_fail_with_another_seed():
    pilot = assessed([[90, 91, 92], [70, 72, 69], [60, 55, 58], [16, 10, 11], [9, 17, 12]])
    assert (pilot.good, pilot.fickle) == (3, 0)
    assert unfit(pilot) == []


def test_of_too_few_good_settings_nothing_is_said():
    pilot = assessed([[90, 91, 10], [10, 10, 11], [12, 10, 10]])
    assert (pilot.good, pilot.fickle) == (1, NotComputable("Only one setting is good: train more settings to tell."))
    assert FICKLE in unfit(pilot)


def test_where_nothing_learns_the_pilot_says_so():
    pilot = assessed([[0, 0, 0], [0, 0, 0]], epochs=0)
    assert pilot.agreement == NotComputable("All trials have the same accuracy.")
    assert pilot.fickle == NotComputable("No setting has learnt.")
    assert pilot.seconds_per_epoch == NotComputable("No trial has trained for an epoch.")
    assert not pilot.is_fit
    assert '"why": "No setting has learnt."' in to_json(pilot)


def test_a_network_that_guesses_is_rarely_better_than_guessing():
    random = np.random.default_rng(3)
    guessed = 100 * (random.integers(0, FACTS.classes, (20_000, FACTS.validation_images)) == 0).mean(axis=1)
    assert (guessed > guessing_accuracy(FACTS)).mean() == pytest.approx(0.01, abs=0.004)


def test_every_pair_of_setting_and_seed_is_needed_once():
    runs = [PilotRun(0, 10, 50.0, 1, 1.0), PilotRun(0, 1, 50.0, 1, 1.0), PilotRun(1, 10, 50.0, 1, 1.0)]
    for given in (runs, [*runs, runs[0]]):
        with pytest.raises(ValueError, match="one run for each setting and seed"):
            assess("a-task", FACTS, [{}, {}], (10, 1), given, epochs=1, limit_minutes=120)
    with pytest.raises(ValueError, match="two settings and two seeds"):
        assess("a-task", FACTS, [{}], (10, 1), runs[:2], epochs=1, limit_minutes=120)
