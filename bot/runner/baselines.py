"""Baselines: random search over configurations, and artificial participants that tune with TPE.

Their trials and evaluations wait in the same queue as people's, and use idle slots only (:mod:`bot.runner.dispatcher`).
Nothing is posted about a trial, because there is nobody to write to. The next step is always read from the database, so
a restart changes nothing.
"""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count

from bot.runner.running_jobs import RunningJobs
from bot.settings.settings import Settings
from bot.slack.background_tasks import BackgroundTasks
from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView, TrialView
from storage.refusals import Refused
from storage.schema.states import Actor, Searcher, SessionState, TrialState
from storage.schema.tables import Baseline
from storage.transitions import baselines, studies, trials
from storage.transitions.baselines import BaselineStatus, Stopped
from storage.transitions.jobs import Job
from training.search.searchers import Tpe, derived_seed, draw
from training.tasks import TaskFacts

log = logging.getLogger(__name__)

MOST = 10_000
"""The largest number of configurations of a random search, or of artificial participants of a TPE baseline."""

_SEEDS = 2**31
"""The number of seeds: a database's whole numbers hold as many."""

LOOK_SECONDS = 1.0
"""How often the time of artificial participants is checked."""

RETRY_SECONDS = 60.0
"""How long after an error of the bot a due step is tried again."""

_MOST_FAILURES = 3
"""A member ends after this many failed trials in a row: the machine is broken, and failures take none of its time."""


