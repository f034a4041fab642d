"""Workers have a memory limit, are ended first, and what runs out of memory fails once."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.training.workers.test_workers import ENDS, Pool, request
from training.hyperparameters import Configuration
from training.tasks import DIGITS_SQUEEZENET
from training.trial import BatchLosses, Ending
from training.workers import Failed, LocalWorkers, Lost, Ready, Started, Suspended, memory

MakePool = Callable[..., Pool]
Configure = Callable[..., Configuration]


@pytest.fixture
def configured(configuration: Configure) -> Configuration:
    return configuration(epochs=1)


class Kills:
    """The system's count of the processes that it has ended, as a test says."""

    def __init__(self, count: int | None = 3) -> None:
        self.count = count

    def __call__(self) -> int | None:
        return self.count

    def happens(self, pool: Pool) -> None:
        """The system ends the process in the first slot."""
        assert self.count is not None
        self.count += 1
        os.kill(pool.process(0), signal.SIGKILL)


def test_a_job_for_whose_memory_the_system_ends_the_worker_fails_once(
    ready: MakePool, configured: Configuration
) -> None:
    kills = Kills()
    pool = ready(count_oom_kills=kills)
    pool.workers.submit(0, "waits for it", request(configured))
    pool.until_job("waits for it", Started)
    kills.happens(pool)
    failed = pool.until_job("waits for it", *ENDS).message
    assert isinstance(failed, Failed)
    assert (failed.fault, "smaller batch" in failed.reason) == ("configuration", True)
    assert "memory ran out" in failed.detail
    before = [event for event in pool.told if isinstance(event.message, Lost)]
    assert [event.job for event in before] == [None], "the slot is not used until it is ready again"
    pool.until_ready()
    pool.workers.submit(0, "trains", request(configured))
    assert getattr(pool.until_job("trains", *ENDS).message, "ending", None) is Ending.COMPLETE


def test_only_the_job_that_ran_is_at_fault_and_not_the_one_that_it_suspended(
    ready: MakePool, configured: Configuration
) -> None:
    kills = Kills()
    pool = ready(count_oom_kills=kills)
    for job in ("waits below", "waits above"):
        pool.workers.submit(0, job, request(configured))
    pool.until_job("waits above", Started)
    kills.happens(pool)
    ends = {}
    while len(ends) < 2:
        event = pool.until(lambda event: isinstance(event.message, ENDS) and event.job is not None)
        ends[event.job] = type(event.message)
    assert ends == {"waits below": Lost, "waits above": Failed}


@pytest.mark.parametrize("count", [3, None], ids=["another reason", "no count"])
def test_a_worker_that_is_killed_for_another_reason_is_lost(
    ready: MakePool, configured: Configuration, count: int | None
) -> None:
    pool = ready(count_oom_kills=Kills(count))
    pool.workers.submit(0, "waits for it", request(configured))
    pool.until_job("waits for it", Started)
    os.kill(pool.process(0), signal.SIGKILL)
    assert isinstance(pool.until_job("waits for it", *ENDS).message, Lost)


def test_a_worker_that_we_kill_while_the_system_ends_another_process_is_not_out_of_memory(
    ready: MakePool, configured: Configuration
) -> None:
    kills = Kills()
    pool = ready(count_oom_kills=kills, silence=0.5)
    pool.workers.submit(0, "waits for it", request(configured))
    assert kills.count is not None
    kills.count += 1
    lost = pool.until_job("waits for it", *ENDS).message
    assert isinstance(lost, Lost)
    assert "silent" in lost.reason


def test_what_the_system_ended_before_the_job_began_does_not_count(ready: MakePool, configured: Configuration) -> None:
    kills = Kills()
    pool = ready(count_oom_kills=kills)
    assert kills.count is not None
    kills.count += 1
    pool.workers.submit(0, "is killed", request(configured))
    assert isinstance(pool.until_job("is killed", *ENDS).message, Lost)


@pytest.fixture(scope="module")
def limited() -> Iterator[Pool]:
    """A worker with room for small batches only."""
    workers = LocalWorkers([DIGITS_SQUEEZENET], slots=1, memory=900 * 2**20)
    workers.start()
    pool = Pool(workers)
    yield pool
    workers.close()


