"""What workers report: shown to the participant, and told to the admins where they should know."""

import logging
import re
import time
from collections import deque
from functools import partial

from bot.admin.alert_kinds import Kind
from bot.runner.baselines import Baselines
from bot.slack.rate_limiter import Priority
from bot.study.parts import Parts
from bot.study.reactions import FollowUps
from storage.schema.states import JobKind
from storage.transitions import sessions
from storage.transitions.jobs import Job
from training.workers import Failed

log = logging.getLogger(__name__)

_REPEATED_SECONDS = 3600.0
_ERROR = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt))(?::|$)")


class Tidings:
    """What jobs report (:class:`bot.runner.dispatcher.Watcher`). Nothing here may wait: errands do what would.

    Args:
        parts: The running study.
        follow_ups: Sees to what follows.
        baselines: Goes on with searchers: nobody is written to about their jobs.
    """

    def __init__(self, parts: Parts, follow_ups: FollowUps, baselines: Baselines) -> None:
        self._parts = parts
        self._follow_ups = follow_ups
        self._baselines = baselines
        self._out_of_memory: deque[float] = deque()

    @property
    def reported(self) -> int:
        """How many participants' results were posted since the start."""
        return self._parts.admins.results.posted

    def job_moved(self, job: Job) -> None:
        """A job started or made progress."""
        if job.kind is JobKind.TRIAL and not job.of_searcher:
            self._parts.feed.touch(job.key, Priority.FRAME)

    def job_ended(self, job: Job) -> None:
        """A job is finished, whatever it ended as."""
        if job.of_searcher:
            self._baselines.on_ended(job)
        elif job.kind is JobKind.TRIAL:
            self._parts.feed.touch(job.key, Priority.RESULT)
            self._follow_ups.session_moved(job.session_id)
        else:
            self._parts.admins.evaluated(job.session_id)

    def job_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again, and its time is given back."""
        self._parts.admins.alert(
            Kind.WORKER_LOST, f"The worker in slot {job.slot} was lost with {job.key} of {job.participant}."
        )
        if job.kind is JobKind.TRIAL and not job.of_searcher:
            self._parts.errands.run("seeing to a lost trial", partial(self._see_to_lost, job))

    def job_failed(self, job: Job, failed: Failed) -> None:
        """A job ended with an error; its text stays in the log, since it may hold anything."""
        log.error("%s failed: %s", job.key, failed.detail)
        of_evaluation = job.kind is JobKind.EVALUATION
        if failed.fault == "configuration" and not of_evaluation:
            self._note_out_of_memory(job)
            return
        why = "out of memory" if failed.fault == "configuration" else error_name(failed.detail)
        kind = Kind.EVALUATION_FAILED if of_evaluation else Kind.TRIAL_FAILED
        self._parts.admins.alert(kind, f"{job.key} of {job.participant} failed in slot {job.slot}: {why}.")

    def slot_failed(self, slot: int, reason: str) -> None:
        """A slot cannot be used, or its idle worker was lost."""
        log.warning("slot %s: %s", slot, reason)
        self._parts.admins.alert(Kind.SLOT_UNUSABLE, reason)

    def loop_failed(self, error: Exception) -> None:
        """The loop that carries messages between workers and storage met an error."""
        self._parts.trouble.report(error, "talking to the workers")

    def _note_out_of_memory(self, job: Job) -> None:
        """One configuration that is too large is its participant's affair; several may be a matter of the machine."""
        if job.of_searcher:
            return
        now = time.monotonic()
        self._out_of_memory.append(now)
        while now - self._out_of_memory[0] > _REPEATED_SECONDS:
            self._out_of_memory.popleft()
        count = len(self._out_of_memory)
        if count > 1:
            last = f"the last was {job.key} of {job.participant}"
            text = f"{count} trials within an hour needed more memory than there is; {last}."
            self._parts.admins.alert(Kind.OUT_OF_MEMORY, text)

    def _see_to_lost(self, job: Job) -> None:
        parts = self._parts
        session = sessions.get(parts.store, job.session_id)
        self._follow_ups.set_alarms(session)
        parts.feed.touch(job.key, Priority.RESULT)
        parts.feed.touch(session.subject, Priority.RESULT)
        parts.homes.session_changed(session.id)


def error_name(detail: str) -> str:
    """The kind of error that a traceback ends with, such as ``RuntimeError``, and nothing of what it says."""
    found = [match[1] for match in map(_ERROR.match, detail.splitlines()) if match is not None]
    return found[-1].rpartition(".")[2] if found else "an error"
