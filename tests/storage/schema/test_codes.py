"""Codes of participants: random, each once, found in any spelling."""

import pytest

from storage.queries import people
from storage.schema import codes
from storage.schema.tables import Participant

pytestmark = pytest.mark.usefixtures("drawn_codes")


def test_codes_are_random_and_everybody_has_their_own(lab):
    drawn = [lab.invite().code for _ in range(30)]
    assert len(set(drawn)) == 30
    assert all(codes.is_drawn(code) and len(code) == 5 for code in drawn)
    assert drawn != sorted(drawn)
    assert [each.code for each in people.people(lab.store, 1)] == sorted(drawn), "their order tells nothing"
    assert drawn != [lab.invite().code for _ in range(30)]


def test_nobody_gets_a_code_that_differs_only_in_zeros(monkeypatch):
    numbers = iter([6, 6, 41])
    monkeypatch.setattr(codes.secrets, "randbelow", lambda _: next(numbers))
    assert codes.draw(["P007"]) == "P0042"


def test_a_large_study_has_longer_codes():
    taken = [f"P{number:04}" for number in range(1, 1001)]
    assert {len(codes.draw(taken)) for _ in range(20)} == {6}


def test_an_imported_code_is_found_as_it_is_written(lab):
    first, second, third = (lab.invite() for _ in range(3))
    with lab.store.write() as transaction:
        for each, code in ((first, "P0007"), (second, "P007"), (third, "P1")):
            transaction.get(Participant, each.id).code = code
    for code in ("P007", "P0007", "P1", "p1"):
        assert people.find_by_code(lab.store, code).code == code.upper()


def test_a_code_is_found_however_it_is_written(lab, monkeypatch):
    monkeypatch.setattr(codes.secrets, "randbelow", lambda _: 41)
    lab.invite()
    for written in ("P0042", "p0042", "p42", " P42 ", "P000042"):
        assert people.find_by_code(lab.store, written).code == "P0042"
    for unknown in ("P0043", "42", "", "P", "P42x", "P٤٢"):
        assert people.find_by_code(lab.store, unknown) is None
