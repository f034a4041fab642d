"""Arms are compared as groups are, and a study without arms has the report that it had."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reports.analysis import arms as analysis
from reports.compute import compute
from reports.data.load import load
from reports.data.study_data import StudyData
from reports.figures.catalogue import plates
from reports.html.methods import methods
from reports.html.render import render
from reports.results.arms import Arms
from reports.results.measures import NotComputable
from reports.results.paper import Box, Difference
from reports.results.study_results import Pooled, StudyResults
from reports.summary import short
from reports.tables.catalogue import sheets
from storage.database import Store
from storage.schema.states import Suggestion, TrialState
from storage.transitions import studies
from storage.transitions.assignment import commitment
from tests.reports.by_hand import Someone, people
from tests.reports.html.test_html import STANDIN, WRITTEN
from tests.reports.simulated_study import simulate

TWO = ({"name": "control"}, {"name": "with hints", "suggestions": True, "minutes": 60})


@pytest.fixture
def two_arms(simulated: Callable[..., StudyData], quick: None) -> StudyResults:
    return compute(simulated(participants=40, trials=240, rho=0.2, arms=TWO, arm_points=25.0, seed=3))


def arms_of(results: StudyResults) -> Arms:
    found = results.tasks[0].arms.default
    assert isinstance(found, Arms)
    return found


def test_the_numbers_are_those_of_the_people_in_each_arm(quick: None) -> None:
    somebody: list[Someone] = [
        Someone(0, (10.0,), (20.0, 40.0), arm="control"),
        Someone(5, (10.0,), (50.0,), arm="control"),
        Someone(20, (10.0, 20.0), (70.0,), arm="hints", suggestions=(Suggestion.SHOWN, Suggestion.TAKEN)),
        Someone(0, (10.0,), (90.0,), arm="hints", suggestions=(Suggestion.SHOWN,)),
        Someone(0, (10.0,), (TrialState.DIVERGED,), arm="hints"),
        Someone(0, (10.0,), (99.0,)),  # described before there were arms
    ]
    reading = analysis.readings(people(*somebody), ("control", "hints", "nobody"), "digits")
    found = reading.default
    assert isinstance(found, Arms)
    boxes = found.comparison.boxes
    assert isinstance(boxes["control"], Box)
    assert (boxes["control"].values, boxes["control"].mean) == ((30.0, 50.0), 40.0)
    assert isinstance(boxes["hints"], Box)
    assert boxes["hints"].values == (0.0, 70.0, 90.0)
    assert boxes["nobody"] == NotComputable("Nobody in the arm nobody has a final accuracy yet.")
    difference = found.comparison.differences[0]
    assert isinstance(difference, Difference)
    assert (difference.test.first, difference.test.second) == ("control", "hints")
    assert difference.mean.value == pytest.approx(160 / 3 - 40)
    assert found.people["hints"] == {"novice": 2, "medium": 0, "expert": 1}
    assert (found.suggestions["hints"].shown, found.suggestions["hints"].taken) == (3, 1)
    # In the other reading, whoever has no accuracy is left out.
    other = reading.alternative
    assert isinstance(other, Arms)
    assert isinstance(other.comparison.boxes["hints"], Box)
    assert other.comparison.boxes["hints"].values == (70.0, 90.0)
    assert not reading.agree


def test_a_planted_difference_is_found_and_shown(two_arms: StudyResults) -> None:
    difference = arms_of(two_arms).comparison.differences[0]
    assert isinstance(difference, Difference)
    assert difference.mean.value > 10
    assert difference.test.p < 0.01
    plate = plates(two_arms)["arms"]
    assert "with hints" in plate.alt
    assert plate.files()["svg"].startswith(b"<?xml")
    tables = sheets(two_arms)
    for name in ("arms-people", "arms", "arms-levene", "arms-differences", "arms-all"):
        assert tables[name].rows, name
    assert [row[0] for row in tables["arms-people"].rows] == ["control", "with hints"]
    assert any(line.startswith("Arms: with hints is ") for line in short(two_arms).lines)


def test_the_page_has_a_section_on_the_arms_and_says_what_they_are(two_arms: StudyResults) -> None:
    page = render(two_arms, dict.fromkeys(plates(two_arms), STANDIN), written=WRITTEN).decode()
    assert page.count('<section id="conditions"') == 1
    drawn = plates(two_arms)
    assert all("The arms are together here." in drawn[f"figure-{number}"].caption for number in range(4, 10))
    assert "together here" not in drawn["arms"].caption + drawn["figure-1"].caption
    text = " ".join(methods(two_arms))
    assert "for at most 120 (control) and 60 (with hints) minutes" in text
    assert "with hints: presets shown, values suggested by TPE, 60 minutes" in text


def test_a_study_without_arms_has_nothing_about_them(ordinary: tuple[StudyData, StudyResults]) -> None:
    results = ordinary[1]
    assert not [name for name in (*plates(results), *sheets(results)) if "arms" in name]
    assert "arm" not in " ".join(methods(results)).replace("harm", "").split()
    assert "for at most 120 minutes" in methods(results)[0]


def test_under_no_effect_arms_do_not_differ(simulated: Callable[..., StudyData], quick: None) -> None:
    found = arms_of(compute(simulated(participants=40, trials=80, arms=TWO, seed=11)))
    difference = found.comparison.differences[0]
    assert isinstance(difference, Difference)
    assert difference.test.p > 0.05


def test_several_tasks_are_pooled_for_the_arms_too(simulated: Callable[..., StudyData], quick: None) -> None:
    tasks = ("digits-squeezenet", "flowers")
    results = compute(simulated(participants=40, trials=80, arms=TWO, arm_points=30.0, tasks=tasks))
    pooled = results.pooled
    assert isinstance(pooled, Pooled)
    assert isinstance(pooled.arms, Arms)
    total = sum(sum(groups.values()) for groups in pooled.arms.people.values())
    assert total == 40
    assert {"pooled-arms", "pooled-arms-differences", "arms-flowers"} <= set(sheets(results))


def test_the_time_of_the_longest_arm_is_shown(simulated: Callable[..., StudyData]) -> None:
    long: Any = ({"name": "control"}, {"name": "long", "minutes": 180})
    assert simulated(participants=4, trials=8, arms=long).rules.longest_minutes == 180


def test_the_page_tells_the_hash_of_the_secret_and_after_closing_the_secret(store: Store, quick: None) -> None:
    key = simulate(store, participants=4, trials=8, arms=TWO)
    with store.write() as transaction:
        transaction.merge(studies.get(store, key)).assignment_secret = "5a" * 32
    text = " ".join(methods(compute(load(store, key))))
    assert f"SHA-256 of the secret: {commitment(studies.get(store, key))}" in text
    assert "The secret is 5a5a" in text
    assert "given an arm followed from permuted blocks" in text


def test_nobody_is_in_an_arm_of_an_empty_study() -> None:
    found = analysis.compared(people(), np.zeros(0), ("control", "hints"), "digits")
    assert isinstance(found, Arms)
    assert all(isinstance(box, NotComputable) for box in found.comparison.boxes.values())
