"""Whatever goes wrong for one slot, the supervisor goes on, for this slot and for the others."""

import errno
import multiprocessing
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.training.workers.test_workers import ENDS, Pool, request
from training.hyperparameters import Configuration
from training.trial import Ending
from training.workers import Failed, Lost, Ready, Started, local
from training.workers.protocol import WorkerEvent

MakePool = Callable[..., Pool]


@pytest.fixture
def configured(configuration: Callable[..., Configuration]) -> Configuration:
    return configuration(epochs=1)


def once(failing: Exception, real: Callable[..., Any]) -> Callable[..., Any]:
    """A function that fails at its first call."""
    errors = [failing]

    def called(*args: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return real(*args, **options)

    return called


def is_complete(pool: Pool, job: str) -> bool:
    return getattr(pool.until_job(job, *ENDS).message, "ending", None) is Ending.COMPLETE


@pytest.mark.parametrize(
    ("module", "name", "error"),
    [
        (subprocess, "Popen", BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")),
        (subprocess, "Popen", OSError(errno.ENOMEM, "Cannot allocate memory")),
        (multiprocessing, "Pipe", OSError(errno.EMFILE, "Too many open files")),
    ],
    ids=["no process", "no memory", "no file"],
)
def test_a_process_that_cannot_be_started_is_reported_and_tried_again(
    pretend: MakePool,
    configured: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    error: Exception,
) -> None:
    pool = pretend()
    monkeypatch.setattr(module, name, once(error, getattr(module, name)))
    pool.workers.start()
    failed = pool.until(lambda event: isinstance(event.message, Failed | Ready))
    assert isinstance(failed.message, Failed), "the start failed, and nobody is told"
    assert (failed.job, failed.message.fault) == (None, "ours")
    assert str(error) in failed.message.detail
    pool.until_ready()
    pool.workers.submit(0, "trains", request(configured))
    assert is_complete(pool, "trains")


def test_the_pause_before_another_start_grows(pretend: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    pool = pretend()
    monkeypatch.setattr(subprocess, "Popen", no_process)
    slot, pauses = pool.workers._slots[0], []
    now = [1000.0]
    monkeypatch.setattr(local.time, "monotonic", lambda: now[0])
    for _ in range(8):
        pool.workers._look_after(slot)
        pauses.append(slot.start_at - now[0])
        now[0] = slot.start_at
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_worker_that_is_killed_while_no_process_can_be_started_is_replaced_later(
    ready: MakePool, configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ready(slots=2)
    monkeypatch.setattr(subprocess, "Popen", once(OSError(errno.ENOMEM, "no memory"), subprocess.Popen))
    pool.workers.submit(0, "is killed", request(configured))
    assert isinstance(pool.until_job("is killed", *ENDS).message, Lost)
    pool.until(lambda event: event.job is None and isinstance(event.message, Failed))
    pool.workers.submit(1, "beside it", request(configured))
    assert is_complete(pool, "beside it")
    pool.until_ready()
    pool.workers.submit(0, "after it", request(configured))
    assert is_complete(pool, "after it")


def test_a_job_in_a_slot_whose_process_cannot_be_started_is_lost_so_that_another_slot_can_run_it(
    pretend: MakePool, configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = pretend()
    monkeypatch.setattr(subprocess, "Popen", once(OSError(errno.ENOMEM, "no memory"), subprocess.Popen))
    with pool.workers._lock:  # the supervisor waits, so the job is there before the first process
        pool.workers.start()
        pool.workers.submit(0, "is early", request(configured))
    assert isinstance(pool.until_job("is early", *ENDS).message, Lost)
    pool.until_ready()


@pytest.mark.parametrize("job", ["writes nonsense", "sends a number"])
def test_a_worker_whose_messages_cannot_be_read_is_replaced(
    ready: MakePool, configured: Configuration, job: str
) -> None:
    pool = ready(slots=2)
    pool.workers.submit(0, job, request(configured))
    lost = pool.until_job(job, *ENDS).message
    assert isinstance(lost, Lost)
    assert "cannot be read" in lost.reason
    pool.workers.submit(1, "beside it", request(configured))
    assert is_complete(pool, "beside it")
    pool.until_ready()
    pool.workers.submit(0, "after it", request(configured))
    assert is_complete(pool, "after it")


def test_a_message_for_which_there_is_no_memory_costs_the_slot_its_process(
    ready: MakePool, configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ready()
    connection = pool.workers._slots[0].connection
    assert connection is not None
    monkeypatch.setattr(type(connection), "recv", once(MemoryError(), type(connection).recv))
    pool.workers.submit(0, "trains", request(configured))
    assert isinstance(pool.until_job("trains", *ENDS).message, Lost)
    pool.until_ready()


def test_a_wait_that_fails_does_not_end_the_supervisor(
    pretend: MakePool, configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = pretend()
    monkeypatch.setattr(local, "wait", once(OSError(errno.ENOMEM, "Cannot allocate memory"), local.wait))
    pool.workers.start()
    pool.until_ready()
    pool.workers.submit(0, "trains", request(configured))
    assert is_complete(pool, "trains")


def test_an_error_while_looking_after_one_slot_leaves_the_others_alone(
    ready: MakePool, configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ready(slots=2)
    real = pool.workers._take

    def takes(slot: Any, event: WorkerEvent) -> None:
        if slot.index == 0 and isinstance(event.message, Started):
            raise ZeroDivisionError
        real(slot, event)

    monkeypatch.setattr(pool.workers, "_take", takes)
    pool.workers.submit(0, "waits", request(configured))
    assert isinstance(pool.until_job("waits", *ENDS).message, Lost)
    pool.workers.submit(1, "beside it", request(configured))
    assert is_complete(pool, "beside it")
    pool.until_ready()


def test_a_process_that_the_system_cannot_end_does_not_hold_up_the_others(
    ready: MakePool, configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ready(slots=2)
    stuck = pool.workers._slots[0].process
    assert stuck is not None
    real = stuck.wait

    def hangs(timeout: float | None = None) -> int:
        assert timeout is not None, "it would be waited for without an end"
        raise subprocess.TimeoutExpired("a worker", timeout)

    monkeypatch.setattr(stuck, "wait", hangs)
    pool.workers.submit(0, "is killed", request(configured))
    assert isinstance(pool.until_job("is killed", *ENDS).message, Lost)
    pool.workers.submit(1, "beside it", request(configured))
    assert is_complete(pool, "beside it")
    assert real(60) == -signal.SIGKILL
