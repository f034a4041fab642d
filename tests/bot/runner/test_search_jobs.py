"""Searchers' jobs fill idle slots and give way to people's trials, bit for bit."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from storage.queries import history
from storage.schema.states import JobKind, TrialState
from storage.schema.tables import Trial
from storage.transitions import baselines, sessions, trials
from tests.bot.runner.running_study import kill_once_it_trains
from tests.storage.reading import evaluations_of
from training.hyperparameters import Configuration
from training.images.data import TaskData
from training.loop import train
from training.tasks import Task
from training.trial import TrialRequest
from training.workers import Workers

Configure = Callable[..., Configuration]


def now() -> datetime:
    return datetime.now(UTC)


def draw(running: Any, configurations: Sequence[Configuration], task: str = "digits-squeezenet") -> list[Trial]:
    """Begin a random search with these settings; returns its trials."""
    baseline = baselines.start_random(
        running.store,
        task=task,
        configurations=configurations,
        seed=1,
        training_seed=10,
        actor="researcher-1",
        now=now(),
    )
    (view,) = baselines.members(running.store, baseline.id)
    return [trials.get(running.store, each.id) for each in view.trials]


class Interrupted:
    """Real workers, and something that happens in the moment before each gets a job."""

    def __init__(self, workers: Workers, before: Callable[[str], None]) -> None:
        self._before = before
        self.slots, self.start, self.next_event = workers.slots, workers.start, workers.next_event
        self.stop, self.close, self._submit = workers.stop, workers.close, workers.submit

    def submit(self, slot: int, job: str, request: TrialRequest) -> None:
        self._before(job)
        self._submit(slot, job, request)


@pytest.mark.long
def test_a_person_starts_at_once_while_searchers_fill_all_slots_and_their_trials_end_as_if_nobody_had_come(
    running: Any, digits: TaskData, configuration: Configure, record: Callable, wait_until: Callable
) -> None:
    slow = [configuration(epochs=2, batch_size=16), configuration(epochs=2, batch_size=16, optimizer="sgd")]
    drawn = draw(running, [*slow, configuration(epochs=1)])
    with running.jobs(slots=2) as (loop, watching):
        wait_until(lambda: all((at := loop.progress(each.subject)) and at.batch_losses for each in drawn[:2]))
        mine = running.submit(running.seated(), configuration(epochs=1, batch_size=700))
        loop.wake_dispatcher()
        wait_until(lambda: running.state(mine) is TrialState.COMPLETE)
        wait_until(lambda: all(running.state(each) is TrialState.COMPLETE for each in drawn))
    assert watching.ended[0] == mine.subject
    assert watching.others_at_end[mine.subject].keys() == {each.subject for each in drawn[:2]}
    for each, wanted in zip(drawn, slow, strict=False):
        alone = record(train(TrialRequest("digits-squeezenet", wanted, 10), digits))
        kept = history.epochs_of(running.store, JobKind.TRIAL, each.id)
        assert tuple(loss for epoch in kept for loss in epoch.batch_losses.tolist()) == alone.losses
        assert trials.get(running.store, each.id).validation_accuracy == alone.accuracy


@pytest.mark.long
def test_a_searcher_suspends_nobody_and_comes_after_peoples_trials_and_evaluations(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    drawn = draw(running, [configuration(epochs=1)], "few-digits")
    choice = running.choose(running.seated("few-digits"), configuration(epochs=1), seeds=[1, 2])
    mine = running.submit(running.seated("few-digits"), configuration(epochs=2))
    with running.jobs(few_task) as (_, watching):
        wait_until(lambda: len(watching.ended) == 4)
    first, second = (each.subject for each in evaluations_of(running.store, choice))
    assert watching.ended == [mine.subject, first, second, drawn[0].subject]


@pytest.mark.long
def test_a_slot_is_lent_once(running: Any, few_task: Task, configuration: Configure, wait_until: Callable) -> None:
    """What a person's trial has suspended is suspended once: the next person waits for a slot, not below another."""
    drawn = draw(running, [configuration(epochs=1000, batch_size=1)], "few-digits")
    with running.jobs(few_task) as (loop, watching):
        wait_until(lambda: loop.progress(drawn[0].subject))
        mine, other = (running.submit(running.seated("few-digits"), configuration(epochs=40)) for _ in range(2))
        loop.wake_dispatcher()
        wait_until(lambda: other.subject in watching.ended)
        assert watching.errors == []
        assert running.state(other) is TrialState.COMPLETE
        assert watching.ended == [mine.subject, other.subject]
        assert running.state(drawn[0]) is TrialState.RUNNING


def test_the_seconds_of_a_trial_stand_still_while_it_is_suspended(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    drawn = draw(running, [configuration(epochs=1000, batch_size=1)], "few-digits")
    with running.jobs(few_task) as (loop, _):
        wait_until(lambda: (loop.seconds(drawn[0].subject) or 0) > 0.2)
        mine = running.submit(running.seated("few-digits"), configuration(epochs=1000, batch_size=1))
        loop.wake_dispatcher()
        wait_until(lambda: (loop.seconds(mine.subject) or 0) > 0.2)
        standing = loop.seconds(drawn[0].subject)
        wait_until(lambda: (loop.seconds(mine.subject) or 0) > 0.5)
        assert loop.seconds(drawn[0].subject) == standing
        loop.stop(mine.subject)
        wait_until(lambda: (loop.seconds(drawn[0].subject) or 0) > standing)
        wait_until(lambda: loop.seconds(mine.subject) is None)


def test_a_job_stopped_before_its_worker_knows_of_it_is_stopped(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    trial = running.submit(running.seated("few-digits"), configuration(epochs=1000, batch_size=1))

    def cancel(job: str) -> None:
        trials.cancel(running.store, trial.id, now=now())
        loop.stop(job)

    with running.jobs(few_task, around=lambda workers: Interrupted(workers, cancel)) as (loop, watching):
        wait_until(lambda: watching.ended == [trial.subject])
    assert running.state(trial) is TrialState.CANCELLED


@pytest.mark.long
def test_a_searchers_trial_whose_worker_is_lost_runs_again_and_no_time_is_given_back(
    running: Any, few_task: Task, configuration: Configure, wait_until: Callable
) -> None:
    with running.jobs(few_task) as (loop, watching):
        watching.on_moved = kill_once_it_trains(loop, watching)
        drawn = draw(running, [configuration(epochs=4, batch_size=1)], "few-digits")
        loop.wake_dispatcher()
        wait_until(lambda: running.state(drawn[0]) is TrialState.COMPLETE)
    assert watching.lost == [drawn[0].subject]
    assert trials.get(running.store, drawn[0].id).attempts == 2
    assert sessions.get(running.store, drawn[0].session_id).given_back_seconds == 0