class Baselines:
    """Starts baselines, submits their next trials, and ends them. Safe from any thread.

    A member of a TPE baseline has as much time as a person. The time counts only while its trials train, because a
    searcher does not think. A trial that still trains when the time is up is stopped, like a person's.

    Args:
        settings: The study's rules.
        facts_of: What participants may know of a task.
        store: The database.
        jobs: The jobs that run.
        tasks: Runs the steps in the background.
        now: The time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        facts_of: Callable[[str | None], TaskFacts],
        store: Store,
        jobs: RunningJobs,
        tasks: BackgroundTasks,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._facts_of = facts_of
        self._store = store
        self._jobs = jobs
        self._tasks = tasks
        self._now = now
        self._going_on = threading.Lock()
        self._due = threading.Event()
        self._sessions: dict[int, int] = {}  # a random search's session, by the baseline's id
        self._left: dict[str, tuple[int, float]] = {}  # a TPE member's trial and its seconds left, by the job's key

    def start_random(
        self, wanted: int, actor: str, *, task: str | None = None, most_epochs: int | None = None
    ) -> Baseline:
        """Draw configurations at random, and put all of them in the queue.

        Args:
            wanted: The number of configurations, from 1 to ``MOST``.
            actor: Who starts it, for the event log.
            task: One of the study's tasks; the first one if not given.
            most_epochs: The largest number of epochs to draw, if it is lower than that of the distribution.

        Raises:
            Refused: A random search runs already, or the study is not under way.
            ValueError: ``wanted`` is out of range.
        """
        _check(wanted)
        task, seed = task or self._settings.study.task[0], self._next_seed()
        images = self._facts_of(task).training_images
        baseline = baselines.start_random(
            self._store,
            task=task,
            configurations=draw(wanted, seed, training_images=images, most_epochs=most_epochs),
            seed=seed,
            training_seed=self._settings.training.seed,
            actor=actor,
            now=self._now(),
        )
        self._jobs.wake_dispatcher()
        return baseline

    def start_tpe(self, wanted: int, actor: str, tries: int | None = None, *, task: str | None = None) -> Baseline:
        """Let artificial participants tune, as many at a time as there are slots.

        Args:
            wanted: The number of artificial participants, from 1 to ``MOST``.
            actor: Who starts it, for the event log.
            tries: The largest number of trials of each, at least 1; its time is limited in any case.
            task: One of the study's tasks; the first one if not given.

        Raises:
            Refused: A TPE baseline runs already, or the study is not under way.
            ValueError: ``wanted`` or ``tries`` is out of range.
        """
        _check(wanted)
        baseline = baselines.start_tpe(
            self._store,
            task=task or self._settings.study.task[0],
            wanted=wanted,
            tries=tries,
            seconds=60 * self._settings.time.limit_minutes,
            seed=self._next_seed(),
            actor=actor,
            now=self._now(),
        )
        self._go_on()
        return baseline

    def stop(self, actor: str) -> Stopped:
        """Stop every baseline that runs: trials that wait are cancelled, and trials that run are stopped.

        Raises:
            Refused: No baseline runs.
        """
        stopped = baselines.stop(self._store, actor=actor, now=self._now())
        for trial in stopped.trials:
            self._jobs.stop(trial.subject)
        return stopped

    def statuses(self) -> Sequence[BaselineStatus]:
        """How far the baselines of the study are, in the order in which they were started."""
        study = studies.newest_study(self._store)
        return [] if study is None else baselines.statuses(self._store, study.id)

    def resume(self) -> None:
        """Continue the baselines that run. It is called regularly, so they continue after a restart or an error."""
        self._go_on()

    def on_ended(self, job: Job) -> None:
        """A searcher's job has ended. Waits for nothing."""
        self._left.pop(job.key, None)
        self._go_on()

    def _next_seed(self) -> int:
        """The seed of the next baseline. It follows from the study's seed, and each baseline has another one."""
        return (self._settings.training.seed + len(self.statuses())) % _SEEDS

    def _go_on(self) -> None:
        """Take the next steps soon. Jobs that end until then need no further call."""
        if not self._due.is_set():
            self._due.set()
            self._tasks.run("going on with a baseline", self._do_what_is_due)

    def _do_what_is_due(self) -> None:
        with self._going_on:
            self._due.clear()
            for baseline in baselines.running(self._store):
                if baseline.searcher is Searcher.RANDOM:
                    self._end_random(baseline)
                else:
                    self._go_on_with_tpe(baseline)
        self._jobs.wake_dispatcher()

    def _end_random(self, baseline: Baseline) -> None:
        """End a random search if all its trials have ended."""
        store = self._store
        if baseline.id not in self._sessions:
            self._sessions[baseline.id] = baselines.members(store, baseline.id)[0].id
        try:
            baselines.end_random(store, self._sessions[baseline.id], now=self._now())
        except Refused as refused:
            log.debug("%s goes on: %s", baseline.code, refused)

    def _go_on_with_tpe(self, baseline: Baseline) -> None:
        """Let every member in a session go on, and add members while fewer are active than there are slots."""
        store, slots = self._store, self._settings.machine.slots
        views = baselines.members(store, baseline.id)
        active = sum(
            self._let_go_on(baseline, number, view)
            for number, view in enumerate(views, start=1)
            if view.state is SessionState.ACTIVE
        )
        for number in count(len(views) + 1):
            if active >= slots:
                return
            seed, now = self._settings.training.seed, self._now()
            session = baselines.next_member(store, baseline.id, training_seed=seed, now=now)
            if session is None:
                return
            active += self._let_go_on(baseline, number, history.session_view(store, session.id))

    def _let_go_on(self, baseline: Baseline, number: int, view: SessionView) -> bool:
        """Submit a member's next trial, or end its session. Returns whether it goes on."""
        store, now = self._store, self._now()
        left = _seconds_left(baseline, view)
        if view.unfinished is not None:
            self._left[view.unfinished.subject] = (view.unfinished.id, left)
            return True
        try:
            if _is_over(baseline, view, left):
                baselines.choose(store, view.id, seeds=self._settings.training.evaluation_seeds, now=now)
                return False
            tpe = Tpe(derived_seed(baseline.seed, number), self._facts_of(baseline.task).training_images)
            proposed = tpe.next([(trial.configuration, trial.validation_accuracy) for trial in view.trials])
            trial = baselines.submit(store, view.id, proposed, now=now)
        except Refused as refused:  # a researcher stopped it a moment ago
            log.info("%s does not go on: %s", view.participant, refused)
            return False
        self._left[trial.subject] = (trial.id, left)
        return True

    def stop_expired(self) -> None:
        """Stop the trials of artificial participants whose time is up. It is called regularly."""
        for key, (trial_id, left) in list(self._left.items()):
            seconds = self._jobs.seconds(key)
            if seconds is None or seconds < left:
                continue
            try:
                trials.cancel(self._store, trial_id, now=self._now(), actor=Actor.SEARCHER)
            except Refused as refused:
                log.debug("%s: %s", key, refused)
            self._left.pop(key, None)
            self._jobs.stop(key)


def _check(wanted: int) -> None:
    if not 1 <= wanted <= MOST:
        raise ValueError(f"A baseline has 1 to {MOST:,} configurations or artificial participants, not {wanted:,}.")


def _seconds_left(baseline: Baseline, view: SessionView) -> float:
    """How much of a member's time is left; infinite if only its trials are limited."""
    spent = math.fsum(trial.seconds or 0.0 for trial in view.trials)
    return math.inf if baseline.seconds is None else baseline.seconds - spent


def _is_over(baseline: Baseline, view: SessionView, left: float) -> bool:
    """Whether a member without a running trial has ended: no time or no trial is left, or a trial was stopped."""
    tries_left = baseline.tries is None or len(view.trials) < baseline.tries
    stopped = any(trial.state is TrialState.CANCELLED for trial in view.trials)
    return left <= 0 or not tries_left or stopped or _keeps_failing(view.trials)


def _keeps_failing(tries: Sequence[TrialView]) -> bool:
    last = tries[-_MOST_FAILURES:]
    return len(last) == _MOST_FAILURES and all(trial.state is TrialState.FAILED for trial in last)
