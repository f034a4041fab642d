"""The bot is killed while it trains, and starts again: the trial goes on, bit for bit, and the time is given back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from storage import events
from storage.queries import history
from storage.schema.states import EventKind, JobKind, TrialState
from tests.bot.researcher.asking import answer, ask

BLACKMAGIC = Path(sys.executable).with_name("blackmagic")

SLOW = {"epochs": "15", "batch_size": "64"}
"""A trial that still trains when it is interrupted, also where this process waits for a processor for seconds."""


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
        shown = house.trial(person, 2, "validation accuracy")
        assert len(person.pictures(shown)) == 1
        session = house.session(person)

    undisturbed, interrupted = session.trials
    assert losses(house, interrupted) == losses(house, undisturbed)
    assert len(losses(house, interrupted)) == int(SLOW["epochs"])
    assert interrupted.validation_accuracy == undisturbed.validation_accuracy
    assert interrupted.attempts == 2
    assert "validation accuracy" in shown.text
    assert session.deadline - before.deadline == session.given_back > timedelta(0)
    assert f"<!date^{int(session.deadline.timestamp())}^" in told.text_of_everything
    code = house.participant(person).code  # drawn at random: this bot is another process
    assert house.reported(f"I was away: {code} was given back")
    assert "nobody had stopped me" in house.reported("The bot had crashed").text
    (given,) = events.read(house.store, kind=EventKind.TIME_GIVEN_BACK)
    assert given.participant == code
    assert "xoxb-" not in (tmp_path / "log.txt").read_text()
    assert person.id not in (tmp_path / "log.txt").read_text()
