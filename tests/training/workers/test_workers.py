"""Workers are real processes here: they are watched, stopped, frozen and killed."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from training.hyperparameters import Configuration
from training.images.data import TaskData
from training.loop import train
from training.tasks import DIGITS_SQUEEZENET
from training.trial import BatchLosses, Ending, Outcome, TrialRequest
from training.workers import Failed, LocalWorkers, Lost, Ready, Resumed, Started, Suspended, WorkerEvent
from training.workers.environment_variables import worker_environment
from training.workers.service import is_out_of_memory

Configure = Callable[..., Configuration]

ENDS = (Outcome, Failed, Lost)

PARENT = """
import sys, time
from training.tasks import DIGITS_SQUEEZENET
from training.workers import LocalWorkers

if __name__ == "__main__":
    workers = LocalWorkers([DIGITS_SQUEEZENET], slots=1)
    workers.start()
    while workers._slots[0].process is None:
        time.sleep(0.01)
    print(workers._slots[0].process.pid, flush=True)
    time.sleep(600)
"""

IMPORTS = """
import sys
import torch
from training.hyperparameters import Configuration, Optimizer
from training.tasks import DIGITS_SQUEEZENET
from training.trial import TrialRequest
from training.workers.service import load, prepare, train

prepare(torch.device("cpu"), 1)
data = load(DIGITS_SQUEEZENET, torch.device("cpu"))
for optimizer in Optimizer:
    values = {"epochs": 1, "batch_size": 2, "loss": "cross_entropy", "optimizer": optimizer}
    next(iter(train(TrialRequest(DIGITS_SQUEEZENET.name, Configuration.create(values), seed=0), data)))
print(*sys.modules)
"""


class Pool:
    """A pool of workers with everything it has told so far."""

    def __init__(self, workers: LocalWorkers) -> None:
        self.workers = workers
        self.told: list[WorkerEvent] = []

    def until(self, wanted: Callable[[WorkerEvent], bool]) -> WorkerEvent:
        """Listen until an event that is wanted; give up after two minutes."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            event = self.workers.next_event(1)
            if event is not None:
                self.told.append(event)
                if wanted(event):
                    return event
        raise AssertionError(f"it did not come. These came: {self.told}")

    def until_job(self, job: str, *kinds: type) -> WorkerEvent:
        return self.until(lambda event: event.job == job and isinstance(event.message, kinds))

    def until_ready(self, count: int = 1) -> None:
        for _ in range(count):
            self.until(lambda event: isinstance(event.message, Ready))

    def losses(self, job: str) -> tuple[float, ...]:
        return tuple(
            loss
            for event in self.told
            if event.job == job and isinstance(event.message, BatchLosses)
            for loss in event.message.losses
        )

    def kinds(self, job: str) -> list[str]:
        return [type(event.message).__name__ for event in self.told if event.job == job]

    def process(self, slot: int) -> int:
        """The process in a slot."""
        found = self.workers._slots[slot].process
        assert found is not None
        return found.pid


def request(wanted: Configuration) -> TrialRequest:
    return TrialRequest("digits-squeezenet", wanted, seed=10)


def is_gone(process: int) -> bool:
    """Whether a process has ended, if nobody has collected it yet too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(process: int) -> bool:
    deadline = time.monotonic() + 120
    while not is_gone(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_gone(process)


@pytest.fixture(scope="module")
def shared() -> Iterator[Pool]:
    """Two warm slots; the bot that starts them holds credentials."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLACK_BOT_TOKEN", "xoxb-local")
        patch.setenv("SLACK_APP_TOKEN", "xapp-local")
        patch.setenv("DATABASE_URL", "postgresql://study:pass@localhost/study")
        patch.setenv("PYTHON_API_TOKEN", "hidden")
        patch.setenv("PGPASSWORD", "hidden")
        workers = LocalWorkers([DIGITS_SQUEEZENET], slots=2, patience=60)
        workers.start()
        pool = Pool(workers)
        pool.until_ready(2)
        yield pool
        workers.close()


