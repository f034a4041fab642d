"""The bot stops and starts again: nothing is lost, and the time is given back."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.settings.settings import SettingsError
from storage.schema.states import SessionState
from storage.transitions import recovery
from tests.storage.reading import last_heartbeat


@pytest.mark.long
def test_work_that_an_orderly_stop_deferred_goes_on_too(open_house):
    house = open_house(slots=1)
    person = house.seated("Waits for the bot")
    house.trained(person)
    house.finish(person)
    house.close()
    house.open()
    assert house.reported("P001 has finished")
    assert len([m for m in house.admin.messages(house.reports) if "P001 has finished" in m.text]) == 1


@pytest.mark.long
def test_time_that_ran_out_while_the_bot_was_down_is_given_back(open_house):
    house = open_house(slots=1, limit_minutes=0.1, warnings_minutes=[0.01])
    person = house.seated("Has little time")
    deadline = house.session(person).deadline
    house.close()
    wait_until(deadline)
    house.open()
    person.wait_for("Sorry, you lost time")
    session = house.session(person)
    assert session.state is SessionState.ACTIVE
    assert session.given_back > timedelta(0)
    person.press(house.root(person), "History")
    person.wait_for_modal("Your trials")
    person.wait_for("Your time is up", 30)  # the clock goes on


def test_a_session_whose_time_was_up_before_the_bot_went_down_is_ended_at_once(open_house):
    house = open_house(slots=1, limit_minutes=0.1, warnings_minutes=[0.01])
    person = house.seated("Had no luck")
    deadline = house.session(person).deadline
    house.close()
    wait_until(deadline + timedelta(seconds=0.2))
    recovery.heartbeat(house.store, now=datetime.now(UTC))  # alive after the deadline, and down before it rang
    house.open()
    person.wait_for("Your time is up")
    session = house.session(person)
    assert session.state is SessionState.CHOOSING
    assert session.given_back < timedelta(seconds=1)


@pytest.mark.long
def test_a_choice_that_the_clock_should_have_made_is_made_at_the_start(open_house):
    house = open_house(slots=1, limit_minutes=0.05, warnings_minutes=[0.01], grace_minutes=0.05)
    person = house.seated("Does not answer")
    person.wait_for("Your time is up", 30)
    ends = house.session(person).grace_ends_at
    house.close()
    wait_until(ends)
    recovery.heartbeat(house.store, now=datetime.now(UTC))
    house.open()
    person.wait_for("You submitted no configuration")
    assert house.session(person).choice is None


def wait_until(moment):
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def test_other_rules_on_the_same_database_are_refused_and_the_time_until_now_is_still_given_back(open_house):
    house = open_house()
    house.close()
    stopped_at = last_heartbeat(house.store)
    house.study.write_text(re.sub("limit_minutes = .*", "limit_minutes = 90", house.study.read_text()))
    with pytest.raises(SettingsError, match="rules"):
        house.open()
    assert last_heartbeat(house.store) == stopped_at
