"""What researchers do to the study: one method for each action of ``/study``.

As in :mod:`bot.study.service`, ``storage`` decides whether an action is allowed. ``actor`` is always the name of the
person in the event log.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from slack_sdk.errors import SlackClientError

from bot.runner.baselines import Baselines
from bot.runner.running_jobs import RunningJobs
from bot.settings.settings import Settings
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.block_kit import escape, shorten
from bot.slack.client import Slack
from bot.slack.error_reporting import name_of
from bot.slack.rate_limiter import CallNotMade
from bot.study.protocols import ParticipantMessages
from bot.study.reactions import Reactions
from bot.study.service import StudyService
from bot.study.withdrawal import Withdrawals
from storage.database import Store
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.tables import Identity, Participant, Session, Study
from storage.transitions import baselines, evaluations, participants, sessions, studies

log = logging.getLogger(__name__)

_LONGEST_CODE = 20


class Invitation(StrEnum):
    """The outcome of an invitation.

    Attributes:
        WRITTEN: The bot has written to the person.
        ALREADY: The person takes part already.
        LEFT: The person has left the study, so the bot does not write to them.
        BOT: The user is a bot.
        GONE: The person's account is deactivated.
        UNKNOWN: There is no such person in the workspace, or the bot may not write to them.
        FAILED: Slack did not answer, or refused for a reason that has nothing to do with the person.
    """

    WRITTEN = "written"
    ALREADY = "already"
    LEFT = "left"
    BOT = "bot"
    GONE = "gone"
    UNKNOWN = "unknown"
    FAILED = "failed"


_NOT_REACHED = {
    "cannot_dm_bot": Invitation.BOT,
    "user_disabled": Invitation.GONE,
    "user_not_found": Invitation.UNKNOWN,
    "users_not_found": Invitation.UNKNOWN,
    "user_not_visible": Invitation.UNKNOWN,
}
"""The errors of ``conversations.open`` for users that the bot cannot write to."""


@dataclass(frozen=True)
class Reviewed:
    """The evaluations that ``/study evaluate`` put in the queue: ``retried`` had failed, ``added`` were missing."""

    retried: int
    added: int


class ResearcherActions:
    """The study as researchers run it. Safe from any thread.

    Args:
        settings: The study's rules.
        store: The database.
        slack: Opens conversations with people who are invited.
        study: The study as participants use it.
        reactions: Reacts to transitions.
        withdrawals: Lets participants leave.
        searchers: The artificial participants.
        messages: Writes to participants.
        jobs: The jobs that run.
        tasks: Runs what waits for Slack.
        now: The time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        slack: Slack,
        study: StudyService,
        reactions: Reactions,
        withdrawals: Withdrawals,
        searchers: Baselines,
        messages: ParticipantMessages,
        jobs: RunningJobs,
        tasks: BackgroundTasks,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._slack = slack
        self._study = study
        self._reactions = reactions
        self._withdrawals = withdrawals
        self._searchers = searchers
        self._messages = messages
        self._jobs = jobs
        self._tasks = tasks
        self._now = now

    # The study

    def open(self, actor: str) -> Study:
        """Open the study. Its rules are fixed from then on.

        Raises:
            Refused: It is open already, paused, or closed.
        """
        opened = studies.open_study(self._store, actor=actor, now=self._now())
        self._reactions.study_moved()
        return opened

    def pause(self, actor: str) -> Study:
        """Pause the study: nobody new can join and no session can start. Sessions that run go on.

        Raises:
            Refused: The study is not open.
        """
        paused = studies.pause_study(self._store, actor=actor, now=self._now())
        self._reactions.study_moved()
        return paused

    def resume(self, actor: str) -> Study:
        """End a pause.

        Raises:
            Refused: The study is not paused.
        """
        resumed = studies.resume_study(self._store, actor=actor, now=self._now())
        self._reactions.study_moved()
        self._reactions.call_next()
        return resumed

    def close(self, actor: str) -> Study:
        """End the study for good: baselines stop, people in the queue are told, links to people are deleted.

        Evaluations that are in the queue still run.

        Raises:
            Refused: Somebody is in a session, or the study is not open.
        """
        status = history.status(self._store, now=self._now())
        waiting = [self._identity(code) for code in status.in_queue]
        if not status.running and baselines.running(self._store):
            self._searchers.stop(actor)  # closing the study cancels only trials that wait; this also stops workers
        closed = studies.close_study(self._store, actor=actor, now=self._now())
        participants.forget_all(self._store, actor=actor, now=self._now())
        told = [partial(self._messages.tell_closed, identity) for identity in waiting if identity is not None]
        self._tasks.run_errand("telling people in the queue that the study is closed", told)
        self._reactions.study_moved()
        return closed

    # People

    def find(self, code: str) -> Participant:
        """A participant by code: ``P007``, ``p7``.

        Raises:
            Refused: There is no such participant.
        """
        participant = participants.find_by_code(self._store, code)
        if participant is None:
            wanted = escape(shorten(code, _LONGEST_CODE))
            raise Refused(Reason.UNKNOWN, f"There is no participant “{wanted}”. `/study participants` lists all.")
        return participant

    def invite(self, user: str) -> Invitation:
        """Invite somebody to the study, unless they take part or have left.

        Raises:
            Refused: Nobody new can join the study now.
        """
        if self._study.status(user).participant is not None:
            return Invitation.ALREADY
        if self._withdrawals.has_left(user):
            return Invitation.LEFT
        try:
            channel = self._slack.open_channel(user)
        except (SlackClientError, CallNotMade, OSError) as error:
            reason = _NOT_REACHED.get(name_of(error), Invitation.FAILED)
            if reason is Invitation.FAILED:
                log.warning("somebody could not be invited: %s", name_of(error))
            return reason
        self._study.meet(user, channel)
        return Invitation.WRITTEN

    def extend(self, code: str, length: timedelta, actor: str) -> Session:
        """Give a participant more time, and tell them.

        Raises:
            Refused: They are in no session.
        """
        session = sessions.extend_by_researcher(
            self._store, self.session_of(code).id, length, actor=actor, now=self._now()
        )
        self._reactions.time_changed(session.id)
        self._reactions.redraw(session.id)
        return session

    def cancel(self, code: str, actor: str) -> Session:
        """End a participant's session without a final choice, and tell them. Their trials are kept.

        Raises:
            Refused: They are in no session.
        """
        cancelled = sessions.cancel_session(self._store, self.session_of(code).id, actor=actor, now=self._now())
        self._reactions.session_changed(cancelled.session, cancelled.stopped)
        return cancelled.session

    def withdraw(self, code: str, actor: str) -> Participant:
        """Take a participant out of the study, and tell them; their data is kept or deleted, as they agreed to.

        Raises:
            Refused: They have left already.
        """
        return self._withdrawals.leave(self.find(code), actor=actor).participant

    def session_of(self, code: str) -> Session:
        """The session that a participant is in.

        Raises:
            Refused: They are in no session.
        """
        participant = self.find(code)
        session = sessions.active_session(self._store, participant.id)
        if session is None:
            raise Refused(Reason.SESSION_OVER, f"{participant.code} is not in a session now. Nothing was changed.")
        return session

    def _identity(self, code: str) -> Identity | None:
        participant = participants.find_by_code(self._store, code)
        return None if participant is None else participants.identity_of(self._store, participant.id)

    # Results

    def evaluate(self, actor: str) -> Reviewed:
        """Run failed evaluations again, and add evaluations for seeds of the rules that final choices do not have."""
        now, seeds = self._now(), self._settings.training.evaluation_seeds
        retried = evaluations.retry_failed(self._store, actor=actor, now=now)
        added = evaluations.ensure(self._store, seeds=seeds, now=now)
        self._jobs.wake_dispatcher()
        return Reviewed(len(retried), added)
