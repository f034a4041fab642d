"""The demonstration is the whole study: simulated participants of different skill, real networks, real results."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.database import Store
from storage.queries import history
from storage.schema.states import JobKind, TrialState

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(900)
def test_the_demonstration_ends_with_everybody_finished_evaluated_and_reported(tmp_path):
    blackmagic = str(Path(sys.executable).with_name("blackmagic"))
    command = [blackmagic, "demo", "--exit", "--participants", "2", "--tries", "3", "--port", "0"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=850
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["participants"] == told["report_posts"] == 2
    assert told["evaluations"] == 20
    assert told["cancelled"] >= 1
    store = Store(told["database"])
    sessions = history.sessions(store, 1)
    trials = [trial for session in sessions for trial in session.trials]
    assert told["trials"] == len(trials) == 6
    assert all(trial.state.is_finished and trial.state is not TrialState.FAILED for trial in trials)
    assert max(session.best.validation_accuracy for session in sessions if session.best) > 40
    for trial in trials:
        epochs = history.epochs_of(store, JobKind.TRIAL, trial.id)
        assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
        assert all(len(epoch.batch_losses) for epoch in epochs)
    assert told["plot_updates"] >= 3 * sum((trial.seconds or 0) > 10 for trial in trials)
