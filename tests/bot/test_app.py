"""The bot refuses to start with a text that Slack would refuse, before the first participant meets it."""

import pytest

from bot.app import Bot
from bot.participant.views.onboarding import greeting
from bot.settings.settings import Credentials, Settings, SettingsError

NOWHERE = Credentials("xoxb-local", "xapp-local", "http://127.0.0.1:9/api/")
PARAGRAPH = "word " * 599 + "word"


def test_a_consent_text_that_does_not_fit_into_a_message_is_refused_and_the_longest_that_fits_is_shown(
    tmp_path, study_file
):
    path = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    (tmp_path / "consent.md").write_text("\n\n".join([PARAGRAPH] * 48), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"consent\.md is too long for one Slack message: it needs 49 blocks"):
        Bot(Settings.load(path), NOWHERE)
    assert not (tmp_path / "study.db").exists()

    (tmp_path / "consent.md").write_text("\n\n".join([PARAGRAPH] * 47), encoding="utf-8")
    assert len(greeting(Settings.load(path).consent_text).blocks) == 50
    with pytest.raises(SettingsError, match="Cannot reach Slack"):
        Bot(Settings.load(path), NOWHERE)
