"""Handles the events of jobs: results are shown to the participant, and faults are told to the admins."""

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from bot.runner.baselines import Baselines
from bot.slack.background_tasks import BackgroundTasks
from bot.study.protocols import Admins, HomeTabs
from bot.study.reactions import Reactions
from storage.schema.states import JobKind
from storage.transitions.jobs import Job
from training.workers import Failed

log = logging.getLogger(__name__)

_REPEATED_SECONDS = 3600.0
_ERROR = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt))(?::|$)")


class JobEvents:
    """Handles the events of jobs, as a :class:`bot.runner.dispatcher.JobListener`. No method waits.

    Args:
        reactions: Reacts to the events of participants' trials.
        baselines: Continues a baseline when one of its jobs has ended.
        admins: Tells the admins.
        home_tabs: The Home tabs: researchers' tabs show how far searchers are.
        tasks: Runs what reads the database.
        on_error: Called with an error and with what was being done, in a few words.
    """

    def __init__(
        self,
        reactions: Reactions,
        baselines: Baselines,
        admins: Admins,
        home_tabs: HomeTabs,
        tasks: BackgroundTasks,
        on_error: Callable[[Exception, str], object],
    ) -> None:
        self._reactions = reactions
        self._baselines = baselines
        self._admins = admins
        self._home_tabs = home_tabs
        self._tasks = tasks
        self._on_error = on_error
        self._out_of_memory: deque[float] = deque()

    def job_moved(self, job: Job) -> None:
        """A job started or made progress."""
        if job.kind is JobKind.TRIAL and not job.of_searcher:
            self._reactions.trial_progressed(job.key)

    def job_ended(self, job: Job) -> None:
        """A job has ended, in any final state."""
        if job.of_searcher:
            self._home_tabs.session_changed(job.session_id)
            self._baselines.on_ended(job)
        elif job.kind is JobKind.TRIAL:
            self._tasks.run("posting a result", partial(self._reactions.trial_ended, job.session_id))
        else:
            self._admins.evaluated(job.session_id)

    def job_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again, and its time is given back."""
        self._admins.worker_lost(job)
        if job.kind is JobKind.TRIAL and not job.of_searcher:
            react = partial(self._reactions.trial_lost, job.key, job.session_id)
            self._tasks.run("reacting to a lost trial", react)

    def job_failed(self, job: Job, failed: Failed) -> None:
        """A job ended with an error. The error's text is only in the log, because it may contain anything."""
        of_evaluation = job.kind is JobKind.EVALUATION
        if failed.fault == "configuration" and not of_evaluation:
            self._note_out_of_memory(job)
            return
        why = "out of memory" if failed.fault == "configuration" else error_name(failed.detail)
        self._admins.job_failed(job, why)

    def slot_failed(self, slot: int, reason: str) -> None:
        """A slot cannot be used, or its idle worker was lost."""
        log.warning("slot %s: %s", slot, reason)
        self._admins.slot_unusable(reason)

    def loop_failed(self, error: Exception) -> None:
        """The loop that carries messages between workers and storage met an error."""
        self._on_error(error, "talking to the workers")

    def _note_out_of_memory(self, job: Job) -> None:
        """Count a trial that ran out of memory. Admins are told only of several: one concerns only its participant."""
        if job.of_searcher:
            return
        now = time.monotonic()
        self._out_of_memory.append(now)
        while now - self._out_of_memory[0] > _REPEATED_SECONDS:
            self._out_of_memory.popleft()
        if len(self._out_of_memory) > 1:
            self._admins.out_of_memory(job, len(self._out_of_memory))


def error_name(detail: str) -> str:
    """The name of the error at the end of a traceback, such as ``RuntimeError``, without its text."""
    names = [match[1] for match in map(_ERROR.match, detail.splitlines()) if match is not None]
    return names[-1].rpartition(".")[2] if names else "an error"
