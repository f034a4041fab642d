"""``blackmagic replay``: a stored trial, trained again here, gives the losses that a worker recorded."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner

from bot.cli import app
from storage.schema.losses import pack, unpack
from storage.schema.states import TrialState
from storage.schema.tables import Epoch, Trial
from storage.transitions import trials
from training.hyperparameters import Configuration


def told(running: Any, trial: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["replay", "--trial", trial, "--study", str(running.file)])
    return result.exit_code, result.stdout.replace("\n", " "), result.stderr


@pytest.fixture
def recorded(running: Any, configuration: Callable[..., Configuration], wait_until: Callable) -> Any:
    """A study with three trials of one participant: complete, diverged, and cancelled on its way."""
    session = running.seated()
    with running.jobs() as (loop, _):
        for wanted in (
            configuration(epochs=2, batch_size=200),
            configuration(epochs=3, batch_size=100, loss="mse", optimizer="sgd", learning_rate=100),
        ):
            trial = running.submit(session, wanted)
            loop.wake_dispatcher()
            wait_until(lambda trial=trial: running.state(trial).is_finished)
        long = running.submit(session, configuration(epochs=1000, batch_size=32))
        loop.wake_dispatcher()
        wait_until(lambda: (found := loop.progress(long.subject)) and found.batch_losses)
        trials.cancel(running.store, long.id, now=session.started_at)
        loop.stop(long.subject)
        wait_until(lambda: running.state(long) is TrialState.CANCELLED)
    return running


@pytest.mark.long
def test_every_recorded_loss_comes_again_to_the_last_bit(recorded: Any) -> None:
    assert told(recorded, "P001/1")[:2] == (
        0,
        "Trial P001/1: all 16 recorded losses are the same to the last bit. ",
    )
    for number in (2, 3):
        code, said, _ = told(recorded, f"p001/{number}")
        assert code == 0
        assert "recorded losses are the same to the last bit" in said, "diverged and cancelled ones too"

    with recorded.store.write() as transaction:
        epoch = transaction.exec(select(Epoch).where(col(Epoch.number) == 2, col(Epoch.trial_id) == 1)).one()
        losses = unpack(epoch.batch_losses)
        losses.view("i4")[3] ^= 1  # the last bit of the fourth loss
        epoch.batch_losses = pack(losses)
    code, said, _ = told(recorded, "P001/1")
    assert code == 1
    assert "11 losses are the same; the first that is not is at epoch 2, step 4: " in said

    with recorded.store.write() as transaction:
        trial = transaction.get(Trial, 2)
        trial.environment = {**trial.environment, "processor": "Elder CPU"}
    code, said, _ = told(recorded, "P001/2")
    assert code == 0
    assert "differs from the one the trial ran on (there and here) in its processor: Elder CPU and " in said

    code, said, shown = told(recorded, "P001/9")
    assert (code, said) == (2, "")
    assert "has no trial P001/9" in shown


def test_what_cannot_be_replayed_is_said(running: Any, configuration: Callable[..., Configuration]) -> None:
    running.submit(running.seated(), configuration())
    assert told(running, "P001/1")[2] == "Trial P001/1 is waiting and has no losses to compare with.\n"
    assert "write a participant's code and a trial's number, such as P4071/4" in told(running, "third")[2]
