"""The sweep does what is due: with nothing else happening, after an error of the database, and without Slack."""

import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import make_url

from bot.runner.clocks import Clocks
from bot.runner.watched import SWEEPING
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.slack.client import PacedClient
from bot.study.sweep import SWEEP_SECONDS, Sweep
from storage import database, events
from storage.queries.due import CALL_HOLDS
from storage.schema.states import EventKind, SessionState
from storage.schema.tables import Participant
from storage.transitions import notices, sessions, studies
from tests.bot.admin.office import Office

SOON = 30
LITTLE_TIME = {"slots": 1, "limit_minutes": 0.15, "warnings_minutes": [0.05], "grace_minutes": 10}


def wait_in_the_queue(house, name):
    person = house.described(name)
    person.press(person.wait_for("Your task"), "Start")
    person.wait_for("You are in the queue now")
    return person


def wait_until(true, seconds=SOON):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def wait_for_sweeps(house, count):
    """Wait until the bot has looked so many more times what is due."""

    def sweeps():
        return house.running._scheduler.pulses()[SWEEPING].count

    before = sweeps()
    wait_until(lambda: sweeps() >= before + count)


def test_when_nobody_answers_a_call_the_next_person_is_called_with_nothing_else_happening(open_house):
    house = open_house(slots=1)
    house.seated("Gives the seat back")
    silent, next_one = wait_in_the_queue(house, "Does not come"), wait_in_the_queue(house, "Comes")
    house.end_sessions()
    silent.wait_for("A place is free now", SOON)
    wait_for_sweeps(house, 2)
    assert not [each for each in next_one.messages() if "A place is free" in each.text]  # the seat is kept

    with house.store.write() as transaction:  # a quarter of an hour passes
        transaction.need(Participant, house.participant(silent).id).called_at -= CALL_HOLDS
    called = next_one.wait_for("A place is free now", SOON)
    next_one.press(called, "Start")
    next_one.wait_for_modal("New configuration")


class Lock:
    """Another process that writes, and keeps everybody else from writing."""

    def __init__(self, house):
        path = make_url(house.running.settings.machine.database).database
        self.connection = sqlite3.connect(path, timeout=20, check_same_thread=False)

    def __enter__(self):
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_):
        self.connection.rollback()
        self.connection.close()


@pytest.mark.long
def test_a_session_expires_although_the_database_was_locked_at_that_moment(open_house, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 1.0)
    house = open_house(**LITTLE_TIME)
    tuner = house.seated("Runs out of time")
    next_one = wait_in_the_queue(house, "Gets the seat")
    deadline = house.session(tuner).deadline
    wait_until(lambda: datetime.now(UTC) > deadline - timedelta(seconds=1))
    with Lock(house):
        wait_until(lambda: datetime.now(UTC) > deadline + timedelta(seconds=2 * SWEEP_SECONDS + 2))
        assert house.session(tuner).state is SessionState.ACTIVE

    house.running.sweep.run()  # one sweep is enough, this one or one that ran a moment before
    assert house.session(tuner).state is SessionState.CHOOSING
    assert "Choose" in tuner.wait_for("Your time is up", SOON).buttons
    next_one.wait_for("A place is free now", SOON)
    assert house.reported("OperationalError")


@pytest.mark.long
def test_a_session_expires_while_slack_is_away_and_everybody_is_told_once_it_is_back(open_house, monkeypatch):
    house = open_house(**LITTLE_TIME)
    tuner = house.seated("Runs out of time")
    next_one = wait_in_the_queue(house, "Gets the seat")
    away, works = threading.Event(), PacedClient.api_call

    def call(client, method, **given):
        if away.is_set():
            raise OSError("Slack is away")
        return works(client, method, **given)

    monkeypatch.setattr(PacedClient, "api_call", call)
    away.set()
    wait_until(lambda: house.session(tuner).state is SessionState.CHOOSING)
    wait_until(lambda: house.participant(next_one).called_at is not None)
    assert not [each for each in tuner.messages() if "Your time is up" in each.text]
    away.clear()

    assert "Choose" in tuner.wait_for("Your time is up", SOON).buttons
    next_one.wait_for("A place is free now", SOON)
    wait_until(lambda: not notices.pending(house.store))
    wait_for_sweeps(house, 1)
    assert len([each for each in tuner.messages() if "Your time is up" in each.text]) == 1


class NothingFollows:
    """Reactions of a study without Slack."""

    def time_changed(self, _):
        pass

    call_next = deliver_notices = lambda _: None


@pytest.fixture
def office(tmp_path, study_file):
    """A study in which seven people have little time left."""
    given = {"database": f"sqlite:///{tmp_path / 'study.db'}", "limit_minutes": 120, "warnings_minutes": [10]}
    with LocalWorkspace() as workspace:
        office = Office(study_file(tmp_path, **given), workspace, datetime(2030, 3, 1, 9, tzinfo=UTC))
        studies.open_study(office.store, actor="researcher-1", now=office.now)
        office.tuning = [office.seated() for _ in range(7)]
        office.later(minutes=115)
        yield office
        office.store.close()


def test_an_error_that_concerns_one_session_is_told_for_each_and_an_error_of_all_for_some(office, monkeypatch):
    told, works, broken = [], sessions.warn, {session.id for session in office.tuning}

    def warn(store, session_id, **given):
        if session_id in broken:
            raise RuntimeError("a broken session")
        return works(store, session_id, **given)

    monkeypatch.setattr(sessions, "warn", warn)
    clocks = Clocks(lambda: None, wall=lambda: office.now.timestamp())
    sweep = Sweep(office.settings, office.store, NothingFollows(), lambda _, doing: told.append(doing), clocks)
    for _ in range(2):
        sweep.run()
    assert told == [f"warning a participant (session:{each.id})" for each in office.tuning[:5]]

    last = office.tuning[-1].id
    broken -= {each.id for each in office.tuning} - {last}
    sweep.run()
    broken.add(last)
    sweep.run()
    assert len(told) == 5
    broken.discard(last)
    sweep.run()
    assert not broken
    assert len(events.read(office.store, kind=EventKind.SESSION_WARNED)) == 7


@pytest.mark.long
def test_each_warning_is_given_once_and_at_its_time(open_house):
    house = open_house(slots=1, limit_minutes=0.25, warnings_minutes=[0.15, 0.1], grace_minutes=10)
    person = house.seated("Is warned")
    deadline = house.session(person).deadline
    person.wait_for("Your time is up", SOON)
    given = events.read(house.store, kind=EventKind.SESSION_WARNED)
    assert [each.details["minutes"] for each in given] == [pytest.approx(0.15), pytest.approx(0.1)]
    for event in given:
        assert event.at >= deadline - timedelta(minutes=event.details["minutes"])
