"""Posts direct messages to participants, and renders the messages of a session's thread as they should look now."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.live.feed import Address, Priority, Rendering
from bot.live.plots import Plots
from bot.participant.trial_messages import Posters, TrialMessages
from bot.participant.views import answers, onboarding, session_thread
from bot.participant.views.next_step import led_back
from bot.runner.running_jobs import Progress
from bot.settings.settings import Settings
from bot.slack.block_kit import Message
from bot.slack.client import Slack
from bot.slack.posted_once import Once
from bot.study.participant_status import status_of
from storage import posts
from storage.database import Store
from storage.queries import history
from storage.queries.due import CALL_HOLDS
from storage.queries.history import SessionView
from storage.refusals import Refused
from storage.schema.states import NoticeKind, ParticipantState, SessionEnd, SessionState
from storage.schema.tables import Identity, Notice, Trial
from storage.transitions import participants
from training.tasks import TaskFacts

_CLOSED_BEFORE_YOUR_TURN = (
    "The study was closed before a place was free for you. I am sorry that you waited and could not take part."
)


class DirectMessages:
    """Writes to participants, who are known to the rest of the bot by their ids.

    Args:
        settings: The study's rules.
        facts_of: Returns what participants may know of a task.
        store: The database.
        slack: The workspace.
        plots: Shows losses in a form that the workspace accepts.
        progress: Returns how far a running job has come, by its key.
        touch: Tells the live feed that a message has changed.
        now: The time, aware.

    Attributes:
        trials: Writes about trials.
    """

    def __init__(
        self,
        settings: Settings,
        facts_of: Callable[[str | None], TaskFacts],
        store: Store,
        slack: Slack,
        plots: Plots,
        progress: Callable[[str], Progress | None],
        touch: Callable[[str, Priority], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._facts_of = facts_of
        self._store = store
        self._slack = slack
        self._progress = progress
        self._now = now
        self._posters = Posters()
        self.trials = TrialMessages(
            facts_of, store, slack, plots, progress, self.channel, self.post_session, touch, now, settings.condition
        )

    def channel(self, participant: int) -> str:
        """The channel of a participant's direct messages; empty when the link to their Slack user is deleted."""
        identity = participants.identity_of(self._store, participant)
        return identity.slack_channel if identity is not None else ""

    def tell(self, notice: Notice) -> None:
        """Post the message of a notice, if it is still true.

        Raises:
            SlackApiError: Slack refuses.
            CallNotMade, OSError: Slack cannot be reached.
            Refused: The session that the notice is about was deleted.
        """
        if notice.kind is NoticeKind.TRIAL_ENDED:
            self.trials.post_result(notice.details["trial"])
            return
        message, channel = self._message(notice), self.channel(notice.participant_id)
        if message is not None and channel:
            mark = posts.mark_of(self._store, notice.participant_id, f"notice:{notice.id}")
            self._slack.post(channel, message, once=Once(mark, notice.at))

    def post_trial(self, trial: Trial) -> None:
        """Post the reply that shows a trial while it waits and runs, once."""
        self.trials.post(trial.id)

    def post_plot(self, trial_id: int) -> None:
        """Post the losses of a running trial as a picture, as they are now."""
        self.trials.post_plot(trial_id)

    def repost(self, subject: str) -> None:
        """Post the losses of a running trial anew, such as ``trial:17``, whose message cannot show them."""
        self.post_plot(int(subject.partition(":")[2]))

    def end_root(self, identity: Identity, ts: str) -> None:
        """Change the root message of a session whose participant has left: its buttons do not work any more."""
        self._slack.update(identity.slack_channel, ts, answers.left())

    def say_goodbye(self, identity: Identity, *, deleted: bool, by_researcher: bool, for_good: bool) -> None:
        """Tell somebody that they have left, whether their data is deleted, and whether they may come back."""
        goodbye = answers.taken_out(deleted) if by_researcher else answers.goodbye(deleted, for_good)
        self._slack.post(identity.slack_channel, goodbye)

    def tell_closed(self, identity: Identity) -> None:
        """Tell somebody in the queue that the study was closed."""
        told = led_back(_CLOSED_BEFORE_YOUR_TURN, status_of(self._store, identity.slack_user))
        self._slack.post(identity.slack_channel, told)

    def post_session(self, session_id: int) -> str | None:
        """Post the root of a session's thread, once. Returns its ts; none if the participant cannot be reached."""
        subject = f"session:{session_id}"
        with self._posters.only_one(subject):
            post = posts.find(self._store, subject)
            if post is not None:
                return post.ts
            view = history.session_view(self._store, session_id)
            channel = self.channel(view.participant_id)
            if not channel:
                return None
            once = Once(posts.mark_of(self._store, view.participant_id, subject), view.started_at)
            ts = self._slack.post(channel, session_thread.session_message(view), once=once)
            posts.remember_for(self._store, session_id, subject, channel=channel, ts=ts)
            return ts

    def _message(self, notice: Notice) -> Message | None:
        """The message of a notice; none when it is not true any more."""
        details, participant = notice.details, notice.participant_id
        match notice.kind:
            case NoticeKind.GREETING:
                is_new = participants.get(self._store, participant).state is ParticipantState.INVITED
                return onboarding.greeting(self._settings.consent_text) if is_new else None
            case NoticeKind.BACKGROUND:
                return onboarding.ask_background()
            case NoticeKind.BRIEFING:
                told = participants.get(self._store, participant)
                limit_minutes = self._settings.condition(told.arm).limit_minutes
                return onboarding.briefing(self._facts_of(told.task), limit_minutes)
            case NoticeKind.IN_QUEUE:
                return onboarding.in_queue(details["position"], late=details["late"])
            case NoticeKind.CALLED:
                kept_until = notice.at + CALL_HOLDS
                return onboarding.called(kept_until) if self._now() < kept_until else None
        if notice.session_id is None:
            return None
        return self._session_message(notice, history.session_view(self._store, notice.session_id))

    def _session_message(self, notice: Notice, view: SessionView) -> Message | None:
        details = notice.details
        match notice.kind:
            case NoticeKind.WARNING:
                return self._warning(view, details["minutes"])
            case NoticeKind.TIME_IS_UP if not view.state.is_finished:
                return session_thread.time_is_up(view, details["stopped"])
            case NoticeKind.THANKS:
                by_clock = view.ended_as is SessionEnd.CLOCK
                summary = view.choice.summary if view.choice is not None else None
                return session_thread.thanks(by_clock, summary, len(self._settings.training.evaluation_seeds))
            case NoticeKind.TIME_GIVEN_BACK if not view.state.is_finished:
                return session_thread.time_given_back(details["seconds"], view)
            case NoticeKind.TIME_EXTENDED if not view.state.is_finished:
                return session_thread.time_extended(view, timedelta(seconds=details["seconds"]))
            case NoticeKind.SESSION_CANCELLED:
                return session_thread.ended_by_researcher(view, details["stopped"])
        return None

    def _warning(self, view: SessionView, minutes: float) -> Message | None:
        """A warning; none when it comes so late that less than half of its time is left."""
        left = view.time_left(self._now())
        if view.state is not SessionState.ACTIVE or left < timedelta(minutes=minutes) / 2:
            return None
        running = view.running
        estimate = self.trials.estimate(running, view, self._progress(running.subject)) if running is not None else None
        return session_thread.warning(minutes, view, estimate)

    def render(self, subject: str) -> Rendering | None:
        """Render the message about a subject as it should look now; none when there is no such message.

        Args:
            subject: ``session:3``, ``trial:17`` or ``result:17``.
        """
        post = posts.find(self._store, subject)
        if post is None:
            return None
        try:
            if not subject.startswith("session:"):
                return self.trials.render(subject, post.ts, post.file_id)
            view = history.session_view(self._store, int(subject.partition(":")[2]))
        except Refused:
            return None
        channel = self.channel(view.participant_id)
        return Rendering(Address(channel, post.ts), lambda _: session_thread.session_message(view)) if channel else None
