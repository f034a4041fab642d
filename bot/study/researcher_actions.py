"""What researchers do to the study: one method for everything that ``/study`` asks for.

As in :mod:`bot.study.service`, whether something may happen is decided in ``storage``. Every method names its actor,
which is what the event log knows a researcher by.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError

from bot.participant.views import session_thread
from bot.participant.views.next_step import led_back
from bot.runner.subprocess_job import Making
from bot.slack.block_kit import escape, shorten
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.tables import Identity, Participant, Session, Study
from storage.transitions import baselines, evaluations, participants, sessions, studies

if TYPE_CHECKING:
    from bot.study.service import Study as RunningStudy

_LONGEST_CODE = 20

_CLOSED_BEFORE_YOUR_TURN = "The study was closed before a place was free for you. I am sorry that you waited in vain."


class Invitation(StrEnum):
    """What came of inviting somebody.

    Attributes:
        WRITTEN: The bot has written to them.
        ALREADY: They take part already.
        LEFT: They have left the study, and are left in peace.
        BOT: A bot.
        GONE: Their account is deactivated.
        UNKNOWN: There is no such person in the workspace, or none that the bot may write to.
    """

    WRITTEN = "written"
    ALREADY = "already"
    LEFT = "left"
    BOT = "bot"
    GONE = "gone"
    UNKNOWN = "unknown"


_NOT_REACHED = {
    "cannot_dm_bot": Invitation.BOT,
    "user_disabled": Invitation.GONE,
    "user_not_found": Invitation.UNKNOWN,
    "users_not_found": Invitation.UNKNOWN,
    "user_not_visible": Invitation.UNKNOWN,
}
"""What ``conversations.open`` says of whom nobody can write to."""


@dataclass(frozen=True)
class Reviewed:
    """What ``/study evaluate`` put in line: evaluations that had failed, and those that a final choice lacked."""

    retried: int
    added: int


class Research:
    """The study as researchers run it.

    Args:
        study: The running study.

    Attributes:
        making: Makes what takes long.
    """

    def __init__(self, study: "RunningStudy") -> None:
        self._study = study
        self._parts = study.parts
        self.making = Making()
        self._store = study.store

    # The study

    def open(self, actor: str) -> Study:
        """Let people in; the rules are fixed from here on.

        Raises:
            Refused: It is open already, paused, or closed.
        """
        opened = studies.open_study(self._store, actor=actor, now=self._study.now())
        self._study.homes.all_changed()
        return opened

    def pause(self, actor: str) -> Study:
        """Let nobody new in and no session begin; what runs goes on.

        Raises:
            Refused: The study is not open.
        """
        paused = studies.pause_study(self._store, actor=actor, now=self._study.now())
        self._study.homes.all_changed()
        return paused

    def resume(self, actor: str) -> Study:
        """End a pause.

        Raises:
            Refused: The study is not paused.
        """
        resumed = studies.resume_study(self._store, actor=actor, now=self._study.now())
        self._study.homes.all_changed()
        self._study.follow_ups.call_next()
        return resumed

    def close(self, actor: str) -> Study:
        """End the study for good: baselines stop, whoever waits in line is told, and nobody knows the codes any more.

        Evaluations that wait still run.

        Raises:
            Refused: Somebody is in a session, or the study is not open.
        """
        status = history.status(self._store, now=self._study.now())
        in_line = [self._identity(code) for code in status.waiting_in_line]
        if not status.running and baselines.running(self._store):
            self._study.baselines.stop(actor)  # their workers too: closing only stops what waits
        closed = studies.close_study(self._store, actor=actor, now=self._study.now())
        participants.forget_all(self._store, actor=actor, now=self._study.now())
        for identity in in_line:
            if identity is not None:
                self._tell_closed(identity)
        self._study.homes.all_changed()
        return closed

    def _tell_closed(self, identity: Identity) -> None:
        told = led_back(_CLOSED_BEFORE_YOUR_TURN, self._study.standing(identity.slack_user))
        self._study.errands.run(
            "telling somebody in line that the study is closed",
            partial(self._study.slack.post, identity.slack_channel, told),
        )

    # People

    def find(self, code: str) -> Participant:
        """A participant by code: ``P007``, ``p7``.

        Raises:
            Refused: There is none.
        """
        participant = participants.find_by_code(self._store, code)
        if participant is None:
            wanted = escape(shorten(code, _LONGEST_CODE))
            raise Refused(Reason.UNKNOWN, f"There is no participant “{wanted}”. `/study participants` names all.")
        return participant

    def invite(self, user: str) -> Invitation:
        """Write to somebody what the study is about, unless they take part or have left.

        Raises:
            Refused: The study takes no newcomers now.
            SlackApiError: Slack refuses for another reason than that this person cannot be written to.
        """
        if self._study.standing(user).participant is not None:
            return Invitation.ALREADY
        if self._study.leaving.has_left(user):
            return Invitation.LEFT
        try:
            channel = self._study.slack.open_channel(user)
        except SlackApiError as error:
            reason = _NOT_REACHED.get(error.response["error"])
            if reason is None:
                raise
            return reason
        self._study.meet(user, channel)
        return Invitation.WRITTEN

    def extend(self, code: str, length: timedelta, actor: str) -> Session:
        """Give a participant more time, and tell them.

        Raises:
            Refused: They are in no session.
        """
        session = sessions.extend_by_researcher(
            self._store, self.session_of(code).id, length, actor=actor, now=self._study.now()
        )
        self._study.follow_ups.set_alarms(session)
        self._study.follow_ups.refresh(session.id)
        told = session_thread.time_extended(self._study.view(session.id), length)
        say = partial(self._study.conversation.say, session.participant_id, told)
        self._study.errands.run("telling of an extension", say)
        return session

    def cancel(self, code: str, actor: str) -> Session:
        """End a participant's session without a final choice, and tell them kindly. Their trials are kept.

        Raises:
            Refused: They are in no session.
        """
        cancelled = sessions.cancel_session(self._store, self.session_of(code).id, actor=actor, now=self._study.now())
        session, stopped = cancelled.session, cancelled.cancelled or cancelled.stopping
        self._parts.clock.clear_alarms(session.id)
        if stopped is not None:
            self._study.follow_ups.stopped(stopped)
        self._study.follow_ups.refresh(session.id)
        view = self._study.view(session.id)
        told = session_thread.ended_by_researcher(view, stopped.number if stopped is not None else None)
        say = partial(self._study.conversation.say, session.participant_id, told)
        self._study.errands.run("telling of the end of a session", say)
        self._study.follow_ups.call_next()
        return session

    def withdraw(self, code: str, actor: str) -> Participant:
        """Take a participant out of the study, and tell them; their data is kept or deleted, as they agreed to.

        Raises:
            Refused: They have left already.
        """
        return self._study.leaving.leave(self.find(code), actor=actor).participant

    def session_of(self, code: str) -> Session:
        """The session that a participant is in.

        Raises:
            Refused: They are in none.
        """
        participant = self.find(code)
        session = sessions.active_session(self._store, participant.id)
        if session is None:
            raise Refused(Reason.SESSION_OVER, f"{participant.code} is in no session now. Nothing was changed.")
        return session

    def _identity(self, code: str) -> Identity | None:
        found = participants.find_by_code(self._store, code)
        return None if found is None else participants.identity_of(self._store, found.id)

    # Results

    def evaluate(self, actor: str) -> Reviewed:
        """Run failed evaluations again, and add those that final choices lack of the rules' seeds."""
        now, seeds = self._study.now(), self._study.settings.training.evaluation_seeds
        retried = evaluations.retry_failed(self._store, actor=actor, now=now)
        added = evaluations.ensure(self._store, seeds=seeds, now=now)
        self._parts.jobs.look()
        return Reviewed(len(retried), added)
