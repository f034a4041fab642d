"""A study whose consent text is not finished cannot open, and says so early."""

import shutil

import pytest

from bot.settings.settings import Settings
from storage.refusals import Reason, Refused
from storage.schema.states import StudyState
from storage.transitions import studies
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
    assert refused.value.reason is Reason.CONSENT_UNFINISHED
    assert studies.current_study(house.store).state is StudyState.PREPARED

    house.close()
    (house.study.parent / "consent.md").write_text(finished_consent(), encoding="utf-8")
    house.open(open_now=False)
    assert "Open the study" in text_of(ask(researcher, "open"))


def test_finished_settings_lack_nothing(template):
    (template.study.parent / "consent.md").write_text(finished_consent(), encoding="utf-8")
    assert Settings.load(template.study).consent_lacks() == ""
