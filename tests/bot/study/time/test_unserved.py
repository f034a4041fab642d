"""People were not served: the process was suspended, Slack was away, a thread had died. They get the time back."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.runner.clocks import boot_seconds
from storage import events
from storage.queries.alive import alive
from storage.schema.states import EventKind, SessionState
from tests.bot.conftest import PATIENCE

TOLD = "Sorry, you lost time"


def told(person):
    return [message for message in person.messages() if TOLD in message.text_of_everything]


def leap(house, **duration):
    """The time leaps for the bot, as if its process had been suspended for so long."""
    seconds, clocks = timedelta(**duration).total_seconds(), house.running.clocks
    with clocks._lock:
        clocks._passed = lambda: boot_seconds() + seconds
        clocks._wall = lambda: time.time() + seconds


def test_a_process_that_was_suspended_beyond_a_deadline_gives_the_time_back_and_says_so_once(open_house):
    house = open_house(slots=1, limit_minutes=60, warnings_minutes=[30, 10])
    person = house.seated("Is in the middle")
    before = house.session(person)
    leap(house, hours=3)
    person.wait_for(TOLD, PATIENCE)
    session = house.session(person)
    assert session.state is SessionState.ACTIVE
    assert timedelta(hours=3) <= session.given_back < timedelta(hours=3, minutes=2)
    assert session.deadline == before.deadline + session.given_back
    assert "was given back" in house.reported("the bot was suspended").text_of_everything
    house.trained(person)
    assert len(told(person)) == len(events.read(house.store, kind=EventKind.TIME_GIVEN_BACK)) == 1
    assert events.read(house.store, kind=EventKind.SESSION_WARNED) == []


@pytest.mark.long
def test_without_slack_nobodys_time_ends_and_it_is_given_back_when_slack_is_there_again(open_house, monkeypatch):
    house = open_house(slots=1, limit_minutes=0.2, warnings_minutes=[0.05])
    person = house.seated("Cannot press anything")
    clocks, hears = house.running.clocks, house.running.clocks._heard
    monkeypatch.setattr("bot.runner.clocks.AWAY_SECONDS", 5.0)
    clocks._heard = lambda: None
    house.admin.wait_until(lambda: clocks.served_until is not None, PATIENCE)
    deadline = house.session(person).deadline
    house.admin.wait_until(lambda: datetime.now(UTC) > deadline + timedelta(seconds=5), PATIENCE)
    assert house.session(person).state is SessionState.ACTIVE
    assert alive(house.store).heartbeat_at <= clocks.served_until  # a bot that is killed now gives it back, too

    clocks._heard = hears
    person.wait_for(TOLD, PATIENCE)
    session = house.session(person)
    assert session.deadline > deadline + timedelta(seconds=5)
    person.wait_for("Your time is up", PATIENCE)  # the clock goes on
    assert len(told(person)) == 1


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_is_set_leaves_everybody_the_time_that_they_had(open_house, hours):
    house = open_house(slots=1, limit_minutes=60, warnings_minutes=[30, 10])
    person = house.seated("Does not look at the clock")
    before, shown = house.session(person), house.root(person).text_of_everything
    house.running.clocks._wall = lambda: time.time() + hours * 3600
    person.wait_until(lambda: house.session(person).deadline != before.deadline, PATIENCE)
    session = house.session(person)
    assert session.deadline - before.deadline == pytest.approx(timedelta(hours=hours), abs=timedelta(seconds=3))
    assert (session.state, session.given_back) == (SessionState.ACTIVE, timedelta(0))
    person.wait_until(lambda: house.root(person).text_of_everything != shown, PATIENCE)  # the new deadline
    way = "forward" if hours > 0 else "back"
    assert f"was set {way} by 3 h" in house.reported("The clock of my machine").text_of_everything
    assert told(person) == []


@pytest.mark.long
def test_a_thread_that_has_died_is_started_again_and_the_admins_are_told(open_house, monkeypatch):
    house = open_house(slots=1, limit_minutes=0.3, warnings_minutes=[0.05])
    person = house.seated("Notices nothing")
    scheduler = house.running._scheduler
    works, died = scheduler._scheduler._look, threading.Event()

    def die():
        monkeypatch.setattr(scheduler._scheduler, "_look", works)
        died.set()
        raise SystemExit

    monkeypatch.setattr(scheduler._scheduler, "_look", die)
    assert died.wait(PATIENCE)
    assert "The thread scheduler had ended" in house.reported("A part of the bot had stopped").text_of_everything
    person.wait_for("Your time is up", PATIENCE)


def test_a_bot_whose_thread_dies_for_good_stops_with_a_sentence(open_house, monkeypatch):
    house = open_house(slots=1)
    bot = house.running
    monkeypatch.setattr(bot._hearing, "is_alive", lambda: False)
    assert bot._stopped.wait(PATIENCE)
    assert "so that it can be started again, because a thread of the connection to Slack" in bot.stopped_because
    assert bot.may_start_again
