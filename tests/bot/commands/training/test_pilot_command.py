"""``blackmagic pilot`` as a person and a script see it."""

import json

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.commands.training import pilot as command
from tests.bot.study_file import write_study
from training.trial import Ending, Outcome
from training.workers.protocol import Failed, Lost, Ready, WorkerEvent


class ScriptedWorkers:
    """Workers that give each job's answers in turn."""

    def __init__(self, answers):
        self.answers = answers
        self.submitted = []
        self.closed = False
        self._events = [WorkerEvent(slot, None, Ready(None)) for slot in range(2)]

    def __call__(self, tasks, slots, threads, *, devices):
        return self

    def start(self):
        pass

    def submit(self, slot, job, request):
        self.submitted.append((request.configuration, request.seed))
        for message in self.answers(job, request):
            self._events.append(WorkerEvent(slot, job if not isinstance(message, Ready) else None, message))

    def next_event(self, _timeout):
        return self._events.pop(0) if self._events else None

    def close(self):
        self.closed = True


def complete(accuracy, epochs=10, seconds=60.0):
    return Outcome(Ending.COMPLETE, accuracy, epochs, seconds, 100.0, None)


def told(*options):
    result = CliRunner().invoke(app, ["pilot", *options])
    return result.exit_code, " ".join(result.stdout.split()), result.stderr


@pytest.fixture
def answering(monkeypatch):
    def use(answers):
        workers = ScriptedWorkers(answers)
        monkeypatch.setattr(command, "LocalWorkers", workers)
        return workers

    return use


def settled(_job, request):
    """Accuracies that belong to the setting."""
    return [complete(95.0 if request.configuration.learning_rate < 0.01 else 40.0 + request.seed / 10)]


def test_each_setting_is_trained_with_the_studys_seeds_and_a_fit_task_is_called_fit(answering, tmp_path):
    workers = answering(settled)
    study = write_study(tmp_path, seed=7, evaluation_seeds=[3, 4, 5])
    code, said, _ = told("--task", "mnist-squeezenet", "--settings", "4", "--study", str(study))
    assert code == 0
    assert "mnist-squeezenet is fit to measure skill" in said
    assert sorted({seed for _, seed in workers.submitted}) == [3, 4, 7]
    assert len(workers.submitted) == 12
    assert workers.closed


def test_a_task_that_is_not_fit_ends_with_3_and_json_has_the_numbers(answering):
    answering(lambda _job, _request: [Outcome(Ending.DIVERGED, None, 1, 2.0, 100.0, None)])
    code, said, _ = told("--task", "digits-squeezenet", "--settings", "2", "--seeds", "2", "--json")
    assert code == 3
    found = json.loads(said)
    assert found["accuracies"] == [[0, 0], [0, 0]]
    assert found["dead"] == 1
    assert found["seeds"] == [10, 1]
    assert {each["fit"] for each in found["findings"]} == {True, False}


def test_a_lost_worker_trains_again_and_one_that_runs_out_of_memory_has_learnt_nothing(answering):
    lost = set()

    def answers(job, request):
        if job == "1/10" and job not in lost:
            lost.add(job)
            return [Lost("killed"), Ready(None)]
        if job == "0/1":
            return [Failed("smaller, please", "out of memory", "configuration")]
        return settled(job, request)

    answering(answers)
    _, said, _ = told("--task", "digits-squeezenet", "--settings", "2", "--seeds", "2", "--json")
    found = json.loads(said)
    assert found["accuracies"] == [[95, 0], [95, 95]]


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (Failed("ours", "the disk is gone", "ours"), "Training failed: the disk is gone"),
        (Lost("killed by the system"), "Workers are lost again and again: killed by the system"),
    ],
)
def test_workers_that_do_not_do_what_they_should_end_it_with_a_sentence(answering, message, sentence):
    workers = answering(lambda _job, _request: [message, Ready(None)])
    code, _, error = told("--task", "digits-squeezenet", "--settings", "2", "--seeds", "2")
    assert code == 1
    assert sentence in error
    assert workers.closed


def test_more_seeds_than_the_study_has_and_unknown_tasks_are_refused(answering):
    answering(settled)
    code, _, error = told("--task", "digits-squeezenet", "--seeds", "12")
    assert code == 2
    assert "The study has 11 seeds" in error
    code, _, error = told("--task", "cats")
    assert code == 2
    assert "There is no task 'cats'" in error


@pytest.mark.long
def test_it_trains_for_real():
    code, said, error = told("--task", "digits-squeezenet", "--settings", "2", "--seeds", "2", "--epochs", "1")
    assert code == 3
    assert "digits-squeezenet is not fit to measure skill here: take it for demonstration only." in said
    assert "Adagrad · cross entropy · 1 epoch · batch 16" in said
    assert not error.startswith("Training failed")
