"""The bot stops or is killed, and starts again: nothing is lost, and the time is given back."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import events
from storage.queries import history
from storage.schema.states import EventKind, JobKind, SessionState, TrialState
from storage.transitions import recovery
from tests.bot.researcher.asking import answer, ask

BLACKMAGIC = Path(sys.executable).with_name("blackmagic")

SLOW = {"epochs": "10", "batch_size": "64"}
"""A trial that can be interrupted between two of its epochs."""


@contextmanager
def run(house, folder) -> Iterator[subprocess.Popen[bytes]]:
    """``blackmagic run`` as a process of its own, connected; killed at the end if it still runs."""
    environment = {
        **os.environ,
        "SLACK_BOT_TOKEN": house.workspace.bot_token,
        "SLACK_APP_TOKEN": house.workspace.app_token,
        "SLACK_API_URL": house.workspace.api_url,
    }
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen([BLACKMAGIC, "run", "--study", house.study], env=environment, stderr=log)
    try:
        house.workspace.wait_for_app(60)
        yield process
    finally:
        process.kill()
        process.wait()


def losses(house, trial):
    """Everything that training a trial came to, bit for bit."""
    epochs = history.epochs_of(house.store, JobKind.TRIAL, trial.id)
    return [(each.number, each.training_loss, each.validation_accuracy, each.batch_losses.tobytes()) for each in epochs]


def test_a_bot_that_is_killed_in_the_middle_of_a_trial_goes_on_with_it(open_house, tmp_path):
    house = open_house(start=False, slots=1)
    with ExitStack() as stack:
        process = stack.enter_context(run(house, tmp_path))
        researcher = house.workspace.person("Researcher")
        answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
        person = house.seated("Is interrupted")
        house.trained(person, **SLOW)
        house.submit(person, **SLOW)
        message = house.trial(person, 2, "training, epoch", button="Cancel")
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = house.session(person)
        assert before.trials[1].state is TrialState.RUNNING
        with pytest.raises(Exception, match="acknowledge"):
            person.press(message, "Cancel")

        stack.enter_context(run(house, tmp_path))
        told = person.wait_for("Sorry, you lost time through our fault", 60)
        house.trial(person, 2, "validation accuracy")
        shown = person.wait_until(lambda: (m := person.message(message.ts)).image_urls and m, 90)
        session = house.session(person)

    undisturbed, interrupted = session.trials
    assert losses(house, interrupted) == losses(house, undisturbed)
    assert len(losses(house, interrupted)) == 10
    assert interrupted.validation_accuracy == undisturbed.validation_accuracy
    assert interrupted.attempts == 2
    assert "validation accuracy" in shown.text
    assert session.deadline - before.deadline == session.given_back > timedelta(0)
    assert f"<!date^{int(session.deadline.timestamp())}^" in told.text_of_everything
    assert house.reported("P001 was given back")
    (given,) = events.read(house.store, kind=EventKind.TIME_GIVEN_BACK)
    assert given.participant == "P001"
    assert "xoxb-" not in (tmp_path / "log.txt").read_text()
    assert person.id not in (tmp_path / "log.txt").read_text()


def test_work_that_an_orderly_stop_deferred_goes_on_too(open_house):
    house = open_house(slots=1)
    person = house.seated("Waits for the bot")
    house.trained(person)
    house.finish(person)
    house.close()
    house.open()
    assert house.reported("P001 has finished")
    assert len([m for m in house.admin.messages(house.reports) if "P001 has finished" in m.text]) == 1


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


def test_a_choice_that_the_clock_should_have_made_is_made_at_the_start(open_house):
    house = open_house(slots=1, limit_minutes=0.05, warnings_minutes=[0.01], grace_minutes=0.05)
    person = house.seated("Does not answer")
    person.wait_for("Your time is up", 30)
    ends = house.session(person).grace_ends_at
    house.close()
    wait_until(ends)
    recovery.heartbeat(house.store, now=datetime.now(UTC))
    house.open()
    assert "You submitted no configuration" in person.wait_for("Thank you for taking part").text
    assert house.session(person).choice is None


def wait_until(moment):
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def test_other_rules_on_the_same_data_base_are_refused(open_house, tmp_path):
    house = open_house(start=False)
    house.open()
    house.close()
    house.study.write_text(re.sub("limit_minutes = .*", "limit_minutes = 90", house.study.read_text()))
    with pytest.raises(Exception, match="rules"):
        house.open()