@pytest.fixture
def pool(shared: Pool) -> Pool:
    shared.told.clear()
    return shared


@pytest.fixture(scope="module")
def long(configuration: Configure) -> Configuration:
    """So many epochs that nobody waits for the last."""
    return configuration(epochs=1000, batch_size=64)


def test_a_worker_holds_no_credentials(pool: Pool) -> None:
    seen = Path(f"/proc/{pool.process(0)}/environ").read_text()
    assert "PATH=" in seen
    for secret in ("SLACK_", "TOKEN", "DATABASE_URL", "PGPASSWORD", "xoxb-local", "hidden", "study:pass"):
        assert secret not in seen


def test_only_known_variables_without_secret_words_pass() -> None:
    variables = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "0",
        "TORCH_TOKEN": "x",
        "MY_SERVICE": "x",
        "SLACK_BOT_TOKEN": "x",
    }
    passed = worker_environment(variables, threads=3)
    set_for_it = {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
    assert passed.keys() == {"PATH", "CUDA_VISIBLE_DEVICES", "PYTHONPATH", *set_for_it}
    assert passed["OMP_NUM_THREADS"] == "3"


def test_two_busy_workers_and_this_process_get_the_same_bits(
    pool: Pool, digits: TaskData, configuration: Configure, record: Callable
) -> None:
    wanted = configuration(epochs=1, batch_size=48)
    pool.workers.submit(0, "same-0", request(wanted))
    pool.workers.submit(1, "same-1", request(wanted))
    here = record(train(request(wanted), digits))
    ended = set()
    while len(ended) < 2:
        ended.add(pool.until(lambda event: isinstance(event.message, Outcome)).job)
    for job in ("same-0", "same-1"):
        outcome = next(event.message for event in pool.told if event.job == job and isinstance(event.message, Outcome))
        assert pool.losses(job) == here.losses
        assert (outcome.ending, outcome.accuracy) == (Ending.COMPLETE, here.accuracy)
        assert pool.kinds(job)[0] == "Started"
        assert pool.kinds(job)[-2:] == ["EpochEnd", "Outcome"]


@pytest.mark.long
def test_the_bits_are_the_same_after_another_trial_and_in_a_restarted_worker(
    pool: Pool, configuration: Configure
) -> None:
    wanted = request(configuration(epochs=2, batch_size=200))
    other = request(configuration(epochs=1, batch_size=300, loss="mse", optimizer="rmsprop"))
    for job, what in (("first", wanted), ("other", other), ("again", wanted)):
        pool.workers.submit(1, job, what)
        assert pool.until_job(job, *ENDS).message.ending == Ending.COMPLETE
    os.kill(pool.process(1), signal.SIGKILL)
    pool.until_ready()
    pool.workers.submit(1, "restarted", wanted)
    pool.until_job("restarted", *ENDS)
    assert len(pool.losses("first")) == 16
    assert pool.losses("first") == pool.losses("again") == pool.losses("restarted")


@pytest.mark.long
def test_a_suspended_job_goes_on_as_if_nothing_had_happened(
    pool: Pool, digits: TaskData, configuration: Configure, record: Callable
) -> None:
    wanted = configuration(epochs=2, batch_size=48)
    alone = record(train(request(wanted), digits))
    pool.workers.submit(0, "below", request(wanted))
    pool.until_job("below", BatchLosses)
    pool.workers.submit(0, "above", request(configuration(epochs=1, batch_size=200, optimizer="sgd")))
    pool.until_job("below", Suspended)
    pool.until_job("above", Started)
    with pytest.raises(ValueError, match="running and a suspended job already"):
        pool.workers.submit(0, "third", request(wanted))
    pool.until_job("above", Outcome)
    pool.until_job("below", Resumed)
    outcome = pool.until_job("below", Outcome).message
    assert pool.losses("below") == alone.losses
    assert outcome.accuracy == alone.accuracy
    between = pool.told[
        next(i for i, event in enumerate(pool.told) if isinstance(event.message, Suspended)) + 1 : next(
            i for i, event in enumerate(pool.told) if isinstance(event.message, Resumed)
        )
    ]
    assert {event.job for event in between} == {"above"}


def test_a_running_and_a_suspended_job_can_be_stopped(pool: Pool, long: Configuration) -> None:
    pool.workers.submit(0, "lower", request(long))
    pool.workers.submit(0, "upper", request(long))
    pool.until_job("upper", BatchLosses)
    before = pool.process(0)
    pool.workers.stop("lower")
    assert pool.until_job("lower", *ENDS).message.ending == Ending.STOPPED
    pool.workers.stop("upper")
    outcome = pool.until_job("upper", *ENDS).message
    assert (outcome.ending, outcome.accuracy) == (Ending.STOPPED, None)
    assert outcome.environment.device == "cpu"
    assert pool.kinds("lower")[0] == "Started"
    assert "Resumed" not in pool.kinds("lower")
    pool.workers.stop("upper")
    pool.workers.stop("never heard of")
    assert pool.workers.next_event(0.2) is None
    assert pool.process(0) == before, "the worker obeyed, so it lives"


@pytest.mark.long
def test_losses_travel_a_few_times_a_second_not_once_a_step(pool: Pool, configuration: Configure) -> None:
    started = time.monotonic()
    pool.workers.submit(0, "many", request(configuration(epochs=1, batch_size=4)))
    pool.until_job("many", Outcome)
    messages = pool.kinds("many").count("BatchLosses")
    assert len(pool.losses("many")) == 360
    assert 1 <= messages <= 2 + (time.monotonic() - started) / 0.25


def test_a_job_it_cannot_do_fails_with_the_traceback_and_the_worker_lives_on(
    pool: Pool, configuration: Configure
) -> None:
    before = pool.process(1)
    pool.workers.submit(1, "strange", replace(request(configuration()), task="unheard-of"))
    failed = pool.until_job("strange", *ENDS).message
    assert isinstance(failed, Failed)
    assert failed.fault == "ours"
    assert "unheard-of" not in failed.reason
    assert "UnknownTask" in failed.detail
    pool.workers.submit(1, "usual", request(configuration(epochs=1, batch_size=400)))
    assert pool.until_job("usual", *ENDS).message.ending == Ending.COMPLETE
    assert pool.process(1) == before


def test_running_out_of_memory_asks_for_a_smaller_batch_and_the_next_job_gets_a_fresh_process(
    pool: Pool, configuration: Configure
) -> None:
    process = pool.process(1)
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[0])
    _, most = resource.prlimit(process, resource.RLIMIT_AS)
    resource.prlimit(process, resource.RLIMIT_AS, (pages * resource.getpagesize() + 64 * 2**20, most))
    pool.workers.submit(1, "huge", request(configuration(batch_size=1437)))
    failed = pool.until_job("huge", *ENDS).message
    assert isinstance(failed, Failed)
    assert failed.fault == "configuration", failed.detail
    assert "smaller batch" in failed.reason
    pool.workers.submit(1, "small", request(configuration(epochs=1, batch_size=400)))
    assert pool.until_job("small", *ENDS).message.ending == Ending.COMPLETE
    assert pool.process(1) != process
    assert not any(isinstance(event.message, Lost) for event in pool.told), "nothing is lost, so nobody is alarmed"


