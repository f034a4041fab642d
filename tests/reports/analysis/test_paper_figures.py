"""The paper's figures and tables of studies small enough to be counted by hand."""

import numpy as np
import pytest

from reports.analysis import final_accuracy, participants, random_settings, strategies, tries
from reports.data.population import Population
from reports.figures import panels
from reports.results.measures import Correlation, Curve, Estimate, NotComputable, PairTest, Spread
from reports.results.paper import Box, Experience, GroupComments, GroupStart, GroupTries, RandomSettings
from storage.schema.comments import Comment
from storage.schema.states import TrialState
from tests.reports.by_hand import CANCELLED, CONFIGURATION, DIVERGED, Someone, people, study
from training.hyperparameters import Configuration

OTHER = Configuration.create({**CONFIGURATION.as_dict(), "learning_rate": 0.01})


# --- figures 4 and 5, table 2 -----------------------------------------------------------------------------------------


def test_the_final_accuracy_is_the_mean_of_the_evaluations() -> None:
    (point,) = final_accuracy.points(people(Someone(3, final=[60.0, 62.0, 64.0])), lost_count=True)
    assert (point.accuracy, point.sd, point.evaluations, point.group) == (62.0, 2.0, 3, "medium")


def test_an_evaluation_that_diverged_counts_as_nothing_or_not_at_all() -> None:
    crowd = people(
        Someone(0, final=[60.0, DIVERGED]),
        Someone(5, final=[DIVERGED] * 2),
        Someone(20, final=[80.0, TrialState.FAILED]),
    )
    found = final_accuracy.readings(crowd, "test")
    assert [each.accuracy for each in found.default.points] == [30.0, 0.0, 40.0]
    assert [each.accuracy for each in found.alternative.points] == [60.0, 80.0]
    assert (found.default.left_out, found.alternative.left_out) == (0, 1)
    assert not found.agree


def test_without_a_diverged_one_both_readings_are_the_same() -> None:
    assert final_accuracy.readings(
        people(*(Someone(months, final=[50.0 + months]) for months in range(5))), "test"
    ).agree


def test_who_is_still_evaluated_waits_outside() -> None:
    crowd = people(Someone(0, final=[60.0, TrialState.RUNNING]), Someone(0), Someone(3, final=[70.0, 70.0]))
    found = final_accuracy.readings(crowd, "test").default
    assert [each.code for each in found.points] == ["P003"]
    assert found.pending == 2


def test_months_and_accuracies_in_step_correlate_fully() -> None:
    found = final_accuracy.readings(
        people(*(Someone(float(months), final=[10.0 * months]) for months in range(8))), "test"
    ).default
    assert isinstance(found.experience, Correlation)
    assert found.experience.rho.value == pytest.approx(1)
    assert isinstance(found.spread, Spread)
    assert (found.spread.mean, found.spread.n) == (35.0, 8)


def test_a_box_has_quartiles_and_tukeys_whiskers() -> None:
    box = final_accuracy.box("novice", np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 50]), "test")
    assert isinstance(box, Box)
    assert (box.q1, box.median, box.q3) == (3, 5, 7)
    assert (box.whisker_low, box.whisker_high, box.outliers) == (1, 8, (50,))


def test_an_empty_group_has_a_sentence_for_a_box_and_the_others_are_compared() -> None:
    crowd = people(
        *(Someone(0, final=[accuracy]) for accuracy in (10.0, 20, 31)), *(Someone(20, final=[a]) for a in (60.0, 75))
    )
    found = final_accuracy.readings(crowd, "test").default
    assert found.boxes["medium"] == NotComputable("Nobody in the group medium has a final accuracy yet.")
    assert [isinstance(each, PairTest) for each in found.levene.default] == [False, True, False]


# --- figure 6 ---------------------------------------------------------------------------------------------------------


def threshold(crowd: Population, group: str = "novice", *, reading: str = "default") -> GroupTries:
    (found,) = getattr(tries.thresholds(crowd, (50.0,), "test"), reading)
    group_tries = found.groups[group]
    assert isinstance(group_tries, GroupTries)
    return group_tries


def test_the_first_try_at_the_threshold_counts() -> None:
    crowd = people(Someone(0, [20.0, 50.0, 90.0]), Someone(0, [55.0]), Someone(0, [10.0, 20.0]))
    found = threshold(crowd)
    assert (found.tries, found.reached, found.never, found.n) == ((1, 2), 2, 1, 3)
    assert found.median == 1.5
    assert found.mean_at_least == (2 + 1 + 3) / 3


def test_a_cancelled_try_is_a_try_or_none() -> None:
    crowd = people(Someone(0, [CANCELLED, DIVERGED, 60.0]))
    assert threshold(crowd).tries == (3,)
    assert threshold(crowd, reading="alternative").tries == (1,)


