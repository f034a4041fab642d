"""The participant's direct messages: what is posted there, and how what is posted looks now."""

import threading
from collections.abc import Callable
from weakref import WeakValueDictionary

from slack_sdk.models.blocks import Block

from bot.blocks import Message
from bot.jobs import Progress
from bot.live import Address, Rendering
from bot.participant.views import thread, welcome
from bot.settings import Settings
from bot.slack import Slack
from reports.loss_plot import LossCurves, loss_curves
from storage import history, participants, posts
from storage.database import Store
from storage.history import TrialView
from storage.refusal import Refused
from storage.states import JobKind, TrialState
from storage.tables import Trial
from training.tasks import TaskFacts


class Conversation:
    """Writes to participants, whom the rest of the bot knows by a number.

    Args:
        settings: The study's rules.
        facts: What participants may know of the task.
        store: What happened.
        slack: The workspace.
        progress: How far a running job has come, by its key.
    """

    def __init__(
        self,
        settings: Settings,
        facts: TaskFacts,
        store: Store,
        slack: Slack,
        progress: Callable[[str], Progress | None],
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._store = store
        self._slack = slack
        self._progress = progress
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

    def brief(self, participant: int) -> None:
        """Post the task and the Start button."""
        self.say(participant, welcome.briefing(self._facts, self._settings.time.limit_minutes))

    def wait_in_line(self, participant: int, place: int) -> None:
        """Tell a participant that every seat is taken."""
        self.say(participant, welcome.in_line(place))

    def post_session(self, session_id: int) -> str | None:
        """Post the root of a session's thread, once. Returns its ts."""
        subject = f"session:{session_id}"
        with self._one_poster(subject):
            post = posts.find(self._store, subject)
            if post is not None:
                return post.ts
            view = history.session_view(self._store, session_id)
            ts = self.say(view.participant_id, thread.session_message(view))
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
            message = thread.trial_message(shown, view, self._progress(trial.subject))
            ts = self.say(view.participant_id, message, thread_ts=root)
            if ts is not None:
                posts.remember(self._store, trial.subject, ts=ts)

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
            message = thread.session_message(view)
            return Rendering(address, message.text, lambda _: message.blocks)
        progress = self._progress(subject)

        def blocks(picture: Block | None) -> tuple[Block, ...]:
            return thread.trial_message(trial, view, progress, picture).blocks

        return Rendering(
            address,
            thread.trial_message(trial, view, progress).text,
            blocks,
            curves=self._curves(trial, progress),
            file_name=f"trial-{trial.number}.png",
        )

    def _curves(self, trial: TrialView, progress: Progress | None) -> LossCurves | None:
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
        batches = -(-self._facts.training_images // trial.configuration.batch_size)
        return loss_curves(
            progress.batch_losses,
            progress.epoch_losses,
            epoch=progress.epoch,
            epochs_planned=trial.configuration.epochs,
            batches_per_epoch=batches,
        )
