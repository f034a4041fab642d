"""What workers report: shown to the participant, and told to the admins where they should know."""

import logging
from functools import partial

from bot.admin import posts as admin
from bot.follow_ups import FollowUps
from bot.pacing import Priority
from bot.parts import Parts
from storage import evaluations, history, participants, posts, sessions
from storage.jobs import Job
from storage.states import JobKind

log = logging.getLogger(__name__)


class Tidings:
    """Is told what happens to jobs; see :class:`bot.jobs.Watcher`. Nothing here may wait, so errands do it.

    Args:
        parts: The running study.
        follow_ups: Sees to what follows.

    Attributes:
        reported: How many participants' results were posted since the start.
    """

    def __init__(self, parts: Parts, follow_ups: FollowUps) -> None:
        self._parts = parts
        self._follow_ups = follow_ups
        self.reported = 0

    def job_moved(self, job: Job) -> None:
        """A job started or made progress."""
        if job.kind is JobKind.TRIAL:
            self._parts.feed.touch(job.key, Priority.FRAME)

    def job_ended(self, job: Job) -> None:
        """A job is finished, whatever it ended as."""
        if job.kind is JobKind.TRIAL:
            self._parts.feed.touch(job.key, Priority.RESULT)
            self._follow_ups.session_moved(job.session_id)
        else:
            self._parts.errands.run("reporting a participant", partial(self.report_finished, job.session_id))

    def job_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again, and its time is given back."""
        self._parts.errands.run("reporting a lost worker", partial(self._report_lost, job))

    def job_failed(self, job: Job, detail: str) -> None:
        """A job ended with an error."""
        log.error("%s failed: %s", job.key, detail)
        text = f"⚠️ {job.key} of {job.participant} failed: {detail.strip().splitlines()[-1][:300]}"
        self._parts.errands.run("reporting a failed trial", partial(self._parts.trouble.tell_admins, text))

    def slot_failed(self, slot: int, reason: str) -> None:
        """A slot cannot be used, or its idle worker was lost."""
        log.warning("slot %s: %s", slot, reason)
        text = f"⚠️ {reason[:500]}"
        self._parts.errands.run("reporting a worker", partial(self._parts.trouble.tell_admins, text))

    def loop_failed(self, error: Exception) -> None:
        """The loop that carries messages between workers and storage met an error."""
        report = partial(self._parts.trouble.report, error, "talking to the workers")
        self._parts.errands.run("reporting an error", report)

    def report_finished(self, session_id: int) -> None:
        """Post a participant's results once all evaluations are done; whoever comes second finds it posted."""
        parts = self._parts
        channel = parts.settings.slack.report_channel
        choice = evaluations.final_choice_of(parts.store, session_id)
        if choice is None or not channel:
            return
        summary = evaluations.evaluation_summary(parts.store, choice.id)
        subject = f"report:{session_id}"
        if not summary.all_done or not posts.claim(parts.store, subject):
            return
        view = history.session_view(parts.store, session_id)
        months = participants.get(parts.store, view.participant_id).months or 0.0
        message = admin.participant_finished(view, summary, parts.settings.groups.group(months))
        try:
            posts.remember(parts.store, subject, ts=parts.slack.post(channel, message))
        except Exception:
            posts.forget(parts.store, subject)  # so that the next start posts it
            raise
        self.reported += 1

    def _report_lost(self, job: Job) -> None:
        parts = self._parts
        if job.kind is JobKind.TRIAL:
            session = sessions.get(parts.store, job.session_id)
            self._follow_ups.set_alarms(session)
            parts.feed.touch(job.key, Priority.RESULT)
            parts.feed.touch(session.subject, Priority.RESULT)
            parts.homes.session_changed(session.id)
        parts.trouble.tell_admins(f"⚠️ The worker in slot {job.slot} was lost with {job.key} of {job.participant}.")
