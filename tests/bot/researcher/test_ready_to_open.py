"""What keeps a study from opening is said early; and a consent text that is changed later."""

import shutil

import pytest

from bot.settings.settings import Settings
from storage.alerts import unacknowledged
from storage.refusals import Reason, Refused
from storage.schema.states import StudyState
from storage.transitions import studies
from tests.bot.conftest import PATIENCE
from tests.bot.researcher.asking import ask, text_of
from tests.bot.study_file import ROOT, finished_consent


@pytest.fixture
def template(open_house):
    """The repository's consent text as it stands."""
    house = open_house(start=False, slots=1)
    shutil.copy(ROOT / "consent.md", house.study.parent)
    house.open(open_now=False)
    return house


def test_it_is_refused_and_names_what_is_missing_until_that_is_filled_in(template, caplog):
    house = template
    assert any("[approval number]" in each.getMessage() for each in caplog.get_records("setup"))
    researcher = house.workspace.person("Researcher")
    told = ask(researcher, "open")
    assert told.buttons == ()
    assert "The consent text (consent.md) has places that are left to fill in: [" in text_of(told)
    assert "[approval number]" in text_of(told)
    with pytest.raises(Refused) as refused:
        house.running.actions.open("researcher-1")
    assert refused.value.reason is Reason.NOT_READY
    assert studies.current_study(house.store).state is StudyState.PREPARED

    house.close()
    (house.study.parent / "consent.md").write_text(finished_consent(), encoding="utf-8")
    house.open(open_now=False)
    assert "Open the study" in text_of(ask(researcher, "open"))


def test_finished_settings_lack_nothing(template):
    (template.study.parent / "consent.md").write_text(finished_consent(), encoding="utf-8")
    assert Settings.load(template.study).consent_lacks() == ""


def test_people_are_not_measured_with_the_seed_that_they_tune_with(open_house, caplog):
    house = open_house(start=False, slots=1, evaluation_seeds=[9, 10])
    house.open(open_now=False)
    said = "training.evaluation_seeds has 10, the seed that everybody tunes with"
    assert any(said in each.getMessage() for each in caplog.records)
    told = ask(house.workspace.person("Researcher"), "open")
    assert told.buttons == ()
    assert said in text_of(told)
    with pytest.raises(Refused) as refused:
        house.running.actions.open("researcher-1")
    assert refused.value.reason is Reason.NOT_READY


def test_a_task_for_demonstration_is_called_so_before_the_study_opens(open_house):
    house = open_house(start=False, slots=1)
    house.open(open_now=False)
    told = text_of(ask(house.workspace.person("Researcher"), "open"))
    assert "digits-squeezenet is for demonstration only: it is not fit to measure skill." in told
    assert "`blackmagic pilot --task digits-squeezenet` says why." in told


def test_admins_read_that_people_are_asked_to_agree_to_another_text_than_was_registered(open_house):
    house = open_house(start=False, slots=1)
    house.open()
    house.close()
    house.open()
    assert unacknowledged(house.store) == []  # the same text as before

    house.close()
    consent = house.study.parent / "consent.md"
    consent.write_text(f"{finished_consent()}\n\nYou get a cup of coffee.", encoding="utf-8")
    house.open()
    told = house.admin.wait_for("The consent text is not the one that was registered", PATIENCE, channel=house.reports)
    assert "put the old text back and start the bot again" in told.text_of_everything
