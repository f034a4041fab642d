"""The dispatcher suspends evaluations for trials, loses nothing, keeps slots comparable, and tells admins once."""

import resource
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from storage.database import Store
from storage.queries import history
from storage.schema.states import JobKind, TrialState
from storage.transitions import jobs, recovery, sessions, trials
from tests.bot.runner.running_study import kill_once_it_trains
from tests.storage.reading import evaluations_of
from tests.warm_workers import kill, process_in
from training.hyperparameters import Configuration
from training.images.data import TaskData
from training.loop import train
from training.reproducibility.environment import current_environment
from training.tasks import Task
from training.trial import Part, TrialRequest

Configure = Callable[..., Configuration]


def losses_of(store: Store, kind: JobKind, number: int) -> tuple[float, ...]:
    return tuple(loss for each in history.epochs_of(store, kind, number) for loss in each.batch_losses.tolist())


def evaluation_states(store: Store, choice: int) -> list[TrialState]:
    return [each.state for each in evaluations_of(store, choice)]


@pytest.mark.long
def test_a_final_choice_is_trained_once_with_every_seed_on_training_and_validation_images(
    running: Any, few_task: Task, few: TaskData, configuration: Configure, record: Callable, wait_until: Callable
) -> None:
    choice = running.choose(running.seated("few-digits"), configuration(), seeds=range(1, 11))
    with running.jobs(few_task, slots=2) as (_, watching):
        wait_until(lambda: all(each.state.is_finished for each in evaluations_of(running.store, choice)))
        wait_until(lambda: len(watching.ended) == 10)
    done = evaluations_of(running.store, choice)
    assert [(each.seed, each.attempts, each.state) for each in done] == [
        (seed, 1, TrialState.COMPLETE) for seed in range(1, 11)
    ]
    for each in done[::4]:
        here = record(train(TrialRequest("few-digits", configuration(), each.seed, Part.EVALUATION), few))
        assert losses_of(running.store, JobKind.EVALUATION, each.id) == here.losses
        assert each.test_accuracy == here.accuracy
        assert each.environment["threads"] == 1


@pytest.mark.long
def test_an_evaluation_gives_way_to_a_participant_within_one_epoch_and_ends_as_if_it_had_not(
    running: Any, digits: TaskData, configuration: Configure, record: Callable, wait_until: Callable
) -> None:
    slow = configuration(epochs=2, batch_size=16)
    choice = running.choose(running.seated(), slow, seeds=[7])
    with running.jobs() as (loop, watching):
        evaluation = evaluations_of(running.store, choice)[0]
        wait_until(lambda: (found := loop.progress(evaluation.subject)) and found.batch_losses)
        trial = running.submit(running.seated(), configuration(epochs=1, batch_size=700))
        loop.wake_dispatcher()
        wait_until(lambda: running.state(trial) is TrialState.COMPLETE)
        wait_until(lambda: all(each.state.is_finished for each in evaluations_of(running.store, choice)))
    assert watching.ended == [trial.subject, evaluation.subject]
    assert watching.others_at_end[trial.subject] == {evaluation.subject: 1}, "it stood in its first epoch"
    alone = record(train(TrialRequest("digits-squeezenet", slow, 7, Part.EVALUATION), digits))
    assert losses_of(running.store, JobKind.EVALUATION, evaluation.id) == alone.losses


