"""The reactions to transitions: redraw messages, tell people, call the next in the queue, stop workers."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.live.feed import LiveFeed
from bot.runner.running_jobs import RunningJobs
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.rate_limiter import Priority
from bot.study.notifications import Notifications
from bot.study.protocols import HomeTabs, ParticipantMessages
from storage import posts
from storage.database import Store
from storage.queries import history
from storage.refusals import Refused
from storage.schema.states import TrialState
from storage.schema.tables import Session, Trial
from storage.transitions import queue, trials


class Reactions:
    """Reacts to transitions. No method waits for Slack, except for :meth:`post_trial`.

    Args:
        store: The database.
        jobs: The jobs that run.
        feed: Updates the messages in sessions' threads.
        messages: Writes to participants.
        notifications: Posts the notices that transitions have written.
        home_tabs: Participants' and researchers' Home tabs.
        tasks: Runs what waits for Slack.
        seats: How many people tune at once.
        now: The time, aware.
    """

    def __init__(
        self,
        store: Store,
        jobs: RunningJobs,
        feed: LiveFeed,
        messages: ParticipantMessages,
        notifications: Notifications,
        home_tabs: HomeTabs,
        tasks: BackgroundTasks,
        seats: int,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._feed = feed
        self._messages = messages
        self._notifications = notifications
        self._home_tabs = home_tabs
        self._tasks = tasks
        self._seats = seats
        self._now = now

    def participant_moved(self, participant_id: int) -> None:
        """A participant came, consented, described their experience, joined the queue, or was called."""
        self._notifications.try_again(participant_id)  # somebody who does something can be reached
        self._notifications.deliver()
        self._home_tabs.changed(participant_id)

    def participant_invited(self, participant_id: int) -> None:
        """A participant was invited, and their greeting was posted or refused."""
        self._home_tabs.changed(participant_id)

    def study_moved(self) -> None:
        """The study was opened, paused, resumed or closed."""
        self._home_tabs.all_changed()

    def session_begun(self, session: Session) -> None:
        """A session has started: post the root of its thread."""
        self._tasks.post("posting a session", partial(self._messages.post_session, session.id))
        self._home_tabs.changed(session.participant_id)

    def submitted(self, trial: Trial) -> None:
        """A trial is in the queue: wake the dispatcher, and post the trial's reply in the thread."""
        self._jobs.wake_dispatcher()
        self._tasks.post("posting a trial", partial(self.post_trial, trial))
        self._redraw_summary(trial.session_id)

    def post_trial(self, trial: Trial) -> None:
        """Post the reply that shows a trial while it runs, unless it is posted already. Waits for Slack."""
        self._messages.post_trial(trial)
        # Changes that came before the message was posted had nothing to update.
        finished = trials.get(self._store, trial.id).state.is_finished
        self._feed.touch(trial.subject, Priority.RESULT if finished else Priority.FRAME)
        self._feed.touch(f"session:{trial.session_id}", Priority.FRAME)

    def show_plot(self, trial_id: int) -> None:
        """Somebody wants to see the losses of a running trial as a picture: post one soon."""
        self._tasks.post("posting a plot", partial(self._messages.post_plot, trial_id))

    def trial_stopped(self, trial: Trial) -> None:
        """A trial is cancelled, or is being cancelled: stop its worker and show it, or post its result."""
        if trial.state is TrialState.RUNNING:
            self._jobs.stop(trial.subject)
            self._feed.touch(trial.subject, Priority.RESULT)
        else:
            self._notifications.deliver()
        self._redraw_summary(trial.session_id)

    def trial_progressed(self, subject: str) -> None:
        """A trial has new losses."""
        self._feed.touch(subject, Priority.FRAME)

    def trial_ended(self, session_id: int) -> None:
        """A trial has ended: post its result."""
        self._notifications.deliver()
        self._redraw_summary(session_id)

    def trial_lost(self, subject: str, session_id: int) -> None:
        """A trial's worker was lost: the trial waits again, and its time is given back."""
        self._feed.touch(subject, Priority.RESULT)
        self.time_changed(session_id)

    def time_changed(self, session_id: int) -> None:
        """A session was warned, or has more time."""
        self._feed.touch(f"session:{session_id}", Priority.RESULT)
        self._home_tabs.session_changed(session_id)
        self._notifications.deliver()

    def session_changed(self, session: Session, stopped: Trial | None) -> None:
        """A session's time is up, or it is over: stop its trial, change its buttons, and call the next participant.

        Args:
            session: The session as it is now.
            stopped: The trial that was stopped with it, if one was.
        """
        # First what needs no database: the sweep makes up for the rest if the database fails now.
        if stopped is not None and stopped.state is TrialState.RUNNING:
            self._jobs.stop(stopped.subject)
        self._jobs.wake_dispatcher()  # a final choice has evaluations
        self._feed.touch(f"session:{session.id}", Priority.RESULT)
        if stopped is not None and not stopped.state.is_finished:
            self._feed.touch(stopped.subject, Priority.RESULT)
        self.redraw(session.id)
        self._notifications.deliver()
        self.call_next()

    def redraw(self, session_id: int) -> None:
        """Redraw the root message and the results of all trials: their buttons depend on the session."""
        self._feed.touch(f"session:{session_id}", Priority.RESULT)
        self._home_tabs.session_changed(session_id)
        for trial in history.session_view(self._store, session_id).trials:
            self._feed.touch(posts.result_of(trial.id) if trial.state.is_finished else trial.subject, Priority.FRAME)

    def call_next(self) -> None:
        """Call the next participants in the queue, as many as there are free seats."""
        while (called := queue.call_next(self._store, seats=self._seats, now=self._now())) is not None:
            self.participant_moved(called.id)

    def deliver_notices(self) -> None:
        """Post the pending notices soon."""
        self._notifications.deliver()

    def catch_up(self, study_id: int) -> None:
        """After a start of the bot: post what was not posted before it stopped, and redraw the rest."""
        unfinished = history.unfinished_sessions(self._store, study_id)
        self._tasks.run_errand(
            "catching up with a session", [partial(self._catch_up_with, session_id) for session_id in unfinished]
        )

    def _catch_up_with(self, session_id: int) -> None:
        try:
            view = history.session_view(self._store, session_id)
        except Refused:  # its participant has left meanwhile, and it was deleted
            return
        if view.trials:
            self.post_trial(trials.get(self._store, view.trials[-1].id))
        else:
            self._messages.post_session(view.id)
        self.redraw(view.id)
        self._home_tabs.expect(view.participant_id)

    def _redraw_summary(self, session_id: int) -> None:
        """Redraw the root message and the Home tab for a change in a session that nobody waits for."""
        self._feed.touch(f"session:{session_id}", Priority.FRAME)
        self._home_tabs.session_changed(session_id)
