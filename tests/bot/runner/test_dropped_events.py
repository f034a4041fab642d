"""What a worker reports and cannot be stored leaves no job without an end, and the admins are told."""

import threading

import pytest

from bot.runner.dispatcher import Dispatcher
from bot.runner.running_jobs import RunningJobs
from storage.schema.states import TrialState
from storage.transitions import jobs as job_transitions
from storage.transitions import trials
from tests.bot.runner.running_study import Running, Watching
from tests.bot.scripted_workers import ENVIRONMENT, ScriptedWorkers
from training.hyperparameters import Configuration
from training.trial import Ending, Outcome

PATIENCE = 30.0
SHORT = Configuration.create(
    {"epochs": 1, "batch_size": 64, "loss": "cross_entropy", "optimizer": "sgd", "learning_rate": 0.01}
)


class Workers(ScriptedWorkers):
    """A worker that stops a job when it is told to, and that tells how often it was given one."""

    def __init__(self):
        super().__init__()
        self.submitted = []
        self.changed = threading.Condition()

    def submit(self, slot, job, request):
        with self.changed:
            self.submitted.append(job)
            self.changed.notify_all()
        super().submit(slot, job, request)

    def stop(self, job):
        self.say(Outcome(Ending.STOPPED, None, 0, 1.0, 1.0, ENVIRONMENT), job)

    def wait_for_submissions(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.submitted) >= count, PATIENCE)


@pytest.fixture
def trained(tmp_path, warm_workers):
    """A trial that runs, its workers, and what the dispatcher tells."""
    study, workers = Running(tmp_path, warm_workers), Workers()
    running = RunningJobs(workers)
    watching = Watching(workers, running)
    dispatcher = Dispatcher(study.store, workers, running, watching)
    dispatcher.start()
    workers.ready()
    trial = study.submit(study.seated(), SHORT)
    running.wake_dispatcher()
    workers.wait_for_submissions(1)
    yield study.store, trial.id, workers, watching
    dispatcher.close()
    study.store.close()


def fail_once(monkeypatch, module, name):
    works, failed = getattr(module, name), []

    def fail(*given, **more):
        if not failed:
            failed.append(name)
            raise ValueError("it cannot be stored")
        return works(*given, **more)

    monkeypatch.setattr(module, name, fail)


def wait_for_the_end(store, trial_id, watching):
    key, ended = f"trial:{trial_id}", threading.Event()
    deadline = PATIENCE
    while key not in watching.ended and deadline > 0:
        ended.wait(0.02)
        deadline -= 0.02
    return trials.get(store, trial_id)


@pytest.mark.parametrize("lost", ["finish", "record_epoch"])
def test_a_trial_of_which_something_could_not_be_stored_runs_again(trained, monkeypatch, lost):
    store, trial_id, workers, watching = trained
    fail_once(monkeypatch, job_transitions, lost)
    workers.epoch(1)
    if lost == "finish":
        workers.end(Ending.COMPLETE, 61.2)
    workers.wait_for_submissions(2)
    workers.epoch(1)
    workers.end(Ending.COMPLETE, 61.2)
    trial = wait_for_the_end(store, trial_id, watching)
    assert (trial.state, trial.validation_accuracy, trial.attempts) == (TrialState.COMPLETE, 61.2, 2)
    assert [str(each) for each in watching.errors] == ["it cannot be stored"]
    assert watching.lost == [f"trial:{trial_id}"]


def test_an_error_of_the_listener_spoils_nothing(trained):
    store, trial_id, workers, watching = trained
    failed = []

    def fail(job):
        if not failed:
            failed.append(job)
            raise ValueError("it cannot be told")

    watching.on_moved = fail
    workers.epoch(1)
    workers.end(Ending.COMPLETE, 61.2)
    trial = wait_for_the_end(store, trial_id, watching)
    assert (trial.state, trial.attempts) == (TrialState.COMPLETE, 1)
    assert [str(each) for each in watching.errors] == ["it cannot be told"]
