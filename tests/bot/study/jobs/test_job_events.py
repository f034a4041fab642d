"""Errors that workers report reach the admins with the kind of the error, and without its text."""

import traceback

import pytest

from bot.admin.alert_kinds import AlertKind
from bot.admin.reporter import AdminReporter
from bot.study.job_events import JobEvents, error_name
from storage.schema.states import JobKind
from storage.transitions.jobs import Job
from training.hyperparameters import Configuration
from training.workers import Failed


class Notes(AdminReporter):
    """Notes what the admins are told, and needs neither a workspace nor a database."""

    def __init__(self):
        self.alerts = []

    def alert(self, kind, text):
        self.alerts.append((kind, text))


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def events(notes):
    return JobEvents(None, None, notes, None, None, None)


def job(number, kind=JobKind.TRIAL, *, of_searcher=False):
    values = {"epochs": 1, "batch_size": 512, "loss": "cross_entropy", "optimizer": "sgd", "learning_rate": 0.01}
    return Job(
        kind=kind,
        id=number,
        task="t",
        configuration=Configuration.create(values),
        seed=1,
        attempts=1,
        slot=3,
        session_id=1,
        number=1,
        participant="P001",
        of_searcher=of_searcher,
    )


def failure(error, fault="ours"):
    try:
        raise error
    except type(error):
        return Failed("A sentence.", traceback.format_exc(), fault)


def test_a_run_that_failed_is_told_with_the_kind_of_error_and_nothing_of_its_text(notes, events):
    events.job_failed(job(7), failure(RuntimeError("/home/somebody/data is not there\nSomebody: call me")))
    events.job_failed(job(8, JobKind.EVALUATION), failure(OSError("Somebody's disk")))
    events.job_failed(job(9, JobKind.EVALUATION), failure(MemoryError(), "configuration"))
    assert notes.alerts == [
        (AlertKind.TRIAL_FAILED, "trial:7 of P001 failed in slot 3: RuntimeError."),
        (AlertKind.EVALUATION_FAILED, "evaluation:8 of P001 failed in slot 3: OSError."),
        (AlertKind.EVALUATION_FAILED, "evaluation:9 of P001 failed in slot 3: out of memory."),
    ]


def test_one_configuration_that_is_too_large_is_no_alert_and_several_are(notes, events):
    events.job_failed(job(1), failure(MemoryError(), "configuration"))
    events.job_failed(job(2, of_searcher=True), failure(MemoryError(), "configuration"))
    assert notes.alerts == []
    events.job_failed(job(3), failure(MemoryError(), "configuration"))
    said = "2 trials within an hour needed more memory than there is; the last was trial:3 of P001."
    assert notes.alerts == [(AlertKind.OUT_OF_MEMORY, said)]


@pytest.mark.parametrize(
    ("detail", "name"),
    [
        ("Traceback (most recent call last):\n  File x\ntorch.cuda.OutOfMemoryError: 3 GiB", "OutOfMemoryError"),
        ("Traceback (most recent call last):\n  File x\nKeyError: 'Somebody'", "KeyError"),
        ("KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("Somebody did it", "an error"),
        ("", "an error"),
    ],
)
def test_of_a_traceback_the_kind_of_error_is_told(detail, name):
    assert error_name(detail) == name
