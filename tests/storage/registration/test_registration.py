"""The analysis plan and the preregistration: what is read, what is missing, and what is written for readers."""

import json
from dataclasses import replace
from datetime import date

import pytest

from storage.registration.document import Registration
from storage.registration.markdown import markdown
from storage.registration.plan import AnalysisPlan
from storage.study_rules import hash_of

PLAN = {
    "hypothesis": "More experience, more accuracy.",
    "primary_test": "mann-whitney",
    "alpha": 0.01,
    "target_participants": 40,
    "stopping_rule": "After 40 people.",
    "exclusion_rules": ["Who leaves."],
    "interim": "shown",
}
RULES = json.dumps(
    {
        "study": {"name": "Skill", "task": ["one", "two"]},
        "time": {"limit_minutes": 90},
        "training": {"evaluation_seeds": [1, 2]},
        "groups": {"novice_up_to_months": 0, "medium_up_to_months": 9},
        "analysis": PLAN,
        "questions": [{"name": "age", "label": "How old are you?", "kind": "number", "choices": []}],
    }
)


def registration() -> Registration:
    return Registration.now(
        study="Skill", rules=RULES, rules_hash=hash_of(RULES), consent="I agree.\n\nReally.", day=date(2030, 3, 1)
    )


def test_a_plan_is_read_as_it_was_written():
    plan = AnalysisPlan.read(PLAN)
    assert plan == AnalysisPlan(
        "More experience, more accuracy.", "mann-whitney", 0.01, 40, "After 40 people.", ("Who leaves.",), "shown"
    )
    assert plan.blanks == ()
    assert "Mann–Whitney" in plan.test_in_words


def test_what_is_missing_or_left_open_is_named_by_its_key():
    assert AnalysisPlan.read(None).blanks == (
        "analysis.hypothesis",
        "analysis.target_participants",
        "analysis.stopping_rule",
        "analysis.exclusion_rules",
    )
    assert replace(AnalysisPlan.read(PLAN), hypothesis="People of [… which …] are better.").blanks == (
        "analysis.hypothesis",
    )


@pytest.mark.parametrize(
    "section", [[], "x", {"alpha": 2, "target_participants": True, "primary_test": "chance", "exclusion_rules": "no"}]
)
def test_what_cannot_be_understood_has_the_default(section):
    assert AnalysisPlan.read(section) == AnalysisPlan()


def test_the_document_reads_back_as_the_same():
    registered = registration()
    text = registered.to_json()
    assert Registration.read(text) == registered
    assert Registration.read(text).to_json() == text
    assert registered.consent_hash == hash_of("I agree.\n\nReally.")
    assert len(registered.code_hash) == 64


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_what_is_no_document_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Registration.read(text)


def test_parts_that_are_no_parts_are_empty_and_can_be_shown():
    found = Registration.read('{"analysis": 3, "rules": [], "consent": "x", "code": {"libraries": 1}, "study": 4}')
    assert (found.study, found.consent, found.plan) == ("", "", AnalysisPlan())
    assert markdown(found).startswith("# Preregistration")


def test_readers_find_everything_under_osfs_headings():
    text = markdown(registration())
    for said in (
        "# Preregistration: Skill",
        "Registered on 2030-03-01",
        "**Hypothesis.** More experience, more accuracy.",
        "for 90 minutes at most",
        "**Number of people.** 40",
        "**Stopping rule.** After 40 people.",
        "- Asked before the start: How old are you?",
        "Mann–Whitney’s test",
        "The significance level is 0.01.",
        "- Who leaves.",
        "> I agree.\n>\n> Really.",
        hash_of(RULES),
        'hypothesis = "More experience, more accuracy."',
        "Tasks: one, two.",
    ):
        assert said in text, said
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[:5] == [
        "## Study information",
        "## Design plan",
        "## Sampling plan",
        "## Variables",
        "## Analysis plan",
    ]
