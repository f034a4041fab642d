"""What researchers do to the study: one method for each action of ``/study``.

As in :mod:`bot.study.service`, ``storage`` decides whether an action is allowed. ``actor`` is always the name of the
person in the event log.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from slack_sdk.errors import SlackApiError

from bot.runner.baselines import Baselines
from bot.runner.running_jobs import RunningJobs
from bot.settings.settings import Settings
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.block_kit import escape, shorten
from bot.slack.client import Slack
from bot.slack.rate_limiter import CallNotMade
from bot.study.protocols import Admins, ParticipantMessages
from bot.study.reach import Unreachable, why_unreachable
from bot.study.reactions import Reactions
from bot.study.registration import registration
from bot.study.withdrawal import Withdrawals
from storage.database import Store
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import TrialState
from storage.schema.tables import Identity, Participant, Session, Study
from storage.transitions import baselines, evaluations, participants, sessions, studies

log = logging.getLogger(__name__)

_LONGEST_CODE = 20

_AGAIN = frozenset({TrialState.FAILED, TrialState.CANCELLED})
"""The states of evaluations that a researcher can have run again."""


@dataclass(frozen=True)
class Reviewed:
    """The evaluations that ``/study evaluate`` put in the queue.

    Attributes:
        retried: How many had failed or, where a participant was named, were cancelled.
        added: How many were missing.
    """

    retried: int
    added: int


class ResearcherActions:
    """The study as researchers run it. Safe from any thread.

    Args:
        settings: The study's rules.
        store: The database.
        slack: Tells whether the bot can write to a participant.
        reactions: Reacts to transitions.
        withdrawals: Lets participants leave.
        searchers: The artificial participants.
        messages: Writes to participants.
        jobs: The jobs that run.
        admins: Tells the admins.
        tasks: Runs what waits for Slack.
        now: The time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        slack: Slack,
        reactions: Reactions,
        withdrawals: Withdrawals,
        searchers: Baselines,
        messages: ParticipantMessages,
        jobs: RunningJobs,
        admins: Admins,
        tasks: BackgroundTasks,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._slack = slack
        self._reactions = reactions
        self._withdrawals = withdrawals
        self._searchers = searchers
        self._messages = messages
        self._jobs = jobs
        self._admins = admins
        self._tasks = tasks
        self._now = now

    # The study

    def open(self, actor: str) -> Study:
        """Open the study, and register its analysis plan. Its rules are fixed from then on.

        Raises:
            Refused: It is open already, paused, or closed; or something is left to fill in in the consent text, a
                part of the analysis plan is still to be written, or people are measured with the seed they tune with.
        """
        if lacks := self._settings.lacks_to_open():
            raise Refused(Reason.NOT_READY, lacks)
        now = self._now()
        registered = registration(self._settings, now.astimezone(UTC).date()).to_json()
        opened = studies.open_study(self._store, actor=actor, now=now, registration=registered)
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
        told = [partial(self._messages.tell_closed, identity) for identity in waiting if identity is not None]
        self._tasks.run_errand("telling people in the queue that the study is closed", told)
        self._reactions.study_moved()
        return closed

    # People

    def find(self, code: str) -> Participant:
        """A participant by code: ``P4071``, ``p4071``.

        Raises:
            Refused: There is no such participant.
        """
        if code.startswith(("<@", "@")):
            raise Refused(
                Reason.UNKNOWN,
                "Participants appear under their codes only, so I do not look for a name. "
                "Write a code such as `P4071`. `/study participants` lists all.",
            )
        participant = participants.find_by_code(self._store, code)
        if participant is None:
            wanted = escape(shorten(code, _LONGEST_CODE))
            raise Refused(Reason.UNKNOWN, f"There is no participant “{wanted}”. `/study participants` lists all.")
        return participant

    def reach(self, participant: Participant) -> Unreachable | None:
        """Why the bot cannot write to a participant; none if it can, or if Slack does not say. Waits for Slack."""
        identity = participants.identity_of(self._store, participant.id)
        if identity is None:
            return Unreachable.UNKNOWN
        try:
            self._slack.open_channel(identity.slack_user)
        except SlackApiError as error:
            return why_unreachable(error)
        except (CallNotMade, OSError) as error:
            log.info("it is not known whether a participant can be reached: %s", error)
        return None

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

    def cancel_evaluations(self, code: str, actor: str) -> int:
        """Cancel a participant's evaluations that wait or run. Returns how many there were.

        Raises:
            Refused: There are none.
        """
        participant = self.find(code)
        cancelled = evaluations.cancel(self._store, participant.id, actor=actor, now=self._now())
        for evaluation in cancelled.running:
            self._jobs.stop(evaluation.subject)
        self._jobs.wake_dispatcher()
        session = history.session_of_participant(self._store, participant.id)
        if session is not None:
            self._admins.evaluated(session.id)
        self._admins.wake()
        return cancelled.count

    def evaluate_again(self, code: str, actor: str) -> Reviewed:
        """Run a participant's evaluations again that failed or were cancelled.

        Raises:
            Refused: There is no such participant, there are no such evaluations, or a worker is still stopping one.
        """
        participant = self.find(code)
        session = history.session_of_participant(self._store, participant.id)
        choice = session.choice if session is not None else None
        evaluated = evaluations.of_choice(self._store, choice.id) if choice is not None else ()
        if choice is None or not any(each.state in _AGAIN for each in evaluated):
            raise Refused(
                Reason.NOT_RUNNING,
                f"No evaluation of {participant.code} has failed or was cancelled, so none runs again.",
            )
        if any(each.state in _AGAIN and self._jobs.get(each.subject) is not None for each in evaluated):
            raise Refused(
                Reason.STILL_RUNNING,
                f"An evaluation of {participant.code} is still being stopped. Please try again in a moment.",
            )
        retried = evaluations.retry_failed(
            self._store, final_choice_id=choice.id, cancelled_too=True, actor=actor, now=self._now()
        )
        self._jobs.wake_dispatcher()
        return Reviewed(len(retried), 0)

    def evaluate(self, actor: str) -> Reviewed:
        """Run failed evaluations again, and add evaluations for seeds of the rules that final choices do not have."""
        now, seeds = self._now(), self._settings.training.evaluation_seeds
        retried = evaluations.retry_failed(self._store, actor=actor, now=now)
        added = evaluations.ensure(self._store, seeds=seeds, now=now)
        self._jobs.wake_dispatcher()
        return Reviewed(len(retried), added)