@pytest.mark.long
def test_evaluations_survive_a_restart_and_end_with_one_result_for_every_seed(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    choice = running.choose(running.seated("few-digits"), configuration(epochs=20), seeds=[1, 2, 3])
    with running.jobs(few_task):
        wait_until(lambda: TrialState.COMPLETE in evaluation_states(running.store, choice))
    done = [each for each in evaluations_of(running.store, choice) if each.state is TrialState.COMPLETE]
    recovery.reconcile(running.store, now=done[0].ended_at)
    with running.jobs(few_task):
        wait_until(lambda: all(each.state.is_finished for each in evaluations_of(running.store, choice)))
    after = {each.seed: each for each in evaluations_of(running.store, choice)}
    assert [each.state for each in after.values()] == [TrialState.COMPLETE] * 3
    for each in done:
        assert (after[each.seed].attempts, after[each.seed].ended_at) == (each.attempts, each.ended_at), "not run again"
    assert len(history.epochs_of(running.store, JobKind.EVALUATION, after[3].id)) == 20


class Disk:
    """While it is full, SQLite answers every write with an ``OperationalError``, as it does on a full disk."""

    def __init__(self, store: Store) -> None:
        self.full = False
        event.listen(store.engine, "checkout", self._limit)

    def _limit(self, connection: Any, _: object, __: object) -> None:
        connection.execute(f"PRAGMA query_only = {int(self.full)}")


@pytest.mark.long
def test_a_full_disk_loses_no_trial_and_is_told_once(
    running: Any, few_task: Task, few: TaskData, configuration: Configure, record: Callable, wait_until: Callable
) -> None:
    wanted, disk = configuration(epochs=3, batch_size=4), Disk(running.store)
    with running.jobs(few_task) as (loop, watching):
        watching.on_moved = lambda job: setattr(disk, "full", not watching.errors)
        trial = running.submit(running.seated("few-digits"), wanted)
        loop.wake_dispatcher()
        wait_until(lambda: watching.errors)
        assert isinstance(watching.errors[0], OperationalError)
        assert running.state(trial) is TrialState.RUNNING
        disk.full = False
        wait_until(lambda: running.state(trial) is TrialState.COMPLETE)
        assert len(watching.errors) == 1
    here = record(train(TrialRequest("few-digits", wanted, 10), few))
    assert losses_of(running.store, JobKind.TRIAL, trial.id) == here.losses
    assert trials.get(running.store, trial.id).validation_accuracy == here.accuracy


def test_a_slot_whose_bits_would_differ_from_the_studys_is_refused_unless_the_study_allows_it(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    session = running.seated("few-digits")
    running.submit(session, configuration())
    elsewhere = replace(current_environment(torch.device("cpu")), processor="Elder CPU", torch="1.0")
    job = jobs.claim(running.store, now=session.started_at, slot=0)
    ending = jobs.Ending(TrialState.COMPLETE, accuracy=50.0, environment=asdict(elsewhere))
    jobs.finish(running.store, job, ending, now=session.started_at)
    second = running.submit(session, configuration())
    with running.jobs(few_task) as (loop, watching):
        wait_until(lambda: watching.slots)
        assert loop.slots_ready == 0
    ((slot, reason),) = watching.slots
    assert slot == 0
    assert "processor: Elder CPU and " in reason
    assert "mixed_devices" in reason
    assert running.state(second) is TrialState.WAITING
    with running.jobs(few_task, mixed_devices=True) as (_, watching):
        wait_until(lambda: running.state(second) is TrialState.COMPLETE)
    assert watching.slots == []


@pytest.mark.long
def test_a_worker_that_cannot_start_is_told_once(
    running: Any, few_task: Task, wait_until: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(few_task, facts=replace(few_task.facts, training_images=49))
    with running.jobs(wrong) as (_, watching):
        wait_until(lambda: watching.slots)
        slot_of_it = watching.workers._slots[0]
        before = slot_of_it.failed_starts
        wait_until(lambda: slot_of_it.failed_starts > before)
    ((slot, reason),) = watching.slots
    assert slot == 0
    assert reason == "The worker of slot 0 cannot start, and tries again. The log says why."
    assert "the task promises 49" in caplog.text


@pytest.mark.long
def test_a_worker_that_hangs_while_it_starts_is_told_once_and_replaced(
    running: Any, hanging_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    trial = running.submit(running.seated("few-digits"), configuration())
    with running.jobs(hanging_task, warming=15) as (loop, watching):
        wait_until(lambda: running.state(trial) is TrialState.COMPLETE)
        assert loop.slots_ready == 1
    ((slot, reason),) = watching.slots
    assert slot == 0
    assert "was not ready within 15 s and was killed" in reason


@pytest.mark.long
def test_an_idle_worker_that_is_killed_is_told_and_back_within_seconds(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    with running.jobs(few_task) as (loop, watching):
        wait_until(lambda: loop.slots_ready == 1)
        kill(watching.workers, 0)
        wait_until(lambda: watching.slots)
        assert "ended with code -9" in watching.slots[0][1]
        trial = running.submit(running.seated("few-digits"), configuration())
        loop.wake_dispatcher()
        wait_until(lambda: running.state(trial) is TrialState.COMPLETE)
        assert len(watching.slots) == 1


@pytest.mark.long
def test_a_trial_whose_worker_is_killed_gives_the_losses_it_would_have_given(
    running: Any, digits: TaskData, configuration: Configure, record: Callable, wait_until: Callable
) -> None:
    wanted = configuration(epochs=2, batch_size=64)
    session = running.seated()
    with running.jobs() as (loop, watching):
        watching.on_moved = kill_once_it_trains(loop, watching)
        trial = running.submit(session, wanted)
        loop.wake_dispatcher()
        wait_until(lambda: running.state(trial) is TrialState.COMPLETE)
    assert watching.lost == [trial.subject]
    assert trials.get(running.store, trial.id).attempts == 2
    assert sessions.get(running.store, session.id).given_back_seconds > 0
    here = record(train(TrialRequest("digits-squeezenet", wanted, 10), digits))
    assert losses_of(running.store, JobKind.TRIAL, trial.id) == here.losses


@pytest.mark.long
def test_a_cache_that_is_corrupted_while_the_study_runs_is_made_again_by_the_next_worker(
    running: Any, small_imagenette: Task, configuration: Configure, wait_until: Callable
) -> None:
    session = running.seated("small-imagenette")
    with running.jobs(small_imagenette) as (loop, watching):
        first = running.submit(session, configuration())
        loop.wake_dispatcher()
        wait_until(lambda: running.state(first) is TrialState.COMPLETE)
        cache: Path = next((small_imagenette.source.data / "cache").glob("*.images"))  # type: ignore[attr-defined]
        content = bytearray(cache.read_bytes())
        content[-5] ^= 255
        broken = cache.with_suffix(".copy")
        broken.write_bytes(content)
        broken.replace(cache)
        kill(watching.workers, 0)
        wait_until(lambda: watching.slots)
        second = running.submit(session, configuration())
        loop.wake_dispatcher()
        wait_until(lambda: running.state(second) is TrialState.COMPLETE)
    assert losses_of(running.store, JobKind.TRIAL, second.id) == losses_of(running.store, JobKind.TRIAL, first.id)


@pytest.mark.long
def test_running_out_of_memory_asks_the_participant_for_a_smaller_batch(
    running: Any, configuration: Configure, wait_until: Callable
) -> None:
    with running.jobs() as (loop, watching):
        wait_until(lambda: loop.slots_ready == 1)
        process = process_in(watching.workers, 0)
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[0])
        unlimited = resource.prlimit(process, resource.RLIMIT_AS)
        resource.prlimit(process, resource.RLIMIT_AS, (pages * resource.getpagesize() + 64 * 2**20, unlimited[1]))
        session = running.seated()
        trial = running.submit(session, configuration(batch_size=1437))
        loop.wake_dispatcher()
        wait_until(lambda: watching.failed)
        view = history.trial_view(running.store, trial.id)
        assert view.state is TrialState.FAILED
        assert view.reason == "Training ran out of memory. Choose a smaller batch size and submit again."
        assert sessions.get(running.store, session.id).given_back_seconds == 0, "it was not our fault"
        again = running.submit(session, configuration(epochs=1, batch_size=400))
        loop.wake_dispatcher()
        wait_until(lambda: running.state(again) is TrialState.COMPLETE)
