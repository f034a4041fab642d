"""What follows from a transition, whoever caused it: messages, alarms, stop requests, the next in line."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from bot.participant.views import onboarding, session_thread
from bot.slack.rate_limiter import Priority
from bot.study.parts import Parts
from storage.queries import history
from storage.refusals import Refused
from storage.schema.states import Chooser, SessionState, TrialState
from storage.schema.tables import Session, Trial
from storage.transitions import queue, trials
from storage.transitions.choices import Chosen


class FollowUps:
    """Sees to what follows.

    Args:
        parts: The running study.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def warnings(self) -> Sequence[timedelta]:
        """How long before the deadline a participant is reminded."""
        return [timedelta(minutes=minutes) for minutes in self._parts.settings.time.warnings_minutes]

    def set_alarms(self, session: Session) -> None:
        """Set, or move, the alarms of a session: warnings and deadline, or the end of the grace period."""
        if session.state is SessionState.ACTIVE:
            self._parts.clock.set_alarms(session.id, session.deadline, self.warnings, self._parts.now())
        elif session.grace_ends_at is not None:
            self._parts.clock.set_grace(session.id, session.grace_ends_at)

    def submitted(self, trial: Trial) -> None:
        """A trial waits: let the workers look, and post its reply in the thread."""
        self._parts.jobs.look()
        self._parts.errands.run("posting a trial", partial(self.post_trial, trial))
        self.session_moved(trial.session_id)

    def session_moved(self, session_id: int) -> None:
        """Something in a session changed that the root message and the Home tab tell, but nobody waits for."""
        self._parts.feed.touch(f"session:{session_id}", Priority.FRAME)
        self._parts.homes.session_changed(session_id)

    def post_trial(self, trial: Trial) -> None:
        """Post a trial's reply, unless it is there."""
        self._parts.conversation.post_trial(trial)
        # What changed while the messages waited for their turn found nothing there to update.
        finished = trials.get(self._parts.store, trial.id).state.is_finished
        self._parts.feed.touch(trial.subject, Priority.RESULT if finished else Priority.FRAME)
        self._parts.feed.touch(f"session:{trial.session_id}", Priority.FRAME)

    def stopped(self, trial: Trial) -> None:
        """A trial is cancelled, or is to be: tell its worker, and show it."""
        if trial.state is TrialState.RUNNING:
            self._parts.jobs.stop(trial.subject)
        self._parts.feed.touch(trial.subject, Priority.RESULT)
        self.session_moved(trial.session_id)

    def chosen(self, chosen: Chosen) -> None:
        """A session has ended with a final choice: thank, evaluate, and let the next one in."""
        session, choice = chosen.session, chosen.choice
        self._parts.clock.clear_alarms(session.id)
        stopped = chosen.cancelled or chosen.stopping
        if stopped is not None:
            self.stopped(stopped)
        self._parts.jobs.look()
        self.refresh(session.id)
        by_clock = choice is not None and choice.chosen_by is Chooser.CLOCK
        evaluations = len(self._parts.settings.training.evaluation_seeds)
        thanks = session_thread.thanks(
            by_clock, choice.configuration.summary() if choice is not None else None, evaluations
        )
        self._parts.errands.run(
            "thanking a participant", partial(self._parts.conversation.say, session.participant_id, thanks)
        )
        self.call_next()

    def refresh(self, session_id: int) -> None:
        """Redraw the root message, and every trial's: their buttons depend on the session."""
        self._parts.feed.touch(f"session:{session_id}", Priority.RESULT)
        self._parts.homes.session_changed(session_id)
        for trial in history.session_view(self._parts.store, session_id).trials:
            self._parts.feed.touch(trial.subject, Priority.FRAME)

    def call_next(self) -> None:
        """Call whoever is next in line, as far as seats are free."""
        self._parts.errands.run("calling the next in line", self._call)

    def _call(self) -> None:
        parts = self._parts
        seats = parts.settings.machine.slots
        while (called := queue.next_in_line(parts.store, seats=seats, now=parts.now())) is not None:
            try:
                queue.mark_called(parts.store, called.id, now=parts.now())
            except Refused:  # another thread did
                continue
            parts.conversation.say(called.id, onboarding.called(parts.now() + queue.CALL_HOLDS))
            parts.homes.changed(called.id)
