"""The searchers' part of the study: settings drawn at random, and artificial participants that tune with TPE.

Their trials and evaluations wait in the same line as people's and fill idle slots only (:mod:`bot.runner.dispatcher`).
Nothing is posted about a trial: there is nobody to write to. What is to be done next is read from storage every time,
so a restart changes nothing.
"""

import logging
import math
import threading
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from bot.admin.views.baselines import baseline_ended
from storage import posts
from storage.queries import history
from storage.queries.history import SessionView, TrialView
from storage.refusals import Refused
from storage.schema.states import Actor, Searcher, SessionState, TrialState
from storage.schema.tables import Baseline
from storage.transitions import baselines, studies, trials
from storage.transitions.baselines import BaselineStatus, Stopped
from storage.transitions.jobs import Job
from training.search.searchers import Tpe, derived_seed, draw

if TYPE_CHECKING:
    from bot.study.parts import Parts

log = logging.getLogger(__name__)

MOST = 10_000
"""Settings of one random search, or artificial participants of one TPE."""

_SEEDS = 2**31
"""As many as a database's whole numbers hold."""

_LOOK_SECONDS = 1.0
"""How often the time of artificial participants is looked at."""

_RETRY_SECONDS = 60.0
"""After an error of ours, what is due is tried again so soon."""

_MOST_FAILURES = 3
"""Trials in a row that failed: the machine is broken, and would fail for ever, since a failure takes no time."""