@pytest.mark.long
def test_a_limited_worker_fails_what_does_not_fit_and_trains_what_does(limited: Pool, configuration: Configure) -> None:
    ready = limited.until(lambda event: isinstance(event.message, Ready)).message
    assert isinstance(ready, Ready)
    assert ready.memory is not None
    assert 0 < ready.memory < 900 * 2**20, "torch and the images take their part of it"
    process = limited.process(0)
    assert Path(f"/proc/{process}/oom_score_adj").read_text().strip() == "1000"

    # The limit is of the whole process, and an evaluation that is suspended for a large batch lives on.
    limited.workers.submit(0, "below", request(configuration(epochs=1000, batch_size=64)))
    limited.until_job("below", BatchLosses)
    limited.workers.submit(0, "huge", request(configuration(epochs=1, batch_size=1437)))
    limited.until_job("below", Suspended)
    failed = limited.until_job("huge", *ENDS).message
    assert isinstance(failed, Failed), failed
    assert (failed.fault, "smaller batch" in failed.reason) == ("configuration", True)
    limited.workers.submit(0, "ordinary", request(configuration(epochs=1, batch_size=100)))
    assert getattr(limited.until_job("ordinary", *ENDS).message, "ending", None) is Ending.COMPLETE
    limited.workers.stop("below")
    assert getattr(limited.until_job("below", *ENDS).message, "ending", None) is Ending.STOPPED

    # When nothing is suspended any more, the next job gets a fresh process, with as much room as the first.
    limited.workers.submit(0, "huge again", request(configuration(epochs=1, batch_size=1437)))
    assert isinstance(limited.until_job("huge again", *ENDS).message, Failed)
    limited.workers.submit(0, "ordinary again", request(configuration(epochs=1, batch_size=100)))
    assert getattr(limited.until_job("ordinary again", *ENDS).message, "ending", None) is Ending.COMPLETE
    assert limited.process(0) != process
    assert not any(isinstance(event.message, Lost) for event in limited.told)


def test_a_limit_that_leaves_no_room_for_training_says_so() -> None:
    workers = LocalWorkers([DIGITS_SQUEEZENET], slots=1, memory=100 * 2**20)
    workers.start()
    pool = Pool(workers)
    try:
        failed = pool.until(lambda event: isinstance(event.message, Failed)).message
        assert isinstance(failed, Failed)
        assert "may take 0.10 GiB" in failed.detail
        assert "machine.worker_memory" in failed.detail
    finally:
        workers.close()


# What the system says, in all its forms.


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the files that the system would show, by their path; the control groups are in ``groups``."""
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "_MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(memory, "_VMSTAT", tmp_path / "vmstat")

    def show(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return show


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, None),
        ({"vmstat": "nr_free_pages 12\noom_kill 5\n"}, 5),
        (
            {
                "membership": "0::/user/session\n",
                "groups/user/session/memory.events": "low 0\noom 2\noom_kill 2\noom_group_kill 0\n",
                "groups/user/memory.events": "oom_kill 9\n",
                "vmstat": "oom_kill 50\n",
            },
            2,
        ),
        ({"membership": "0::/../host/path\n", "groups/memory.events": "oom_kill 1\n", "vmstat": "oom_kill 50\n"}, 1),
        (
            {
                "membership": "4:memory:/docker/abc\n0::/\n",
                "groups/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
            },
            7,
        ),
    ],
    ids=["nothing", "machine", "innermost group", "container", "version 1"],
)
def test_ended_processes_are_counted_in_the_own_group_before_the_machine(
    system: Callable[..., None], files: dict[str, str], count: int | None
) -> None:
    system(files)
    assert memory.oom_kills() == count


def test_a_container_has_no_more_memory_than_its_group(system: Callable[..., None]) -> None:
    whole = memory.machine_memory()
    assert whole is not None
    system({"membership": "0::/a/b\n", "groups/a/b/memory.max": "max\n", "groups/a/memory.max": f"{2**30}\n"})
    assert memory.machine_memory() == 2**30
    system({"membership": "4:memory:/a\n", "groups/memory/a/memory.limit_in_bytes": f"{2**31}\n"})
    assert memory.machine_memory() == 2**31
    system({"groups/memory/a/memory.limit_in_bytes": "9223372036854771712\n"})
    assert memory.machine_memory() == whole


def test_workers_share_most_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_memory", lambda: 40 * 2**30)
    assert memory.share(4) == 8 * 2**30
    assert memory.share(256) == 2**30, "less is no use"
    monkeypatch.setattr(memory, "machine_memory", lambda: None)
    assert memory.share(4) is None
