"""The demonstration as a newcomer sees it: installed from a wheel, in an empty folder, with three participants."""

import json
from pathlib import Path

import pytest

from storage.database import Store
from storage.queries import history
from storage.schema.states import JobKind, TrialState
from tests.bot.commands.wheel import Installed


@pytest.mark.timeout(1800)
def test_three_participants_finish_one_trial_is_cancelled_and_thirty_evaluations_are_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    installed = Installed(tmp_path / "installed")
    done = installed.run(
        "demo", "--exit", "--participants", "3", "--port", "0", folder=tmp_path / "empty", seconds=1700
    )
    assert done.returncode == 0, done.stderr[-3000:]
    numbers = json.loads(done.stdout.splitlines()[-1])
    assert numbers["participants"] == numbers["report_posts"] == 3
    assert numbers["cancelled"] >= 1
    assert numbers["evaluations"] == 30
    store = Store(numbers["database"])
    sessions = history.sessions(store, 1)
    assert [len(session.trials) for session in sessions] == [4, 4, 4]
    best = [session.best.validation_accuracy or 0.0 for session in sessions if session.best]
    assert max(best) > 40
    watched = [trial for session in sessions for trial in session.trials if (trial.seconds or 0) > 10]
    assert numbers["plot_updates"] >= 3 * len(watched)
    for trial in (trial for session in sessions for trial in session.trials):
        assert trial.state.is_finished
        assert trial.state is not TrialState.FAILED
        epochs = history.epochs_of(store, JobKind.TRIAL, trial.id)
        assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
        assert all(len(epoch.batch_losses) for epoch in epochs)
    store.close()