def test_a_group_that_never_reaches_it_has_no_mean_but_a_lower_bound() -> None:
    found = threshold(people(Someone(0, [20.0, 30.0])))
    assert isinstance(found.mean, NotComputable)
    assert (found.never, found.mean_at_least) == (1, 3)


# --- figure 7 ---------------------------------------------------------------------------------------------------------


def curve(found: Curve | NotComputable) -> Curve:
    assert isinstance(found, Curve)
    return found


def test_the_best_so_far_is_carried_on_and_this_try_is_not() -> None:
    crowd = people(Someone(0, [40.0, 30.0, DIVERGED]), Someone(0, [CANCELLED, 60.0]), Someone(20, [90.0] * 5))
    found = tries.after_tries(crowd)
    carried = curve(found.best.default["novice"])
    assert carried.at == (1, 2, 3, 4, 5)
    assert carried.mean == (20, 50, 50, 50, 50)
    assert carried.error[0] == pytest.approx(20)
    assert (carried.n, carried.made) == ((2,) * 5, (2, 2, 1, 0, 0))
    assert panels.many(carried) == 3, "half of the group made the third try"
    still = curve(found.best.alternative["novice"])
    assert (still.mean, still.n, still.error[2]) == ((20, 50, 40), (2, 2, 1), None)
    this = curve(found.this_try["novice"])
    assert (this.mean, this.n) == ((40, 45, 0), (1, 2, 1))
    assert isinstance(found.this_try["medium"], NotComputable)


# --- figures 3, 8 and 9 -----------------------------------------------------------------------------------------------


def test_months_are_counted_in_bins_of_each_group() -> None:
    found = participants.experience(people(*(Someone(months) for months in (0, 0, 2, 9, 10, 36))))
    assert isinstance(found, Experience)
    assert sum(found.histogram.counts) == 6
    assert found.none == 2
    assert found.histogram.counts == tuple(map(sum, zip(*found.by_group.values(), strict=True)))
    assert found.median == 5.5
    assert found.histogram.edges[-1] > 36


def test_who_starts_with_defaults_is_seen_by_the_first_try() -> None:
    crowd = people(
        Someone(0, [10.0, 20.0], [60.0], configurations=[OTHER, CONFIGURATION]),
        Someone(0, [10.0, 20.0], [70.0], configurations=[CONFIGURATION, OTHER]),
        Someone(20, [10.0], [40.0]),
    )
    found = strategies.default_start(crowd)
    novice = found.groups["novice"]
    assert isinstance(novice, GroupStart)
    assert (novice.defaults, novice.others, novice.accuracies, novice.above) == (1, 1, (70.0,), 1)
    assert isinstance(novice.share, Estimate)
    assert found.all_above is False


def test_comments_are_shares_of_all_or_of_each_person() -> None:
    crowd = people(
        Someone(0, [10.0], comments=[Comment.GUESS] * 8),
        Someone(0, [10.0], comments=[Comment.DEFAULT, Comment.GUESS]),
        Someone(0, [10.0]),
    )
    found = strategies.comments(crowd, "test")
    of_all, of_each = found.groups.default["novice"], found.groups.alternative["novice"]
    assert isinstance(of_all, GroupComments)
    assert isinstance(of_each, GroupComments)
    assert (of_all.shares["guess"], of_each.shares["guess"]) == (0.9, 0.75)
    assert (of_all.people, of_all.silent) == (2, 1)
    assert found.texts["guess"] == "It is just a guess."
    assert isinstance(found.guessing, NotComputable)


def test_guessing_less_with_more_months_correlates_negatively() -> None:
    crowd = people(
        *(Someone(float(n), [10.0], comments=[Comment.GUESS] * (10 - n) + [Comment.PAST] * n) for n in range(8))
    )
    found = strategies.comments(crowd, "test").guessing
    assert isinstance(found, Correlation)
    assert found.rho.value == pytest.approx(-1)


# --- figure 1 ---------------------------------------------------------------------------------------------------------


def test_random_settings_that_diverged_count_as_nothing_or_not_at_all() -> None:
    data = study(Someone(None, [40.0, DIVERGED, 60.0, CANCELLED, 100.0], kind="random"))
    found = random_settings.random_settings(data.artificial("random"), data.trials, "test")
    assert isinstance(found.default, RandomSettings)
    assert isinstance(found.alternative, RandomSettings)
    assert (found.default.spread.n, found.default.spread.mean) == (4, 50.0)
    assert (found.alternative.spread.n, found.alternative.spread.mean) == (3, pytest.approx(200 / 3))
    assert found.default.histogram.counts[-1] == 1
    assert found.default.states["cancelled"] == 1
