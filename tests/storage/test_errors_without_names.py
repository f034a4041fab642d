"""An error of the database never tells a Slack ID: not in the log, not to the admins, not at the command line."""

import logging
import traceback

import pytest
import typer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.commands.database import told
from bot.slack.error_reporting import ErrorReporter
from storage.schema.tables import Identity
from storage.transitions import participants
from tests.storage.conftest import Lab

PART = "05SECRET77"
USER, CHANNEL = f"U{PART}", f"D{PART}"


@pytest.fixture
def failing(own_store, lab_of) -> Lab:
    """Whoever is invited cannot be stored, because of an error whose parameters have their Slack ID."""
    lab = lab_of(own_store)
    lab.invite()
    with own_store.write() as transaction:
        if own_store.is_sqlite:
            failure = "CREATE TRIGGER fails BEFORE INSERT ON identity BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        else:  # “Failing row contains (…)”
            failure = "ALTER TABLE identity ADD CONSTRAINT fails CHECK (participant_id < 2)"
        transaction.execute(text(failure))
    return lab


def invite(lab):
    participants.invite(lab.store, slack_user=USER, slack_channel=CHANNEL, now=lab.now)


class Admins:
    """Remembers what they are told."""

    def __init__(self):
        self.said = []

    def error(self, *said):
        self.said += said

    def too_slow(self, *said):
        self.said += said


def test_nowhere_in_an_error_or_its_causes(failing):
    with pytest.raises(SQLAlchemyError) as failed:
        invite(failing)
    told = "".join(traceback.format_exception(failed.value))
    assert PART not in told
    assert "disk full" in told or "fails" in told, "and still it says what is wrong"


def test_nor_in_the_log_and_what_admins_read(failing, caplog):
    admins = Admins()
    with caplog.at_level(logging.DEBUG):
        try:
            invite(failing)
        except SQLAlchemyError as error:
            ErrorReporter(admins).report(error, "inviting somebody")
    assert "inviting somebody" in caplog.text
    assert PART not in caplog.text
    assert PART not in " ".join(admins.said)


def test_nor_at_the_command_line(failing, capsys):
    with pytest.raises(typer.Exit), told(nothing="Nothing was changed."):
        invite(failing)
    assert "The database cannot be used" in (said := capsys.readouterr().err)
    assert PART not in said


def test_nor_where_somebody_is_there_twice(own_store, lab_of):
    lab = lab_of(own_store)
    invite(lab)
    second = lab.invite()
    with pytest.raises(SQLAlchemyError) as failed, own_store.write() as transaction:
        transaction.get(Identity, second.id).slack_user = USER
    assert PART not in "".join(traceback.format_exception(failed.value))
