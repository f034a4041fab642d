"""What the report reads of a study: codes and times from the start, and nobody's identity."""

from datetime import timedelta

import numpy as np
import pytest
from sqlmodel import select

from reports.compute import compute
from reports.data.load import load
from reports.data.study_data import COMMENTS, NO_COMMENT, natural
from reports.data.study_rules import PAPER, Rules
from reports.results.as_json import to_json
from storage.database import Store
from storage.refusals import Reason, Refused
from storage.schema.states import StudyState
from storage.schema.tables import Amendment, Identity, Participant, Researcher, Trial
from tests.reports.conftest import Simulated
from tests.reports.simulated_study import OPENED, simulate
from training.hyperparameters import HYPERPARAMETERS, Configuration


def test_every_trial_comes_back_as_it_was_stored(store: Store) -> None:
    data = load(store, simulate(store, participants=5, trials=40))
    with store.read() as transaction:
        stored = {trial.id: trial for trial in transaction.exec(select(Trial)).all()}
    assert len(data.trials) == len(stored) == 40
    found = sorted(
        (int(number), *(float(each) for each in values))
        for number, values in zip(data.trials.number, data.trials.values, strict=True)
    )
    expected = sorted((trial.number, *_numbers(trial.configuration)) for trial in stored.values())
    assert found == expected
    accuracies = sorted(trial.validation_accuracy for trial in stored.values() if trial.validation_accuracy is not None)
    assert sorted(data.trials.accuracy[np.isfinite(data.trials.accuracy)]) == accuracies


def _numbers(configuration: Configuration) -> list[float]:
    given = configuration.as_dict()
    return [
        float(each.choices.index(str(given[each.name]))) if each.kind == "choice" else float(given[each.name])
        for each in HYPERPARAMETERS
    ]


def test_trials_belong_to_their_participants_in_their_order(simulated: Simulated) -> None:
    data = simulated(participants=12, trials=100, random_settings=30, tpe=2)
    seen = 0
    for row in data.participants:
        numbers = data.trials.number[row.trials]
        assert list(numbers) == list(range(1, len(numbers) + 1))
        seen += len(numbers)
    assert seen == len(data.trials)
    assert data.trials.drawn.sum() == 30


def test_codes_are_in_the_order_in_which_people_count(simulated: Simulated) -> None:
    assert sorted(["P10", "P9", "R1", "T1-10", "T1-9", "P100"], key=natural) == [
        "P9",
        "P10",
        "P100",
        "R1",
        "T1-9",
        "T1-10",
    ]
    data = simulated(participants=3, trials=3, tpe=11, tpe_tries=1)
    assert [each.code for each in data.artificial("tpe")][8:] == ["T1-09", "T1-10", "T1-11"]


def test_times_are_from_the_start_of_the_session(simulated: Simulated) -> None:
    data = simulated(participants=4, trials=20)
    assert data.trials.submitted.min() == 60
    assert (data.trials.started == data.trials.submitted + 1).all()
    assert (data.trials.ended <= 7200).all()


def test_comments_are_read(simulated: Simulated) -> None:
    comments = simulated(participants=4, trials=30).trials.comments
    assert (comments == NO_COMMENT).any()
    assert set(np.unique(comments)) == {NO_COMMENT, *range(len(COMMENTS))}


def test_groups_are_those_of_the_rules(simulated: Simulated) -> None:
    months = [0, 3, 4, 12, 13]
    data = simulated(
        participants=5, trials=5, months=months, rules={"groups": {"novice_up_to_months": 3, "medium_up_to_months": 12}}
    )
    assert [row.group for row in data.people()] == ["novice", "novice", "medium", "medium", "expert"]


def test_who_withdrew_or_did_not_finish_is_not_analysed(simulated: Simulated) -> None:
    data = simulated(participants=6, trials=30, withdrawn=2, unfinished=1, empty=1, cancelled=1)
    assert len(data.people()) == 11
    analysed = sorted(row.code for row in data.people() if row.is_analysed)
    assert analysed == ["P001", "P002", "P003", "P004", "P005", "P006"]


def test_the_current_study_is_read_before_newer_closed_ones(store: Store) -> None:
    simulate(store, participants=1, trials=1, name="current", state=StudyState.PAUSED)
    closed = simulate(store, participants=2, trials=2, name="closed", state=StudyState.CLOSED)
    assert load(store).name == "current"
    assert load(store, closed).name == "closed"
    assert len(load(store, closed).trials) == 2


def test_without_a_study_there_is_nothing_to_report(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        load(store)
    assert refused.value.reason is Reason.NO_STUDY
    with pytest.raises(Refused):
        load(store, 99)


def test_amendments_are_told_by_day(store: Store) -> None:
    study = simulate(store, participants=1, trials=1)
    with store.write() as transaction:
        transaction.add(
            Amendment(
                study_id=study,
                name="longer",
                reason="it was too short",
                at=OPENED + timedelta(days=3),
                old_rules_hash="a",
                rules_hash="b",
                rules="{}",
            )
        )
    (amendment,) = load(store, study).amendments
    assert (amendment.name, amendment.reason, amendment.day) == ("longer", "it was too short", "2030-03-04")


@pytest.mark.usefixtures("quick")
def test_nobodys_slack_user_is_in_the_data_or_in_the_results(store: Store) -> None:
    study = simulate(store, participants=6, trials=30)
    with store.write() as transaction:
        for row in transaction.exec(select(Participant)).all():
            transaction.add(
                Identity(participant_id=row.id, slack_user=f"USECRET{row.id}", slack_channel=f"DSECRET{row.id}")
            )
        transaction.add(Researcher(slack_user="USECRETBOSS"))
    data = load(store, study)
    assert "SECRET" not in repr(data.participants)
    assert "SECRET" not in to_json(compute(data))


def test_rules_that_say_nothing_are_the_papers() -> None:
    for text in ("", "hours = 2", "{}", "[1]", "no rules at all {"):
        rules = Rules.read(text)
        assert rules.thresholds == tuple(PAPER["analysis"]["thresholds"])
        assert [rules.group(months) for months in (0, 1, 9, 9.5)] == ["novice", "medium", "medium", "expert"]


def test_rules_are_read_from_json_and_from_toml() -> None:
    json = '{"study": {"task": ["b", "a"]}, "analysis": {"thresholds": [60, 30]}, "questions": []}'
    assert Rules.read(json).tasks == ("b", "a")
    assert Rules.read(json).thresholds == (30, 60)
    assert Rules.read('[study]\ntask = "a"\n[time]\nlimit_minutes = 5').limit_minutes == 5
