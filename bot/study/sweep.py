"""Does what is due at a time: warnings, the end of a session's time, the clock's choice, the next call in the queue.

A sweep asks the database what is due, and does it. It does not remember what it did: a transition that was made is not
due any more. So nothing is missed, also after an error, and also when the bot was away for a long time.

Before that it sets the time right: people get back the time in which they were not served (:mod:`bot.runner.clocks`).
While they are not served, nobody's time ends.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.runner.clocks import Clocks
from bot.settings.settings import Settings
from bot.study.reactions import Reactions
from storage.database import Store
from storage.queries.due import due
from storage.refusals import Reason, Refused
from storage.transitions import choices, recovery, sessions

log = logging.getLogger(__name__)

Result = TypeVar("Result")

SWEEP_SECONDS = 2.0
"""The time from one sweep to the next. One more is made at the moment when something will be due."""

_NOT_DUE_ANY_MORE = (Reason.NOT_YET, Reason.TIME_IS_UP, Reason.SESSION_OVER, Reason.UNKNOWN)
"""Reasons for which a due transition may be refused: somebody made it, moved the deadline, or left a moment before."""

_MOST_REPORTED = 5
"""Of the sessions for which the same fails at the same time, so many are reported each; the others are only logged."""


class Sweep:
    """Does what is due. Safe from any thread: one sweep is made at a time.

    Args:
        settings: The study's rules.
        store: The database.
        reactions: Reacts to transitions.
        on_error: Called with an error and with what was being done, in a few words.
        clocks: The time, and whether people are served.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        reactions: Reactions,
        on_error: Callable[[Exception, str], object],
        clocks: Clocks,
    ) -> None:
        self._warnings: Sequence[timedelta] = [timedelta(minutes=each) for each in settings.time.warnings_minutes]
        self._grace = timedelta(minutes=settings.time.grace_minutes)
        self._seeds = settings.training.evaluation_seeds
        self._store = store
        self._reactions = reactions
        self._on_error = on_error
        self._clocks = clocks
        self._sweeping = threading.Lock()
        self._in_trouble: dict[str, set[int]] = {}

    def run(self) -> datetime | None:
        """Do everything that is due. A failure is reported, does not stop the rest, and is tried again next time.

        Returns:
            The next moment at which something will be due; none when nothing will, or when that cannot be read now.
        """
        with self._sweeping:
            self._attempt("setting the time right", self._set_right)
            next_at = None
            if (now := self._clocks.settled()) is not None:
                next_at = self._end_what_is_due(now)
            self._attempt("calling the next in the queue", self._reactions.call_next)
            self._attempt("delivering notices", self._reactions.deliver_notices)
            return next_at

    def beat(self) -> None:
        """Note that the bot is alive and serves people. To be called every few seconds."""
        with self._sweeping:
            self._set_right()
            if (now := self._clocks.settled()) is not None:
                recovery.heartbeat(self._store, now=now)

    def _set_right(self) -> None:
        """Give back the time in which people were not served, and follow a wall clock that was set."""
        correction = self._clocks.correction()
        if correction is None:
            return
        changed, given = recovery.correct(
            self._store, unserved=correction.unserved, clock_set=correction.clock_set, now=correction.now
        )
        self._clocks.corrected(correction)
        for time in correction.unserved:
            seconds = (time.until - time.since).total_seconds()
            log.warning("nobody was served for %.0f s (%s); sessions got it back: %d", seconds, time.why, len(given))
        if correction.clock_set:
            seconds = correction.clock_set.total_seconds()
            log.warning("the machine's clock was set by %+.0f s; sessions moved with it: %d", seconds, len(changed))
        for session_id in changed:
            self._attempt("showing the time of a session", partial(self._reactions.time_changed, session_id))

    def _end_what_is_due(self, now: datetime) -> datetime | None:
        """Do what is due at this moment. Returns the next one at which something will be."""
        due_now = self._attempt("looking for what is due", partial(due, self._store, warnings=self._warnings, now=now))
        if due_now is None:
            return None
        for session_id in due_now.warnings:
            self._attempt("warning a participant", partial(self._warn, session_id, now), session_id)
        for session_id in due_now.expired:
            self._attempt("ending the time of a session", partial(self._expire, session_id, now), session_id)
        for session_id in due_now.unanswered:
            self._attempt("choosing by the clock", partial(self._choose, session_id, now), session_id)
        return due_now.next_at

    def _warn(self, session_id: int, now: datetime) -> None:
        sessions.warn(self._store, session_id, warnings=self._warnings, now=now)
        self._reactions.time_changed(session_id)

    def _expire(self, session_id: int, now: datetime) -> None:
        expired = sessions.expire(self._store, session_id, grace=self._grace, now=now)
        self._reactions.session_changed(expired.session, expired.stopped)

    def _choose(self, session_id: int, now: datetime) -> None:
        chosen = choices.choose_by_clock(self._store, session_id, seeds=self._seeds, now=now)
        self._reactions.session_changed(chosen.session, chosen.stopped)

    def _attempt(self, doing: str, do: Callable[[], Result], session_id: int = 0) -> Result | None:
        """Do one thing, for one session or for none. An error is reported once, until the same thing succeeds again."""
        try:
            result = do()
        except Refused as refused:
            if refused.reason not in _NOT_DUE_ANY_MORE:
                self._report(refused, doing, session_id)
            return None
        except Exception as error:  # noqa: BLE001 - the rest is still due
            self._report(error, doing, session_id)
            return None
        self._in_trouble.get(doing, set()).discard(session_id)
        return result

    def _report(self, error: Exception, doing: str, session_id: int) -> None:
        about = f" (session:{session_id})" if session_id else ""
        in_trouble = self._in_trouble.setdefault(doing, set())
        if session_id in in_trouble:
            log.warning("still failing: %s%s: %s", doing, about, type(error).__name__)
            return
        in_trouble.add(session_id)
        if len(in_trouble) > _MOST_REPORTED:
            log.error("failing for many: %s%s", doing, about, exc_info=error)
            return
        self._on_error(error, f"{doing}{about}")
