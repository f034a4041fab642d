"""How a participant leaves the study, by their own decision or a researcher's: training stops, and they are told."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.runner.running_jobs import RunningJobs
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.client import Slack
from bot.study.protocols import Admins, HomeTabs, ParticipantMessages
from bot.study.reactions import Reactions
from storage import posts
from storage.database import Store
from storage.schema.tables import Identity, Participant, Post
from storage.transitions import participants, sessions
from storage.transitions.participants import Withdrawal


class Withdrawals:
    """Lets participants leave. Safe from any thread.

    Args:
        store: The database.
        slack: The workspace.
        jobs: The jobs that run.
        reactions: Calls the next participant in the queue.
        messages: Writes to participants.
        home_tabs: Participants' Home tabs.
        admins: Tells the admins.
        tasks: Runs what waits for Slack.
        delete_data: Whether the data of people who leave is deleted.
        now: The time, aware.
    """

    def __init__(
        self,
        store: Store,
        slack: Slack,
        jobs: RunningJobs,
        reactions: Reactions,
        messages: ParticipantMessages,
        home_tabs: HomeTabs,
        admins: Admins,
        tasks: BackgroundTasks,
        *,
        delete_data: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._slack = slack
        self._jobs = jobs
        self._reactions = reactions
        self._messages = messages
        self._home_tabs = home_tabs
        self._admins = admins
        self._tasks = tasks
        self._delete_data = delete_data
        self._now = now
        # Only in memory: the database must not tell who has left.
        self._left: set[str] = set()

    def has_left(self, user: str) -> bool:
        """Whether a Slack user has left the study since the bot started."""
        return user in self._left

    def is_back(self, user: str) -> None:
        """Note that somebody takes part again, by their own decision."""
        self._left.discard(user)

    def leave(self, participant: Participant, *, actor: str | None = None) -> Withdrawal:
        """Take a participant out of the study. Their data is kept or deleted, as the study's rules say.

        Args:
            participant: A person.
            actor: The researcher who does it; none if the participant leaves by themselves.

        Raises:
            Refused: They have left already.
        """
        identity = participants.identity_of(self._store, participant.id)
        session = sessions.active_session(self._store, participant.id)
        root = posts.find(self._store, session.subject) if session is not None else None
        withdrawal = participants.withdraw(
            self._store, participant.id, delete_data=self._delete_data, actor=actor, now=self._now()
        )
        for run in (withdrawal.stopped, *withdrawal.evaluations):
            if run is not None:
                self._jobs.stop(run.subject)  # which changes nothing where it waited
        self._home_tabs.changed(participant.id)
        if identity is not None:
            self._left.add(identity.slack_user)
            self._say_goodbye(identity, root, by_researcher=actor is not None)
        if self._delete_data:
            self._delete_messages(withdrawal, identity)
        self._admins.wake()
        self._reactions.call_next()
        return withdrawal

    def _say_goodbye(self, identity: Identity, root: Post | None, *, by_researcher: bool) -> None:
        if root is not None and root.ts:
            self._tasks.post("ending a session's thread", partial(self._messages.end_root, identity, root.ts))
        goodbye = partial(self._messages.say_goodbye, identity, deleted=self._delete_data, by_researcher=by_researcher)
        self._tasks.post("saying goodbye", goodbye)
        self._tasks.post("showing a Home tab", partial(self._home_tabs.forget, identity.slack_user))

    def _delete_messages(self, withdrawal: Withdrawal, identity: Identity | None) -> None:
        reports = [post for post in withdrawal.posts if post.subject.startswith("report:")]
        self._admins.withdrawn(withdrawal.participant.code, reports)
        if identity is not None:
            shown = [post for post in withdrawal.posts if post.subject.startswith(posts.ABOUT_TRIALS) and post.ts]
            deletions = [partial(self._slack.delete, identity.slack_channel, post.ts, post.file_id) for post in shown]
            self._tasks.run_errand("deleting the messages of somebody who left", deletions)
