"""Studies that hardly are any: the report says what cannot be computed and why, and never stumbles."""

import json
import re
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.compute import compute
from reports.data.study_data import Kind
from reports.results.as_json import to_json
from reports.results.measures import NotComputable
from reports.results.paper import FinalAccuracies
from reports.results.study_results import StudyResults
from storage.schema.comments import Comment
from storage.schema.states import StudyState, TrialState
from tests.reports.by_hand import CONFIGURATION, Someone, study
from tests.reports.conftest import Simulated
from training.hyperparameters import Configuration

PAIRS = [0, 0, 5, 5, 20, 20]
SAME_IN_GROUP = [10, 10, 20, 20, 30, 30]

STUDIES: dict[str, dict[str, Any]] = {
    "nobody": {"participants": 0, "trials": 0},
    "nobody, not opened": {"participants": 0, "trials": 0, "state": StudyState.PREPARED},
    "nobody finished": {"participants": 0, "trials": 0, "withdrawn": 1, "unfinished": 2, "empty": 1, "cancelled": 1},
    "one": {"participants": 1, "trials": 6},
    "one try": {"participants": 1, "trials": 1, "diverged": 0.0},
    "two": {"participants": 2, "trials": 9},
    "two, one of them with no tries": {"participants": 2, "trials": 1},
    "three": {"participants": 3, "trials": 12},
    "only novices": {"participants": 9, "trials": 60, "months": [0] * 9},
    "no medium": {"participants": 9, "trials": 60, "months": [0] * 4 + [20] * 5},
    "one expert": {"participants": 9, "trials": 60, "months": [0] * 4 + [5] * 4 + [20]},
    "all equal": {"participants": 12, "trials": 60, "accuracies": [50.0] * 12},
    "all zero": {"participants": 12, "trials": 60, "accuracies": [0.0] * 12},
    "equal within groups": {"participants": 6, "trials": 30, "months": PAIRS, "accuracies": SAME_IN_GROUP},
    "ties everywhere": {"participants": 12, "trials": 60, "months": [0, 5, 20] * 4, "accuracies": [10, 10, 60] * 4},
    "one differs": {"participants": 12, "trials": 60, "months": [0] * 11 + [12], "accuracies": [10] * 11 + [60]},
    "all diverged": {"participants": 12, "trials": 60, "diverged": 1.0, "diverged_finals": 12},
    "all finals diverged": {"participants": 12, "trials": 60, "diverged_finals": 12},
    "some finals diverged": {"participants": 12, "trials": 60, "diverged_finals": 3},
    "one try each": {"participants": 12, "trials": 12},
    "no comments": {"participants": 6, "trials": 30, "comments": False},
    "only machines": {"participants": 0, "trials": 0, "random_settings": 40, "tpe": 3},
    "one random setting": {"participants": 3, "trials": 9, "random_settings": 1, "tpe": 1},
    "two tasks": {"participants": 12, "trials": 60, "tasks": ("a", "b"), "random_settings": 10},
    "two tasks, nobody": {"participants": 0, "trials": 0, "tasks": ("a", "b")},
    "two tasks, one person each": {"participants": 2, "trials": 6, "tasks": ("a", "b")},
    "more tasks than people": {"participants": 1, "trials": 6, "tasks": ("a", "b")},
    "no rules": {"participants": 6, "trials": 30, "rules": {"questions": [], "groups": {}, "analysis": {}, "time": {}}},
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(params=STUDIES, ids=str)
def results(request: pytest.FixtureRequest, simulated: Simulated) -> StudyResults:
    data = simulated(**STUDIES[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return compute(data)


def reasons(value: Any) -> list[str]:
    if isinstance(value, dict):
        if set(value) == {"value", "why"}:
            return [value["why"]]
        return [why for each in value.values() for why in reasons(each)]
    return [why for each in value for why in reasons(each)] if isinstance(value, list) else []


def test_the_results_are_numbers_or_sentences(results: StudyResults) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    found = reasons(json.loads(to_json(results), parse_constant=refuse))
    assert found
    for why in found:
        assert why[0].isupper(), why
        assert why.endswith("."), why
        assert not re.search(r"\b(nan|inf|None|True|False)\b|[\[\]{}]", why), why
        assert why != "The computation gave no finite number."


ACCURACIES = st.sampled_from([0.0, 10.0, 24.9, 25.0, 50.0, 99.5, 100.0])
TRIES = st.one_of(ACCURACIES, st.sampled_from(list(TrialState)[2:]))
OTHERS = [
    CONFIGURATION,
    Configuration.create({**CONFIGURATION.as_dict(), "epochs": 1000, "learning_rate": 100}),
    Configuration.create({**CONFIGURATION.as_dict(), "optimizer": "asgd", "lambd": 0}),
]


MINUTES = st.integers(0, 500 * 60_000_000).map(lambda microseconds: microseconds / 60_000_000)
"""Times are kept to a microsecond."""


@st.composite
def someone(draw: st.DrawFn) -> Someone:
    kind: Kind = draw(st.sampled_from(["person", "person", "person", "tpe", "random"]))
    tries = draw(st.lists(TRIES, max_size=6))
    return Someone(
        months=draw(st.sampled_from([0.0, 0.5, 9.0, 10.0, 1200.0])) if kind == "person" else None,
        tries=tries,
        final=draw(st.lists(TRIES, max_size=3)) if kind != "random" else (),
        configurations=draw(st.lists(st.sampled_from(OTHERS), min_size=len(tries), max_size=len(tries))),
        comments=draw(st.lists(st.sampled_from(list(Comment)), max_size=3)),
        minutes=sorted(draw(st.lists(MINUTES, min_size=len(tries), max_size=len(tries)))),
        kind=kind,
        education=draw(st.sampled_from([None, "master", "doctorate", "none of these"])),
    )


@pytest.mark.long
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(someone(), max_size=9))
def test_no_study_stumbles(crowd: list[Someone]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compute(study(*crowd))
    assert "gave no finite number" not in to_json(found)


def only(found: StudyResults) -> FinalAccuracies:
    (task,) = found.tasks
    return task.final.default


def test_a_study_of_one_has_its_numbers_and_no_comparison(simulated: Simulated) -> None:
    found = compute(simulated(participants=1, trials=6, months=[5]))
    (point,) = only(found).points
    assert point.group == "medium"
    assert only(found).experience == NotComputable(
        "One person has both months of experience and final accuracies; a correlation needs three at least."
    )
    assert found.tasks[0].follow_up == NotComputable(
        "The correlation to plan with is not known. "
        "One person has both months of experience and final accuracies; a correlation needs three at least."
    )


def test_when_everything_diverged_everybody_has_nothing(simulated: Simulated) -> None:
    found = compute(simulated(participants=12, trials=60, diverged=1.0, diverged_finals=12))
    assert {point.accuracy for point in only(found).points} == {0.0}
    left_out = found.tasks[0].final.alternative
    assert (left_out.points, left_out.left_out) == ((), 12)
    assert left_out.mean == NotComputable("Nobody's final choice has been evaluated yet.")
