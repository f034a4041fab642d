"""What is due when an alarm rings: a warning, the end of the time, the clock's choice."""

from datetime import timedelta

from bot.participant.views import session_thread
from bot.runner.scheduler import Alarm
from bot.study.parts import Parts
from bot.study.reactions import FollowUps
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import SessionState
from storage.schema.tables import Session
from storage.transitions import choices, sessions


class Deadlines:
    """Looks what is due in a session, and does it.

    Args:
        parts: The running study.
        follow_ups: Sees to what follows.
    """

    def __init__(self, parts: Parts, follow_ups: FollowUps) -> None:
        self._parts = parts
        self._follow_ups = follow_ups

    def ring(self, session_id: int, alarm: Alarm) -> None:
        """An alarm of a session rings, on a thread of the clock."""
        try:
            session = sessions.get(self._parts.store, session_id)
            if alarm is Alarm.WARNING:
                self._warn(session)
            elif session.state is SessionState.ACTIVE:
                self._expire(session)
            elif session.state is SessionState.CHOOSING:
                self._choose(session)
        except Exception as error:  # noqa: BLE001 - the scheduler would only log it
            self._parts.trouble.report(error, "an alarm of a session")

    def _warn(self, session: Session) -> None:
        left = session.deadline - self._parts.now()
        if session.state is SessionState.ACTIVE and left > timedelta(0):
            nearest = min(self._follow_ups.warnings, key=lambda warning: abs(warning - left))
            self._parts.conversation.warn(session.id, nearest.total_seconds() / 60)

    def _expire(self, session: Session) -> None:
        grace = timedelta(minutes=self._parts.settings.time.grace_minutes)
        try:
            expired = sessions.expire(self._parts.store, session.id, grace=grace, now=self._parts.now())
        except Refused as refused:
            if refused.reason is Reason.NOT_YET:  # time was given back meanwhile
                self._follow_ups.set_alarms(session)
            return
        session = expired.session
        self._follow_ups.set_alarms(session)
        stopped = expired.cancelled or expired.stopping
        if stopped is not None:
            self._follow_ups.stopped(stopped)
        self._follow_ups.refresh(session.id)
        view = history.session_view(self._parts.store, session.id)
        message = session_thread.time_is_up(view, stopped.number if stopped else None)
        self._parts.conversation.say(session.participant_id, message)
        self._follow_ups.call_next()

    def _choose(self, session: Session) -> None:
        seeds = self._parts.settings.training.evaluation_seeds
        try:
            chosen = choices.choose_by_clock(self._parts.store, session.id, seeds=seeds, now=self._parts.now())
        except Refused as refused:
            if refused.reason is Reason.NOT_YET:
                self._follow_ups.set_alarms(session)
            return
        self._follow_ups.chosen(chosen)
