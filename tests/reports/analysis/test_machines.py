"""People against random search and TPE, at equal tries and at equal time."""

from itertools import combinations

import numpy as np
import pytest

from reports.analysis import machines, random_settings
from reports.data.population import Population
from reports.data.study_data import StudyData
from reports.results.further import AgainstRandom, AgainstTpe, Machines
from reports.results.measures import Curve, NotComputable
from reports.statistics.inference import holm
from tests.reports.by_hand import DIVERGED, Someone, study

VALUES = np.array([10.0, 0, 40, 40, 90, 20])


def against(data: StudyData, limit_minutes: float = 10.0) -> Machines:
    return machines.machines(
        Population.analysed(data, data.people()),
        Population.analysed(data, data.artificial("tpe")),
        data.trials,
        random_settings.indices(data.artificial("random")),
        limit_minutes,
        "test",
    )


def curve(found: Curve | NotComputable) -> Curve:
    assert isinstance(found, Curve)
    return found


@pytest.mark.parametrize("tries", range(1, 7))
def test_the_expected_best_is_that_of_all_choices(tries: int) -> None:
    every = [max(chosen) for chosen in combinations(VALUES, tries)]
    assert machines.expected_best(VALUES)[tries - 1] == pytest.approx(np.mean(every))


def test_chances_add_up_with_very_many_settings() -> None:
    for tries in (1, 7, 900, 5000):
        assert machines.chance_of_best(5000, tries).sum() == pytest.approx(1)


def test_random_search_rises_from_the_mean_to_the_best() -> None:
    found = curve(machines.random_by_tries(VALUES, "test"))
    assert found.mean[0] == pytest.approx(VALUES.mean())
    assert found.mean[-1] == 90
    assert found.n == (6,) * 6


def test_equal_tries_compare_with_the_same_number_of_draws() -> None:
    random = Someone(None, list(VALUES), kind="random")
    found = against(study(random, Someone(0, [50.0, 60.0]), Someone(0, [90.0]))).against_random["novice"]
    assert isinstance(found, AgainstRandom)
    expected = machines.expected_best(VALUES)
    assert found.best == 75
    assert found.random_best == pytest.approx((expected[1] + expected[0]) / 2)
    assert found.advantage.value == pytest.approx(75 - found.random_best)
    assert found.worth == next(tries for tries, best in enumerate(expected, start=1) if best >= 75)
    # Two draws miss the 90 in 10 of 15 cases; one draw is below 90 in 5 of 6 and equals it in the other.
    assert found.ahead == pytest.approx((10 / 15 + 5 / 6 + 1 / 12) / 2)


def test_who_beats_every_setting_is_worth_more_tries_than_were_drawn() -> None:
    found = against(study(Someone(None, list(VALUES), kind="random"), Someone(0, [95.0]))).against_random["people"]
    assert isinstance(found, AgainstRandom)
    assert found.worth is None
    assert found.ahead == pytest.approx(1)


def test_time_is_a_persons_clock_and_a_machines_training() -> None:
    """Trained for half the time: the machine's clock is of training alone."""
    data = study(
        Someone(0, [30.0, DIVERGED, 70.0], minutes=[2, 4, 8]),
        Someone(None, [30.0, DIVERGED, 70.0], minutes=[2, 4, 8], kind="tpe"),
    )
    found = against(data).by_time
    person, machine = curve(found.default["novice"]), curve(found.default["tpe"])
    assert person.at[0] == 0
    assert person.at[-1] == 10
    assert _at(person, 1.9) == 0
    assert _at(person, 2.1) == 30
    assert (_at(person, 7.9), _at(person, 8.1)) == (30, 70)
    assert (_at(machine, 0.9), _at(machine, 1.1), _at(machine, 3.9), _at(machine, 4.1)) == (0, 30, 30, 70)
    assert curve(found.alternative["novice"]).mean == machine.mean


def test_random_search_in_time_is_that_of_its_tries() -> None:
    """Settings of a minute each: after k minutes, the best of k draws with putting back."""
    values = [float(each) for each in range(1, 21)]
    data = study(Someone(None, values, minutes=[2.0 * (place + 1) for place in range(20)], kind="random"))
    found = curve(against(data).by_time.default["random"])
    for minutes in (1, 3, 9):
        expected = sum(value * ((value / 20) ** minutes - ((value - 1) / 20) ** minutes) for value in values)
        assert _at(found, minutes + 0.01) == pytest.approx(expected, abs=1.0)
    assert _at(found, 0.9) == 0


def test_people_and_tpe_are_compared_by_final_accuracy() -> None:
    crowd = [Someone(20, [50.0], [accuracy]) for accuracy in (60.0, 70.0, 80.0)]
    programs = [Someone(None, [50.0], [accuracy], kind="tpe") for accuracy in (40.0, 50.0, 65.0)]
    found = against(study(*crowd, *programs)).against_tpe["people"]
    assert isinstance(found, AgainstTpe)
    assert found.difference.mean.value == pytest.approx(70 - 155 / 3)
    assert found.difference.rank_biserial.value == pytest.approx((8 - 1) / 9)


def test_the_tests_against_tpe_are_corrected_together() -> None:
    crowd = [Someone(months, [50.0], [60.0 + place]) for place, months in enumerate((0, 0, 0, 20, 20, 20, 20))]
    programs = [Someone(None, [50.0], [accuracy], kind="tpe") for accuracy in (40.0, 50.0, 65.0, 63.5)]
    found = against(study(*crowd, *programs)).against_tpe
    tests = [each.difference.test for each in found.values() if isinstance(each, AgainstTpe)]
    assert len(tests) == 3, "nobody is medium"
    assert [each.p_holm for each in tests] == list(holm([each.p for each in tests]))
    assert max(each.p_holm / each.p for each in tests) == pytest.approx(3)


def test_without_machines_each_comparison_says_so() -> None:
    found = against(study(Someone(0, [50.0], [50.0])))
    assert isinstance(found.by_tries["people"], Curve)
    for missing in (found.by_tries["random"], found.by_tries["tpe"], found.against_random["people"]):
        assert isinstance(missing, NotComputable)
    assert found.against_tpe["people"] == NotComputable(
        "No artificial participant of TPE has finished, so there is nothing to compare."
    )


def test_trials_that_take_no_time_do_not_stop_the_clock() -> None:
    found = against(study(Someone(None, [10.0, 20.0, 30.0], minutes=[0, 0, 0], kind="random")))
    assert curve(found.by_time.default["random"]).mean[0] == pytest.approx(30)


def _at(found: Curve, minutes: float) -> float:
    return found.mean[max(place for place, at in enumerate(found.at) if at <= minutes + 1e-9)]
