"""``/study`` answers researchers, and politely nobody else."""

import pytest


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def answer(person, text):
    person.command("/study", text)
    return person.last_ephemeral().text


def test_a_researcher_sees_the_study_at_a_glance(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is watched")
    house.trained(person)
    status = answer(researcher, "status")
    view = house.session(person)
    assert "*Black Magic* is open. 2 of 2 slots are ready." in status
    assert f"• {view.participant}: until <!date^" in status
    assert f"best {view.best.validation_accuracy:.1f} %" in status
    assert person.id not in status
    assert person.name not in status


@pytest.mark.parametrize("text", ["", "help"])
def test_a_researcher_reads_what_the_command_can_do(house, researcher, text):
    assert "`/study status`" in answer(researcher, text)


def test_a_word_that_the_command_does_not_know_is_said(house, researcher):
    assert answer(researcher, "frobnicate").startswith("I do not know “frobnicate”.")


def test_anybody_else_is_politely_refused(house):
    person = house.seated("Is curious")
    told = answer(person, "status")
    assert "is for the researchers who run the study" in told
    assert "P0" not in told
    assert answer(house.admin, "status") == told