def test_memory_that_cannot_be_had_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**50)
    assert is_out_of_memory(refused.value)
    assert is_out_of_memory(torch.OutOfMemoryError())
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


def test_a_killed_worker_loses_its_jobs_and_is_replaced(
    pool: Pool, long: Configuration, configuration: Configure
) -> None:
    pool.workers.submit(0, "under", request(long))
    pool.workers.submit(0, "over", request(long))
    pool.until_job("over", BatchLosses)
    os.kill(pool.process(0), signal.SIGKILL)
    lost = {pool.until(lambda event: isinstance(event.message, Lost)).job for _ in range(2)}
    assert lost == {"under", "over"}
    pool.workers.submit(0, "over", request(configuration(epochs=1, batch_size=400)))
    pool.until_ready()
    assert pool.until_job("over", *ENDS).message.ending == Ending.COMPLETE


def test_a_worker_that_ignores_a_stop_is_killed_and_the_job_is_stopped_all_the_same(
    pool: Pool, long: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool.workers, "_patience", 1.0)
    pool.workers.submit(0, "patient", request(long))
    pool.until_job("patient", BatchLosses)
    pool.workers.submit(0, "deaf", request(long))
    pool.until_job("deaf", Started)
    frozen = pool.process(0)
    os.kill(frozen, signal.SIGSTOP)
    pool.workers.stop("deaf")
    outcome = pool.until_job("deaf", *ENDS).message
    assert (outcome.ending, outcome.accuracy) == (Ending.STOPPED, None)
    assert isinstance(
        next(event.message for event in pool.told if event.job == "patient" and isinstance(event.message, ENDS)), Lost
    )
    assert is_gone(frozen)
    # Before its replacement is there, a job waits, and can be stopped while it does.
    pool.workers.submit(0, "waiting", request(long))
    pool.workers.stop("waiting")
    assert pool.until_job("waiting", *ENDS).message.ending == Ending.STOPPED
    pool.until_ready()


