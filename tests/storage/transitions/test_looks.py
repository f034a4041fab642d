"""Looks at test results before the study is closed, and whether results are hidden."""

import json

import pytest

from storage import events
from storage.queries.results import hides_results, looks_in, preregistration
from storage.refusals import Reason, Refused
from storage.registration.document import Registration
from storage.schema.states import EventKind
from storage.transitions import studies
from storage.transitions.looks import record_look


def looked(lab, study, what="report"):
    return record_look(lab.store, study.id, what=what, actor="researcher-1", now=lab.now)


def test_looks_are_recorded_from_the_opening_to_the_end(empty_lab):
    study = empty_lab.prepare()
    assert not hides_results(study)
    assert not looked(empty_lab, study)
    study = empty_lab.open()
    assert hides_results(study)
    assert looked(empty_lab, study)
    study = studies.pause_study(empty_lab.store, actor="researcher-1", now=empty_lab.later(days=1))
    assert hides_results(study)
    assert looked(empty_lab, study, "export")
    study = studies.close_study(empty_lab.store, actor="researcher-1", now=empty_lab.later(days=1))
    assert not hides_results(study)
    assert not looked(empty_lab, study)
    with empty_lab.store.read() as transaction:
        found = looks_in(transaction, study.id)
    assert [(each.who, each.day, each.what) for each in found] == [
        ("researcher-1", "2030-03-01", "report"),
        ("researcher-1", "2030-03-02", "export"),
    ]
    assert {each.subject for each in events.read(empty_lab.store, kind=EventKind.INTERIM_LOOK)} == {f"study:{study.id}"}


def test_rules_may_show_results(empty_lab):
    rules = json.dumps({"analysis": {"interim": "shown"}})
    studies.prepare_study(empty_lab.store, name="skill", rules=rules, rules_hash="a" * 64, now=empty_lab.now)
    study = studies.open_study(empty_lab.store, actor="researcher-1", now=empty_lab.now)
    assert not hides_results(study)
    assert looked(empty_lab, study), "it is recorded all the same"


def test_there_is_no_such_study(empty_lab):
    with pytest.raises(Refused) as refused:
        record_look(empty_lab.store, 9, what="report", actor="researcher-1", now=empty_lab.now)
    assert refused.value.reason is Reason.UNKNOWN


def test_a_preregistration_is_kept_with_the_opening(empty_lab):
    study = empty_lab.prepare()
    made = Registration.now(
        study="skill", rules="{}", rules_hash="a" * 64, consent="I agree.", day=empty_lab.now.date()
    )
    studies.open_study(empty_lab.store, actor="researcher-1", now=empty_lab.now, registration=made.to_json())
    assert preregistration(empty_lab.store, study.id) == made
