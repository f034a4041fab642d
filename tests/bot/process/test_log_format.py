"""The log: a line for each event, as text or as JSON, with codes and without anybody's Slack ID."""

import json
import logging
from datetime import UTC, datetime

import pytest

from bot.process.log_format import JsonLines, TextLines
from bot.runner.event_lines import EventLines
from storage import events
from storage.database import Store
from storage.schema.states import Actor, EventKind
from storage.transitions import recovery
from tests.storage.databases import make_sqlite

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def sqlite_store(tmp_path):
    make_sqlite(tmp_path / "study.db")
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    yield store
    store.close()


def record(message, *values, error=None, **extra):
    exc_info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("bot.study.sweep", logging.ERROR, __file__, 1, message, values, exc_info)
    made.__dict__.update(extra)
    return made


def fail():
    raise ValueError("U0123ABCD has xoxb-12-secret")


def raised():
    try:
        fail()
    except ValueError as error:
        return error


def test_a_line_of_json_has_time_level_logger_message_and_whom_and_what_it_is_about():
    line = json.loads(JsonLines().format(record("%s of %s failed", "trial:17", "P001")))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "ERROR",
        "logger": "bot.study.sweep",
        "message": "trial:17 of P001 failed",
        "participant": "P001",
        "subject": "trial:17",
    }


def test_what_a_record_says_of_itself_goes_before_what_its_text_says():
    made = record("something about P001", participant="P002", subject="session:3")
    line = json.loads(JsonLines().format(made))
    assert (line["participant"], line["subject"]) == ("P002", "session:3")


def test_an_error_is_in_the_same_line_of_json():
    formatted = JsonLines().format(record("while sweeping", error=raised()))
    assert len(formatted.splitlines()) == 1
    line = json.loads(formatted)
    assert line["exception"] == "ValueError"
    assert "in fail" in line["traceback"]


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
def test_neither_an_id_of_a_person_nor_a_token_is_written(lines):
    written = lines.format(record("to D0456EFGH by %s", "W0789IJKL and xapp-1-A", error=raised()))
    for secret in ("U0123ABCD", "D0456EFGH", "W0789IJKL", "xoxb-", "xapp-"):
        assert secret not in written
    assert "ValueError" in written


def test_each_new_event_of_the_study_is_a_line_that_has_nothing_that_somebody_typed(sqlite_store, caplog):
    caplog.set_level(logging.INFO)
    recovery.reconcile(sqlite_store, now=NOW)
    lines = EventLines(sqlite_store)
    with sqlite_store.write() as transaction:
        given = {"at": NOW, "actor": Actor.BOT, "subject": "session:3", "participant": "P001"}
        events.record(transaction, kind=EventKind.TIME_GIVEN_BACK, seconds=420.0, why="the bot was down", **given)
        events.record(transaction, kind=EventKind.STUDY_AMENDED, reason="Jane asked for it", **given)
    for _ in range(2):
        lines.write()
    written = [each for each in caplog.records if each.name == "bot.runner.event_lines"]
    assert [each.getMessage() for each in written] == [
        "P001 session:3 time_given_back by bot (seconds=420.0, why=the bot was down)",
        "P001 session:3 study_amended by bot",
    ]
    assert json.loads(JsonLines().format(written[0]))["participant"] == "P001"
