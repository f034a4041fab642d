"""The participant's direct messages: what is posted there, and how what is posted looks now."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from slack_sdk.models.blocks import Block

from bot.live.feed import Address, Rendering
from bot.participant.time_estimate import Pace
from bot.participant.views import onboarding, session_thread
from bot.participant.views.trial import trial_message
from bot.runner.dispatcher import Progress
from bot.settings.settings import Settings
from bot.slack.block_kit import Message
from bot.slack.client import Slack
from reports.figures.loss_plot import LossCurves, loss_curves
from storage import posts
from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView, TrialView
from storage.refusals import Refused
from storage.schema.states import JobKind, TrialState
from storage.schema.tables import Trial
from storage.transitions import participants
from training.tasks import TaskFacts


class Conversation:
    """Writes to participants, whom the rest of the bot knows by a number.

    Args:
        settings: The study's rules.
        facts_of: What participants may know of a task.
        store: What happened.
        slack: The workspace.
        progress: How far a running job has come, by its key.
        now: The time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        facts_of: Callable[[str | None], TaskFacts],
        store: Store,
        slack: Slack,
        progress: Callable[[str], Progress | None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._facts_of = facts_of
        self._store = store
        self._slack = slack
        self._progress = progress
        self._now = now
        self._posting = threading.Lock()
        self._posters: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def channel(self, participant: int) -> str:
        """The channel of a participant's direct messages; empty once nobody knows any more who they are."""
        identity = participants.identity_of(self._store, participant)
        return identity.slack_channel if identity is not None else ""

    def say(self, participant: int, message: Message, *, thread_ts: str | None = None) -> str | None:
        """Post a message to a participant. Returns its ts; none when nobody knows any more who they are."""
        channel = self.channel(participant)
        return self._slack.post(channel, message, thread_ts=thread_ts) if channel else None

    def greet(self, participant: int) -> None:
        """Post what the study is about, and *I agree*."""
        self.say(participant, onboarding.greeting(self._settings.consent_text))

    def ask_background(self, participant: int) -> None:
        """Ask for the participant's experience."""
        self.say(participant, onboarding.ask_background())

    def brief(self, participant: int) -> None:
        """Post the task and the Start button."""
        facts = self._facts_of(participants.get(self._store, participant).task)
        self.say(participant, onboarding.briefing(facts, self._settings.time.limit_minutes))

    def wait_in_line(self, participant: int, place: int, *, late: bool) -> None:
        """Tell a participant that every seat is taken, also the one that was kept for whoever comes too late."""
        self.say(participant, onboarding.in_line(place, late=late))

    def post_session(self, session_id: int) -> str | None:
        """Post the root of a session's thread, once. Returns its ts."""
        subject = f"session:{session_id}"
        with self._one_poster(subject):
            post = posts.find(self._store, subject)
            if post is not None:
                return post.ts
            view = history.session_view(self._store, session_id)
            ts = self.say(view.participant_id, session_thread.session_message(view))
            if ts is not None:
                posts.remember(self._store, subject, ts=ts)
            return ts

    def post_trial(self, trial: Trial) -> None:
        """Post a trial's reply in the session's thread, once."""
        root = self.post_session(trial.session_id)
        with self._one_poster(trial.subject):
            if posts.find(self._store, trial.subject) is not None:
                return
            view = history.session_view(self._store, trial.session_id)
            shown = history.trial_view(self._store, trial.id)
            progress = self._progress(trial.subject)
            message = trial_message(shown, view, progress, pace=self._pace(shown, view, progress))
            ts = self.say(view.participant_id, message, thread_ts=root)
            if ts is not None:
                posts.remember(self._store, trial.subject, ts=ts)

    def warn(self, session_id: int, minutes: float) -> None:
        """Tell a participant how much time is left, and what makes sense in it."""
        view = history.session_view(self._store, session_id)
        running = view.running
        pace = self._pace(running, view, self._progress(running.subject)) if running is not None else None
        self.say(view.participant_id, session_thread.warning(minutes, view, pace))

    def _one_poster(self, subject: str) -> threading.Lock:
        """Held by whoever looks whether a message is there and posts it: errands run side by side."""
        with self._posting:
            return self._posters.setdefault(subject, threading.Lock())

    def render(self, subject: str) -> Rendering | None:
        """How the message about a subject should look now; none when there is no such message.

        Args:
            subject: ``session:3`` or ``trial:17``.
        """
        post = posts.find(self._store, subject)
        if post is None:
            return None
        kind, number = subject.split(":")
        try:
            trial = history.trial_view(self._store, int(number)) if kind == JobKind.TRIAL else None
            view = history.session_view(self._store, trial.session_id if trial else int(number))
        except Refused:
            return None
        channel = self.channel(view.participant_id)
        if not channel:
            return None
        address = Address(channel, post.ts)
        if trial is None:
            message = session_thread.session_message(view)
            return Rendering(address, message.text, lambda _: message.blocks)
        progress = self._progress(subject)
        pace = self._pace(trial, view, progress)

        def blocks(picture: Block | None) -> tuple[Block, ...]:
            return trial_message(trial, view, progress, picture, pace).blocks

        return Rendering(
            address,
            trial_message(trial, view, progress).text,
            blocks,
            curves=self._curves(trial, view, progress),
            file_name=f"trial-{trial.number}.png",
        )

    def _pace(self, trial: TrialView, session: SessionView, progress: Progress | None) -> Pace | None:
        return Pace.of(trial, progress, batches=self._batches(trial, session), now=self._now())

    def _batches(self, trial: TrialView, session: SessionView) -> int:
        """In one epoch of the trial."""
        return -(-self._facts_of(session.task).training_images // trial.configuration.batch_size)

    def _curves(self, trial: TrialView, session: SessionView, progress: Progress | None) -> LossCurves | None:
        """The losses of a trial: as they arrive while it runs, as they were kept after that."""
        if trial.state is TrialState.WAITING:
            return None
        if progress is None:
            epochs = history.epochs_of(self._store, JobKind.TRIAL, trial.id)
            if not epochs:
                return None
            progress = Progress(
                epochs[-1].number,
                tuple(float(loss) for loss in epochs[-1].batch_losses),
                tuple(epoch.training_loss for epoch in epochs if epoch.training_loss is not None),
            )
        if not progress.batch_losses and not progress.epoch_losses:
            return None
        return loss_curves(
            progress.batch_losses,
            progress.epoch_losses,
            epoch=progress.epoch,
            epochs_planned=trial.configuration.epochs,
            batches_per_epoch=self._batches(trial, session),
        )
