"""The bot as a whole: what it refuses to start with, what it says at a start, and its threads."""

import queue
import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.app import Bot
from bot.participant.views.onboarding import greeting
from bot.process import systemd
from bot.runner import scheduler
from bot.settings.settings import Credentials, Settings, SettingsError
from bot.slack.block_kit import MESSAGE_CHARACTERS, characters

NOWHERE = Credentials("xoxb-local", "xapp-local", "http://127.0.0.1:9/api/")
PARAGRAPH = "word " * 99 + "word"

CHOICES = """
[[questions]]
name = "question_{number}"
label = "Which one?"
kind = "choice"
choices = [{choices}]
"""


def test_a_consent_text_that_does_not_fit_into_a_message_is_refused_and_the_longest_that_fits_is_shown(
    tmp_path, study_file
):
    path = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    (tmp_path / "consent.md").write_text("\n\n".join([PARAGRAPH] * 24), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"consent\.md\) is too long for one Slack message\.") as refused:
        Bot(Settings.load(path), NOWHERE)
    assert not (tmp_path / "study.db").exists()
    count, limit = (int(each.replace(",", "")) for each in re.findall(r"\d+,\d+", str(refused.value)))
    assert count > limit == MESSAGE_CHARACTERS

    settings = Settings.load(path)
    assert count == characters(greeting(settings.consent_text))
    surplus = count - limit + 50  # once somebody has agreed, the same text stands beside a few more words
    (tmp_path / "consent.md").write_text("\n\n".join([PARAGRAPH] * 24)[:-surplus], encoding="utf-8")
    assert characters(greeting(Settings.load(path).consent_text)) <= MESSAGE_CHARACTERS
    with pytest.raises(SettingsError, match="Cannot reach Slack"):
        Bot(Settings.load(path), NOWHERE)


def test_the_longest_consent_text_is_accepted_by_the_workspace(open_house, tmp_path):
    house = open_house(start=False, slots=1)
    text = PARAGRAPH
    while characters(greeting(f"{text}\n\n{PARAGRAPH}" + "x" * 500)) <= MESSAGE_CHARACTERS:
        text += f"\n\n{PARAGRAPH}"
    (tmp_path / "consent.md").write_text(text, encoding="utf-8")
    house.open()
    person = house.newcomer("Reads for long")
    person.open_messages()
    person.press(person.wait_for("I agree"), "I agree")
    person.wait_for("Tell us about you")


def test_questions_that_do_not_fit_into_a_form_are_refused(tmp_path, study_file):
    path = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    choices = ", ".join(f'"{number:03} {"🧠" * 70}"' for number in range(100))
    more = "".join(CHOICES.format(number=number, choices=choices) for number in range(6))
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"questions: they are too long for one Slack form\. It would have \d"):
        Bot(Settings.load(path), NOWHERE)


def test_a_start_says_that_others_may_read_the_database(open_house, tmp_path):
    house = open_house(start=False, slots=1)
    database = Path(make_url(Settings.load(house.study).machine.database).database)
    house.open()
    assert not [line for line in house.log.lines if "chmod" in line]
    house.close()
    database.chmod(0o640)
    house.open()
    assert [line for line in house.log.lines if f"chmod 600 {database}" in line]


def test_each_function_of_the_scheduler_has_a_thread(house):
    functions = house.running._scheduler.pulses().keys() - {"the scheduler"}
    assert len(functions) == scheduler._THREADS


def test_systemd_does_not_end_a_bot_of_which_a_part_does_not_go_on(open_house, monkeypatch):
    house, said = open_house(slots=1), queue.SimpleQueue()
    house.running._watchdog._stuck.add("something")
    monkeypatch.setattr(systemd, "notify", said.put)
    for _ in range(3):  # a look may be under way
        assert said.get(timeout=60) == "WATCHDOG=1"
    assert house.running._watchdog.troubles == ("something",)
