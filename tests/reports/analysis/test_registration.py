"""What was registered and what deviated from it: the report finds both by itself."""

import json
from datetime import date
from typing import Any

import numpy as np
import pytest
from sqlmodel import col, select

from reports.analysis.primary_test import People, primary_test
from reports.analysis.registration import registered_analysis
from reports.compute import compute, header
from reports.data.load import load
from reports.figures.catalogue import plates
from reports.html.methods import methods
from reports.html.render import render
from reports.results.as_json import to_json
from reports.results.measures import Correlation, Interval, NotComputable
from reports.results.registration import PrimaryResult, RegisteredAnalysis
from reports.results.study_results import StudyResults
from reports.summary import short
from reports.wording import typographic
from storage.database import Store
from storage.events import record
from storage.registration.document import Registration
from storage.schema.states import EventKind, StudyState, TrialState
from storage.schema.tables import Amendment, Evaluation, Participant, Preregistration, Session, Study
from tests.reports.simulated_study import CONSENT, OPENED, simulate

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def study(store: Store) -> int:
    return simulate(store, participants=8, trials=40, withdrawn=1)


def changed(store: Store, count: int, **values: Any) -> None:
    """Change the first sessions."""
    with store.write() as transaction:
        for session in transaction.exec(select(Session).order_by(col(Session.id)).limit(count)).all():
            for name, value in values.items():
                setattr(session, name, value)


def test_six_sessions_with_an_hour_more_are_in_the_report_and_its_methods(store: Store, study: int) -> None:
    before = compute(load(store, study))
    changed(store, 6, extended_seconds=3600.0)
    after = compute(load(store, study))
    assert to_json(after) != to_json(before)
    assert "for at most 120 minutes, with" in methods(before)[0]
    assert "for at most 120 minutes, with" not in methods(after)[0]
    assert "6 people were given more time: 60.0 minutes at most" in methods(after)[0]


def registered(store: Store, study: int, **plan: Any) -> Registration:
    """Put a registration of the study on record, as if it had been made when it opened."""
    with store.write() as transaction:
        row = transaction.need(Study, study)
        given = {
            "hypothesis": "More months, more accuracy.",
            "target_participants": 8,
            "stopping_rule": "After eight people.",
            "exclusion_rules": ["Who leaves."],
        }
        rules = json.dumps({**json.loads(row.rules), "analysis": {"thresholds": [25.0, 50.0], **given, **plan}})
        made = Registration.now(
            study=row.name, rules=rules, rules_hash=row.rules_hash, consent=CONSENT, day=date(2030, 3, 1)
        )
        transaction.add(Preregistration(study_id=study, at=OPENED, document=made.to_json()))
        return made


def found(store: Store, study: int) -> RegisteredAnalysis:
    return registered_analysis(load(store, study))


def kinds(found: RegisteredAnalysis) -> list[str]:
    return [each.kind for each in found.deviations]


def page(results: StudyResults) -> str:
    standin = b'<svg width="1pt" height="1pt"></svg>'
    return render(results, dict.fromkeys(plates(results), standin), written=date(2031, 1, 1)).decode()


def test_without_a_registration_everything_is_exploratory(store: Store, study: int) -> None:
    results = found(store, study)
    assert isinstance(results.plan, NotComputable)
    assert results.primary == results.plan
    assert kinds(results) == ["people_withdrew"]


def test_the_registered_test_is_the_papers_and_its_numbers_are_those_of_the_report(store: Store, study: int) -> None:
    made = registered(store, study)
    changed(store, 1, extended_seconds=60.0)
    results = compute(load(store, study))
    primary, same = results.registered.primary, results.tasks[0].final.default.experience
    assert isinstance(primary, PrimaryResult)
    assert isinstance(same, Correlation)
    assert (primary.effect, primary.p, primary.p_permutation) == (same.rho, same.p, same.p_permutation)
    text = page(results)
    for said in ("More months, more accuracy.", made.code_hash, made.consent_hash, "confirmatory", "exploratory"):
        assert said in text, said
    assert kinds(results.registered) == ["time_extended", "people_withdrew"]
    for each in results.registered.deviations:
        assert typographic(each.sentence) in text
    lines = short(results).lines
    assert lines[1].startswith("Registered test (confirmatory): ρ")
    assert lines[2] == "2 deviations from what was registered on 2030-03-01."


def test_another_test_may_be_registered(store: Store) -> None:
    study = simulate(store, participants=6, trials=20, months=[0, 0, 0, 24, 24, 24])
    registered(store, study, primary_test="mann-whitney", alpha=0.2)
    primary = found(store, study).primary
    assert isinstance(primary, PrimaryResult)
    assert (primary.test, primary.alpha) == ("mann-whitney", 0.2)