class Baselines:
    """Starts searchers, proposes their next trials, and ends them. Safe from any thread.

    A member of TPE has the time that a person has, counted while its trials train, because it needs none to think. A
    trial that is not through when the time is up is stopped, as a person's is.

    Args:
        parts: The running study.
    """

    def __init__(self, parts: "Parts") -> None:
        self._parts = parts
        self._going_on, self._telling = threading.Lock(), threading.Lock()
        self._due = threading.Event()
        self._sessions: dict[int, int] = {}  # of random searches, by the baseline
        self._left: dict[str, tuple[int, float]] = {}  # trial and seconds, by the key of what a member of TPE trains
        self._all_told = False

    def start_random(
        self, wanted: int, actor: str, *, task: str | None = None, most_epochs: int | None = None
    ) -> Baseline:
        """Draw settings at random and put them all in line.

        Args:
            wanted: How many, up to ``MOST``.
            actor: Who starts it, for the event log.
            task: One of the study's; the first unless named.
            most_epochs: A lower ceiling for the epochs than that of the distribution.

        Raises:
            Refused: One runs already, or the study is not under way.
            ValueError: None is wanted, or too many.
        """
        _check(wanted)
        task, seed = task or self._parts.settings.study.task[0], self._next_seed()
        images = self._parts.facts_of(task).training_images
        baseline = baselines.start_random(
            self._parts.store,
            task=task,
            configurations=draw(wanted, seed, training_images=images, most_epochs=most_epochs),
            seed=seed,
            training_seed=self._parts.settings.training.seed,
            actor=actor,
            now=self._parts.now(),
        )
        self._parts.jobs.look()
        return baseline

    def start_tpe(self, wanted: int, actor: str, tries: int | None = None, *, task: str | None = None) -> Baseline:
        """Let artificial participants tune, as many at a time as there are slots.

        Args:
            wanted: How many, up to ``MOST``.
            actor: Who starts it, for the event log.
            tries: The most trials of each; its time is limited as a person's is in any case.
            task: One of the study's; the first unless named.

        Raises:
            Refused: One runs already, or the study is not under way.
            ValueError: None is wanted, or too many, or no try.
        """
        _check(wanted)
        baseline = baselines.start_tpe(
            self._parts.store,
            task=task or self._parts.settings.study.task[0],
            wanted=wanted,
            tries=tries,
            seconds=60 * self._parts.settings.time.limit_minutes,
            seed=self._next_seed(),
            actor=actor,
            now=self._parts.now(),
        )
        self._go_on()
        return baseline

    def stop(self, actor: str) -> Stopped:
        """Stop every baseline that runs: what waits is cancelled, and what trains is stopped.

        Raises:
            Refused: None runs.
        """
        stopped = baselines.stop(self._parts.store, actor=actor, now=self._parts.now())
        for trial in stopped.stopping:
            self._parts.jobs.stop(trial.subject)
        return stopped

    def statuses(self) -> Sequence[BaselineStatus]:
        """How far the baselines of the study are, in the order in which they were started."""
        study = studies.newest_study(self._parts.store)
        return [] if study is None else baselines.statuses(self._parts.store, study.id)

    def resume(self) -> None:
        """Go on with what ran before the bot was stopped, and watch the time from now on."""
        self._parts.clock.every(_LOOK_SECONDS, self._stop_who_is_out_of_time)
        self._parts.clock.every(_RETRY_SECONDS, self._go_on)
        self._go_on()

    def on_ended(self, job: Job) -> None:
        """A searcher's job has ended. Waits for nothing but the database."""
        self._left.pop(job.key, None)
        self._parts.homes.session_changed(job.session_id)  # researchers' tabs tell how far it is
        self._go_on()

    def _next_seed(self) -> int:
        """Every baseline of a study draws from another seed, which follows from the study's."""
        return (self._parts.settings.training.seed + len(self.statuses())) % _SEEDS

    def _go_on(self) -> None:
        """See soon what is to be done; whatever ends until then is seen to at once."""
        if not self._due.is_set():
            self._due.set()
            self._parts.errands.run("going on with a baseline", self._do_what_is_due)

    def _do_what_is_due(self) -> None:
        with self._going_on:
            self._due.clear()
            for baseline in baselines.running(self._parts.store):
                if baseline.searcher is Searcher.RANDOM:
                    self._end_random(baseline)
                else:
                    self._go_on_with_tpe(baseline)
        self._parts.jobs.look()
        if not self._all_told:
            self._tell_who_has_ended()

    def _end_random(self, baseline: Baseline) -> None:
        """End random search if nothing of it is left."""
        store = self._parts.store
        if baseline.id not in self._sessions:
            self._sessions[baseline.id] = baselines.members(store, baseline.id)[0].id
        try:
            baselines.end_random(store, self._sessions[baseline.id], now=self._parts.now())
        except Refused as refused:
            log.debug("%s goes on: %s", baseline.code, refused)
        else:
            self._all_told = False

    def _go_on_with_tpe(self, baseline: Baseline) -> None:
        """Let every member that is in a session go on, and add members while there are fewer than slots."""
        store, slots = self._parts.store, self._parts.settings.machine.slots
        views = baselines.members(store, baseline.id)
        active = sum(
            self._let_go_on(baseline, number, view)
            for number, view in enumerate(views, start=1)
            if view.state is SessionState.ACTIVE
        )
        for number in count(len(views) + 1):
            if active >= slots:
                return
            seed, now = self._parts.settings.training.seed, self._parts.now()
            session = baselines.next_member(store, baseline.id, training_seed=seed, now=now)
            if session is None:
                return
            active += self._let_go_on(baseline, number, history.session_view(store, session.id))

    def _let_go_on(self, baseline: Baseline, number: int, view: SessionView) -> bool:
        """Submit a member's next trial, or end its session. Returns whether it goes on."""
        store, now = self._parts.store, self._parts.now()
        left = _seconds_left(baseline, view)
        if view.unfinished is not None:
            self._left[view.unfinished.subject] = (view.unfinished.id, left)
            return True
        try:
            if _is_over(baseline, view, left):
                baselines.choose(store, view.id, seeds=self._parts.settings.training.evaluation_seeds, now=now)
                self._all_told = False
                return False
            tpe = Tpe(derived_seed(baseline.seed, number), self._parts.facts_of(baseline.task).training_images)
            proposed = tpe.next([(trial.configuration, trial.validation_accuracy) for trial in view.trials])
            trial = baselines.submit(store, view.id, proposed, now=now)
        except Refused as refused:  # a researcher stopped it a moment ago
            log.info("%s does not go on: %s", view.participant, refused)
            return False
        self._left[trial.subject] = (trial.id, left)
        return True

    def _stop_who_is_out_of_time(self) -> None:
        for key, (trial_id, left) in list(self._left.items()):
            seconds = self._parts.jobs.seconds(key)
            if seconds is None or seconds < left:
                continue
            try:
                trials.cancel(self._parts.store, trial_id, now=self._parts.now(), actor=Actor.SEARCHER)
            except Refused as refused:
                log.debug("%s: %s", key, refused)
            self._left.pop(key, None)
            self._parts.jobs.stop(key)

    def _tell_who_has_ended(self) -> None:
        """Post in the report channel which baselines have ended, once each; what Slack does not take comes later."""
        channel = self._parts.settings.slack.report_channel
        if not channel:
            return
        with self._telling:
            self._all_told = True
            try:
                for status in self.statuses():
                    if status.is_over and not status.stopped:
                        self._tell(channel, status)
            except Exception:
                self._all_told = False
                raise

    def _tell(self, channel: str, status: BaselineStatus) -> None:
        subject = f"report:baseline:{status.id}"
        if posts.find(self._parts.store, subject) is None:
            ts = self._parts.slack.post(channel, baseline_ended(status))
            posts.remember(self._parts.store, subject, ts=ts)


def _check(wanted: int) -> None:
    if not 1 <= wanted <= MOST:
        raise ValueError(f"A baseline has from 1 to {MOST:,} settings or artificial participants: {wanted:,} is not.")


def _seconds_left(baseline: Baseline, view: SessionView) -> float:
    """Of the member's time; without end where only tries count."""
    spent = math.fsum(trial.seconds or 0.0 for trial in view.trials)
    return math.inf if baseline.seconds is None else baseline.seconds - spent


def _is_over(baseline: Baseline, view: SessionView, left: float) -> bool:
    """Whether a member that trains nothing is at its end: no time left, no try left, or stopped when time was up."""
    tries_left = baseline.tries is None or len(view.trials) < baseline.tries
    stopped = any(trial.state is TrialState.CANCELLED for trial in view.trials)
    return left <= 0 or not tries_left or stopped or _keeps_failing(view.trials)


def _keeps_failing(tries: Sequence[TrialView]) -> bool:
    last = tries[-_MOST_FAILURES:]
    return len(last) == _MOST_FAILURES and all(trial.state is TrialState.FAILED for trial in last)
