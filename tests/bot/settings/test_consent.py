"""The consent text: what an ethics board asks for is in it, and what is left to fill in is found."""

import pytest

from bot.commands.study_file import DEMONSTRATION_CONSENT, TEMPLATES
from bot.participant.views.onboarding import greeting
from bot.settings.consent import WITHDRAWN_DATA, as_read, blanks_in
from bot.slack.block_kit import fits
from tests.bot.study_file import ROOT, finished_consent

TEMPLATE = (ROOT / "consent.md").read_text(encoding="utf-8")
DEMONSTRATION = (TEMPLATES / DEMONSTRATION_CONSENT).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "asked",
    [
        "controller",
        "data protection officer",
        "approval number",
        "legal basis",
        "is deleted after",
        "Slack processes it for us",
        "complain to",
        "Compensation",
        "grades, your position or your work",
        "teachers, your supervisors and your employer",
        "open data",
        "may recognise you",
        "18 or older",
    ],
)
def test_the_template_has_what_an_ethics_board_asks_for(asked):
    assert asked in TEMPLATE


def test_every_place_that_is_left_to_fill_in_is_found_once_and_as_it_stands():
    blanks = blanks_in(f"{TEMPLATE}\n{TEMPLATE}")
    assert len(blanks) == TEMPLATE.count("[") == len(set(blanks))
    assert "[approval number]" in blanks
    assert blanks_in("One [the\nname], two […], three [...].") == ("[the name]", "[…]", "[...]")


@pytest.mark.parametrize("text", [finished_consent(), DEMONSTRATION, "As shown before [1], [2, 3]. Look at [ ]."])
def test_a_finished_text_has_none(text):
    assert blanks_in(text) == ()


@pytest.mark.parametrize("text", [TEMPLATE, finished_consent(), DEMONSTRATION])
@pytest.mark.parametrize("withdrawn_data", WITHDRAWN_DATA)
def test_each_text_fits_into_one_message(text, withdrawn_data):
    assert fits(greeting(as_read(text.strip(), withdrawn_data)))


def test_the_demonstration_says_that_it_is_one():
    assert "*This is a demonstration.* " in DEMONSTRATION
    assert "It is no study" in DEMONSTRATION


@pytest.mark.parametrize("text", [TEMPLATE, DEMONSTRATION])
def test_nothing_is_called_anonymous_that_is_not(text):
    assert "anonym" not in text.lower()