def test_every_deviation_is_found_and_nothing_else(store: Store) -> None:
    study = simulate(store, participants=8, trials=40, withdrawn=2, empty=1, cancelled=1)
    registered(store, study, target_participants=10)
    changed(store, 2, extended_seconds=600.0, given_back_seconds=90.0)
    with store.write() as transaction:
        row = transaction.need(Study, study)
        before = row.rules
        row.rules = before.replace("120.0", "90.0")
        transaction.add(
            Amendment(
                study_id=study, name="Shorter", reason="The room closes.", at=OPENED, old_rules_hash="0",
                old_rules=before, rules_hash=row.rules_hash, rules=row.rules,
            )
        )  # fmt: skip
        cancelled = transaction.exec(select(Evaluation).order_by(col(Evaluation.id)).limit(10)).all()
        for each in cancelled:
            each.state, each.test_accuracy = TrialState.CANCELLED, None
        for what in ("report", "export"):
            record(
                transaction, at=OPENED, actor="researcher-1", kind=EventKind.INTERIM_LOOK, subject=f"study:{study}",
                what=what,
            )  # fmt: skip
    said = {each.kind: each.sentence for each in found(store, study).deviations}
    assert said == {
        "time_extended": "2 people were given more time by a researcher: 20.0 minutes together, 10.0 minutes at most "
        "for one.",
        "time_given_back": "2 people got time back that was lost through a fault of the bot or its machine: 3.0 "
        "minutes together, 1.5 minutes at most for one.",
        "sessions_cancelled": "A researcher ended 1 session without a final choice.",
        "evaluations_cancelled": "10 evaluations of 1 person were cancelled.",
        "rules_amended": "The rules were amended on 2030-03-01, “Shorter”: The room closes "
        "(time.limit_minutes: 120.0 → 90.0).",
        "interim_looks": "Results were looked at two times before the study was closed: researcher-1 on 2030-03-01 "
        "(report) and researcher-1 on 2030-03-01 (export).",
        "exclusions": "Of 10 people who began, three are not analysed: 1 person whose session a researcher ended, "
        "1 person who submitted nothing and 1 person whose final choice has no test accuracy.",
        "target_participants": "10 people were to be analysed, and 8 were: 2 fewer.",
        "people_withdrew": "2 people withdrew.",
    }


def test_people_who_agreed_to_another_text_than_the_registered_one_are_counted(store: Store, study: int) -> None:
    registered(store, study)
    assert "consent_changed" not in kinds(found(store, study))
    with store.write() as transaction:
        people = transaction.exec(select(Participant).order_by(col(Participant.id))).all()
        people[0].consent_hash = "another"
        people[1].consent_hash = None
    (told,) = (each for each in found(store, study).deviations if each.kind == "consent_changed")
    assert told.sentence == "1 person agreed to another consent text than was registered."


def test_people_who_had_left_and_were_let_in_again_are_counted(store: Store, study: int) -> None:
    registered(store, study)
    with store.write() as transaction:
        person = transaction.exec(select(Participant).order_by(col(Participant.id))).first()
        assert person is not None
        event = {"kind": EventKind.LET_IN_AGAIN, "subject": f"participant:{person.id}", "participant": person.code}
        record(transaction, at=OPENED, actor="researcher-1", **event)
    (told,) = (each for each in found(store, study).deviations if each.kind == "people_came_back")
    assert told.sentence == "1 person had left the study before, and was let in again by a researcher."


def test_rules_that_changed_without_an_amendment_are_told(store: Store, study: int) -> None:
    registered(store, study)
    with store.write() as transaction:
        transaction.need(Study, study).rules_hash = "f" * 64
    assert "rules_changed" in kinds(found(store, study))


def test_a_study_that_goes_on_has_not_missed_its_number_of_people(store: Store) -> None:
    study = simulate(store, participants=4, trials=20, state=StudyState.OPEN)
    registered(store, study, target_participants=31)
    assert kinds(found(store, study)) == []
    assert header(load(store, study)).is_interim


@pytest.mark.parametrize("test", ["spearman", "mann-whitney"])
@pytest.mark.parametrize("tasks", [("one",), ("one", "two")])
def test_a_simulation_gets_the_same_p_and_effect_without_resampling(test: str, tasks: tuple[str, ...]) -> None:
    random = np.random.default_rng(1)
    months = np.repeat([0.0, 4.0, 24.0], 10)
    people = People(
        months=months + random.integers(0, 2, 30) * (months > 0),
        accuracies=random.normal(50, 10, 30),
        groups=np.repeat(["novice", "medium", "expert"], 10),
        tasks=np.array([tasks[place % len(tasks)] for place in range(30)]),
    )
    whole, quick = (primary_test(test, people, alpha=0.05, resample=resample) for resample in (True, False))
    assert isinstance(whole, PrimaryResult)
    assert isinstance(quick, PrimaryResult)
    assert (quick.p, quick.effect.value) == pytest.approx((whole.p, whole.effect.value))
    assert isinstance(whole.effect.interval, Interval)
    assert isinstance(quick.p_permutation, NotComputable)


@pytest.mark.parametrize("test", ["spearman", "mann-whitney"])
@pytest.mark.parametrize("resample", [True, False])
def test_of_nobody_there_is_no_result(test: str, resample: bool) -> None:
    nobody = People(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.str_), np.zeros(0, dtype=np.str_))
    assert isinstance(primary_test(test, nobody, alpha=0.05, resample=resample), NotComputable)
