"""The messages about a trial, in the session's thread.

While a trial waits and runs, the live feed keeps one reply up to date. An update notifies nobody, and Slack shows a
picture to people only in a message that was posted with it. So the result is posted, as a reply of its own, with the
picture of the losses. The first reply shrinks to one line then.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.live.feed import Address, NotNow, Rendering
from bot.live.forms import Form, Shown
from bot.live.plots import Attempt, Plots
from bot.participant.time_estimate import TimeEstimate
from bot.participant.views.trial import ended_line, plot_message, trial_message
from bot.runner.running_jobs import Progress
from bot.settings.arms import Condition
from bot.slack.block_kit import Message
from bot.slack.client import Slack
from bot.slack.posted_once import Once, may_have_arrived
from bot.slack.rate_limiter import Priority, on_terms
from reports.figures.loss_plot import LossCurves, loss_curves, loss_curves_of
from storage import posts
from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView, TrialView
from storage.schema.states import JobKind, SessionState, TrialState
from storage.transitions import notices
from training.tasks import TaskFacts

log = logging.getLogger(__name__)


class TrialMessages:
    """Posts and renders the messages about trials. Safe from any thread.

    Args:
        facts_of: Returns what participants may know of a task.
        store: The database.
        slack: The workspace.
        plots: Shows losses in a form that the workspace accepts.
        progress: Returns how far a running job has come, by its key.
        channel: Returns the channel of a participant's direct messages; empty when they cannot be reached.
        post_session: Posts the root of a session's thread, once, and returns its ts.
        touch: Tells the live feed that a message has changed.
        now: The time, aware.
        condition: Returns what holds for the participants of an arm.
    """

    def __init__(
        self,
        facts_of: Callable[[str | None], TaskFacts],
        store: Store,
        slack: Slack,
        plots: Plots,
        progress: Callable[[str], Progress | None],
        channel: Callable[[int], str],
        post_session: Callable[[int], str | None],
        touch: Callable[[str, Priority], None],
        now: Callable[[], datetime],
        condition: Callable[[str | None], Condition],
    ) -> None:
        self._facts_of = facts_of
        self._store = store
        self._slack = slack
        self._plots = plots
        self._progress = progress
        self._channel = channel
        self._post_session = post_session
        self._touch = touch
        self._now = now
        self._condition = condition
        self._posters = Posters()
        self._not_posted: set[int] = set()

    # --- posting ---------------------------------------------------------------------------------------------------

    def post(self, trial_id: int) -> None:
        """Post the reply that shows a trial while it waits and runs, once. A trial that has ended gets none any more.

        Raises:
            SlackApiError: Slack refuses.
            CallNotMade, OSError: Slack cannot be reached.
            Refused: There is no such trial (any more).
        """
        trial = history.trial_view(self._store, trial_id)
        root = self._post_session(trial.session_id)
        with self._posters.only_one(trial.subject):
            trial = history.trial_view(self._store, trial_id)
            if trial.state.is_finished or posts.find(self._store, trial.subject) is not None:
                return
            view = history.session_view(self._store, trial.session_id)
            channel, progress = self._channel(view.participant_id), self._progress(trial.subject)
            if channel:
                estimate = self.estimate(trial, view, progress)
                message = self._message(trial, view, progress, estimate=estimate)
                once = self._once(view, trial.subject, trial.submitted_at)
                ts = self._slack.post(channel, message, thread_ts=root, once=once)
                self._remember(trial, trial.subject, channel, ts)

    def post_result(self, trial_id: int) -> None:
        """Post a trial's result, once, where its participant sees it: in the thread and, while they tune, beside it.

        Raises:
            SlackApiError, CallNotMade, OSError, Refused: As :meth:`post`.
        """
        trial = history.trial_view(self._store, trial_id)
        subject = posts.result_of(trial.id)
        try:
            root = self._post_session(trial.session_id)
            with self._posters.only_one(subject):
                if posts.find(self._store, subject) is None:
                    self._post_result(trial, subject, root)
        except Exception:
            self._not_posted.add(trial.id)
            raise
        else:
            self._not_posted.discard(trial.id)
        finally:
            # It shrinks to one line; or shows the result itself, where that could not be posted.
            self._touch(trial.subject, Priority.RESULT)
        self._remove_plot(trial)

    def _post_result(self, trial: TrialView, subject: str, root: str | None) -> None:
        view = history.session_view(self._store, trial.session_id)
        channel, curves = self._channel(view.participant_id), self._stored_curves(trial, view)
        if not channel:
            return
        once = self._once(view, subject, trial.ended_at or trial.submitted_at)
        if (posted := self._slack.posted(channel, once, root)) is not None:
            self._remember(trial, subject, channel, posted.ts, posted.file_id)
            return
        awaited = view.state is SessionState.ACTIVE

        def message(plot: Sequence[Block]) -> Message:
            return self._message(trial, view, plot=plot)

        self._post_with_plot(trial, subject, channel, root, curves, message, broadcast=awaited, once=once)
        if history.session_view(self._store, trial.session_id).state is not view.state:
            self._touch(subject, Priority.RESULT)  # its buttons depend on it, and there was nothing to update yet

    def post_plot(self, trial_id: int) -> None:
        """Post the losses of a running trial as a picture. It takes the place of the one that was posted before.

        Nothing is posted about a trial that has ended, or has no losses yet.

        Raises:
            SlackApiError, CallNotMade, OSError, Refused: As :meth:`post`.
        """
        trial = history.trial_view(self._store, trial_id)
        view, progress = history.session_view(self._store, trial.session_id), self._progress(trial.subject)
        channel = self._channel(view.participant_id)
        curves = self._running_curves(trial, view, progress) if progress is not None else None
        if trial.state.is_finished or progress is None or curves is None or not channel:
            return
        subject, root = posts.plot_of(trial.id), self._post_session(trial.session_id)
        with self._posters.only_one(subject):
            former = posts.find(self._store, subject)

            def message(plot: Sequence[Block]) -> Message:
                return plot_message(trial, progress, plot)

            self._post_with_plot(trial, subject, channel, root, curves, message)
            if former is not None:
                with on_terms(Priority.FRAME):
                    self._slack.delete(channel, former.ts, former.file_id)
        if history.trial_view(self._store, trial_id).state.is_finished:
            self._remove_plot(trial)

    def _once(self, view: SessionView, subject: str, since: datetime) -> Once:
        return Once(posts.mark_of(self._store, view.participant_id, subject), since)

    def _post_with_plot(
        self,
        trial: TrialView,
        subject: str,
        channel: str,
        root: str | None,
        curves: LossCurves | None,
        message: Callable[[Sequence[Block]], Message],
        *,
        broadcast: bool = False,
        once: Once | None = None,
    ) -> None:
        """Post a message with a picture of the curves, or in the best other form that Slack accepts."""
        file_id = None
        if curves is not None and self._plots.wanted().posted:
            file_id = self._plots.upload(subject, _file_name(trial), curves, lambda: False)
        picture = Shown(file_id, curves) if file_id is not None and curves is not None else None

        def send(attempt: Attempt) -> tuple[str, Form]:
            posted = message(attempt.show(curves, picture))
            if attempt.form is Form.TEXT_ONLY:
                posted = Message(posted.text, ())
            return self._slack.post(channel, posted, thread_ts=root, broadcast=broadcast, once=once), attempt.form

        try:
            ts, form = self._plots.in_best_form(subject, send)
        except Exception as error:
            if not may_have_arrived(error):
                self._discard(file_id)
            raise
        if form is not Form.PICTURE:
            self._discard(file_id)
            file_id = None
        self._remember(trial, subject, channel, ts, file_id)

    def _remember(self, trial: TrialView, subject: str, channel: str, ts: str, file_id: str | None = None) -> None:
        """Note a message that was posted. It is deleted if its participant had the data deleted at that moment."""
        posts.remember_for(self._store, trial.session_id, subject, channel=channel, ts=ts, file_id=file_id)

    def _remove_plot(self, trial: TrialView) -> None:
        """Delete the picture that was posted while the trial ran: the result has a newer one."""
        subject = posts.plot_of(trial.id)
        with self._posters.only_one(subject):
            post = posts.find(self._store, subject)
            channel = self._channel(history.session_view(self._store, trial.session_id).participant_id)
            if post is None or not channel:
                return
            try:
                with on_terms(Priority.FRAME):
                    self._slack.delete(channel, post.ts, post.file_id)
            except SlackApiError as error:
                log.warning("The picture of a trial that has ended stays: %s", error.response.get("error"))
            else:
                posts.forget(self._store, subject)  # until then, it is deleted with the rest of somebody's data

    def _discard(self, file_id: str | None) -> None:
        if file_id is not None:
            self._plots.pictures.discard(file_id)

    # --- rendering -------------------------------------------------------------------------------------------------

    def render(self, subject: str, post_ts: str, file_id: str | None) -> Rendering | None:
        """Render a message about a trial as it should look now.

        Args:
            subject: ``trial:17`` or ``result:17``.
            post_ts: The message's ts.
            file_id: The picture in it.

        Raises:
            Refused: There is no such trial (any more).
            NotNow: The result is being posted. Until it is, the trial's message stays as it is.
        """
        trial = history.trial_view(self._store, int(subject.partition(":")[2]))
        view = history.session_view(self._store, trial.session_id)
        channel = self._channel(view.participant_id)
        if not channel:
            return None
        address = Address(channel, post_ts)
        if subject == trial.subject and not trial.state.is_finished:
            return self._render_running(trial, view, address)
        if subject == trial.subject:
            if posts.find(self._store, posts.result_of(trial.id)) is not None:
                return Rendering(address, lambda _: ended_line(trial))
            if trial.id not in self._not_posted and notices.awaits_result(self._store, view.participant_id, trial.id):
                raise NotNow("The result is being posted.")
        curves = self._stored_curves(trial, view)
        picture = Shown(file_id, curves) if file_id is not None and curves is not None else None
        return Rendering(
            address, lambda plot: self._message(trial, view, plot=plot), curves, live=False, picture=picture
        )

    def _render_running(self, trial: TrialView, view: SessionView, address: Address) -> Rendering:
        progress = self._progress(trial.subject)
        estimate = self.estimate(trial, view, progress)
        return Rendering(
            address,
            lambda plot: self._message(trial, view, progress, plot, estimate),
            self._running_curves(trial, view, progress) if progress is not None else None,
            file_name=_file_name(trial),
        )

    def _message(
        self,
        trial: TrialView,
        session: SessionView,
        progress: Progress | None = None,
        plot: Sequence[Block] = (),
        estimate: TimeEstimate | None = None,
    ) -> Message:
        """A trial as it is now, with what its participant's arm shows."""
        after_epochs = self._condition(session.arm).epoch_accuracies
        return trial_message(trial, session, progress, plot, estimate, after_epochs=after_epochs)

    def estimate(self, trial: TrialView, session: SessionView, progress: Progress | None) -> TimeEstimate | None:
        """How long a trial has taken and will take; ``None`` when that cannot be known."""
        return TimeEstimate.of(trial, progress, batches=self._batches(trial, session), now=self._now())

    def _batches(self, trial: TrialView, session: SessionView) -> int:
        """The number of batches in one epoch of the trial."""
        return -(-self._facts_of(session.task).training_images // trial.configuration.batch_size)

    def _running_curves(self, trial: TrialView, session: SessionView, progress: Progress) -> LossCurves | None:
        if trial.state is TrialState.WAITING or not (progress.batch_losses or progress.epoch_losses):
            return None
        return loss_curves(
            progress.batch_losses,
            progress.epoch_losses,
            epoch=progress.epoch,
            epochs_planned=trial.configuration.epochs,
            batches_per_epoch=self._batches(trial, session),
        )

    def _stored_curves(self, trial: TrialView, session: SessionView) -> LossCurves | None:
        return loss_curves_of(
            history.epochs_of(self._store, JobKind.TRIAL, trial.id),
            epochs_planned=trial.configuration.epochs,
            batches_per_epoch=self._batches(trial, session),
        )


class Posters:
    """One lock for each message. Background tasks run at the same time, but only one of them may post a message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._posters: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def only_one(self, subject: str) -> threading.Lock:
        """The lock of the message about a subject."""
        with self._lock:
            return self._posters.setdefault(subject, threading.Lock())


def _file_name(trial: TrialView) -> str:
    return f"trial-{trial.number}.png"