def test_a_worker_imports_nothing_that_it_does_not_need() -> None:
    """Each of these takes some two seconds of CPU at the start of every worker."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "torch" in imported
    assert imported.isdisjoint({"torchvision", "torch._dynamo", "sklearn", "scipy", "optuna", "matplotlib", "sqlmodel"})


def test_a_worker_that_cannot_start_says_why_and_tries_again() -> None:
    wrong = replace(DIGITS_SQUEEZENET, facts=replace(DIGITS_SQUEEZENET.facts, training_images=1))
    workers = LocalWorkers([wrong], slots=1)
    workers.start()
    pool = Pool(workers)
    try:
        failed = pool.until(lambda event: isinstance(event.message, Failed)).message
        assert "the task promises 1" in failed.detail
        pool.until(lambda event: event.job is None and isinstance(event.message, Lost))
        deadline = time.monotonic() + 120
        while workers._slots[0].process is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_gone(pool.process(0)), "another try is under way"
    finally:
        workers.close()


def test_closing_leaves_no_process_behind_and_can_be_done_twice(long: Configuration) -> None:
    workers = LocalWorkers([DIGITS_SQUEEZENET], slots=1)
    with pytest.raises(RuntimeError, match="start them before"):
        workers.submit(0, "early", request(long))
    workers.start()
    pool = Pool(workers)
    pool.until_ready()
    workers.submit(0, "busy", request(long))
    pool.until_job("busy", BatchLosses)
    process = pool.process(0)
    workers.close()
    assert is_gone(process)
    workers.close()
    with pytest.raises(RuntimeError):
        workers.submit(0, "late", request(long))


def test_a_pool_that_is_killed_takes_its_workers_with_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert not is_gone(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until_gone(child)


def test_wrong_slots_and_known_jobs_are_refused(pool: Pool, long: Configuration) -> None:
    with pytest.raises(ValueError, match="no slot 2"):
        pool.workers.submit(2, "nowhere", request(long))
    pool.workers.submit(1, "once", request(long))
    with pytest.raises(ValueError, match="already there"):
        pool.workers.submit(1, "once", request(long))
    pool.workers.stop("once")
    pool.until_job("once", *ENDS)
    with pytest.raises(ValueError, match="at least one slot"):
        LocalWorkers([DIGITS_SQUEEZENET], slots=0)


def test_a_worker_that_falls_silent_with_a_job_is_killed(
    pool: Pool, long: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool.workers, "_silence", 8.0)
    pool.workers.submit(1, "mute", request(long))
    pool.until_job("mute", BatchLosses)
    frozen = pool.process(1)
    os.kill(frozen, signal.SIGSTOP)
    lost = pool.until_job("mute", *ENDS).message
    assert isinstance(lost, Lost)
    assert "silent for 8 s" in lost.reason
    assert is_gone(frozen)
