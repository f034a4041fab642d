"""``blackmagic health``: exit code 0 while the bot lives, 1 when it does not, and why."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.process.status_file import Status, StatusFile
from storage.database import Store
from storage.transitions import recovery
from tests.storage.databases import make_sqlite


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    make_sqlite(tmp_path / "study.db")
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture
def store(url):
    opened = Store(url)
    yield opened
    opened.close()


def ask(url, *options):
    ran = CliRunner().invoke(app, ["health", "--database", url, *options])
    return ran.exit_code, ran.stdout.strip()


def health(url):
    code, said = ask(url, "--json")
    return code, json.loads(said)


def started(store, **ago):
    recovery.reconcile(store, now=datetime.now(UTC) - timedelta(**ago))


def status(**given):
    return Status(**{"slots": 2, "slots_ready": 1, "troubles": (), "unserved_since": None, **given})


def test_a_bot_that_never_ran_and_one_that_was_stopped_do_not_live(url, store):
    assert ask(url) == (1, "The bot has never run on this database.")
    started(store, seconds=1)
    assert ask(url)[0] == 0
    recovery.note_stop(store, now=datetime.now(UTC))
    assert ask(url) == (1, "The bot does not run: it was stopped.")


def test_a_bot_on_another_machine_is_known_by_its_heartbeat(url, store):
    started(store, seconds=3)
    code, found = health(url)
    assert (code, found["healthy"], found["sessions"], "slots" in found) == (0, True, 0, False)
    assert 3 <= found["seconds_since_alive"] < 30


def test_a_bot_whose_heartbeat_is_old_does_not_live(url, store):
    started(store, minutes=10)
    code, said = ask(url)
    assert code == 1
    assert "was last alive 60" in said


def test_a_bot_without_slack_lives_although_its_heartbeat_stands_still(url, store):
    started(store, minutes=10)
    StatusFile(url).write_now_and_then(status(unserved_since=datetime.now(UTC)))
    code, said = ask(url)
    assert code == 0
    assert "Slack cannot be reached now." in said
    assert "Workers ready: 1 of 2." in said


def test_a_bot_of_which_a_part_does_not_go_on_is_unwell(url, store):
    started(store, seconds=1)
    StatusFile(url).write_now_and_then(status(troubles=("doing what is due",)))
    code, said = ask(url)
    assert code == 1
    assert "Does not go on: doing what is due." in said


def test_a_restart_helps_only_a_bot_that_lives_no_more(url, store):
    started(store, seconds=1)
    StatusFile(url).write_now_and_then(status(troubles=("doing what is due",), unserved_since=datetime.now(UTC)))
    assert ask(url, "--live")[0] == 0
    os.utime(StatusFile(url).path, (0, 0))
    recovery.note_stop(store, now=datetime.now(UTC))
    assert ask(url, "--live")[0] == 1


def test_the_status_is_written_now_and_then_and_on_a_full_disk_its_time_goes_on(url, monkeypatch):
    seconds = 0.0
    file = StatusFile(url, lambda: seconds)
    file.write_now_and_then(status())
    file.write_now_and_then(status(slots_ready=2))  # too soon
    assert file.read()[0].slots_ready == 1
    os.utime(file.path, (0, 0))

    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    seconds = 5.0
    file.write_now_and_then(status(slots_ready=2))
    said, at = file.read()
    assert said.slots_ready == 1
    assert datetime.now(UTC) - at < timedelta(minutes=1)
    file.remove()
    assert file.read() is None


def test_studies_in_two_folders_whose_databases_have_one_name_have_a_status_each(url, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    paths = set()
    for folder in (tmp_path, other):
        monkeypatch.chdir(folder)
        paths.add(StatusFile("sqlite:///study.db").path)
    assert len(paths) == 2
    assert StatusFile(url).path in paths  # the same file, however it is named


def test_a_database_that_is_not_there_is_named(tmp_path):
    ran = CliRunner().invoke(app, ["health", "--database", f"sqlite:///{tmp_path / 'none.db'}"])
    assert ran.exit_code == 2
    assert "There is no study in" in ran.stderr
