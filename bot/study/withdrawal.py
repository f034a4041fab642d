"""How a participant leaves the study, by their own decision or a researcher's: training stops, and they are told."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.runner.running_jobs import RunningJobs
from bot.slack.background_tasks import BackgroundTasks
from bot.study.deletions import Deletions
from bot.study.protocols import Admins, HomeTabs, ParticipantMessages
from bot.study.reactions import Reactions
from storage.database import Store
from storage.schema.tables import Identity, Participant, Post
from storage.transitions import participants
from storage.transitions.participants import Withdrawal


class Withdrawals:
    """Lets participants leave. Safe from any thread.

    Args:
        store: The database.
        deletions: Deletes in Slack what they had deleted.
        jobs: The jobs that run.
        reactions: Calls the next participant in the queue.
        messages: Writes to participants.
        home_tabs: Participants' Home tabs.
        admins: Tells the admins.
        tasks: Runs what waits for Slack.
        report_channel: Slack's ID of the channel that has the posts about results; empty if there is none.
        delete_data: Whether the data of people who leave is deleted.
        now: The time, aware.
    """

    def __init__(
        self,
        store: Store,
        deletions: Deletions,
        jobs: RunningJobs,
        reactions: Reactions,
        messages: ParticipantMessages,
        home_tabs: HomeTabs,
        admins: Admins,
        tasks: BackgroundTasks,
        *,
        report_channel: str,
        delete_data: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._deletions = deletions
        self._jobs = jobs
        self._reactions = reactions
        self._messages = messages
        self._home_tabs = home_tabs
        self._admins = admins
        self._tasks = tasks
        self._report_channel = report_channel
        self._delete_data = delete_data
        self._now = now
        # Of those who left before they agreed, the database keeps nothing: they are known until the next start.
        self._left: set[str] = set()
        self._had_agreed: set[str] = set()

    def has_left(self, user: str) -> bool:
        """Whether a Slack user has left the study: after they agreed, or before that since the bot started."""
        return user in self._left or participants.has_left(self._store, user)

    def had_agreed(self, user: str) -> bool:
        """Whether a Slack user had agreed to take part and has left.

        Of those whom a researcher let in again, this is known until the next start.
        """
        return user in self._had_agreed or participants.has_left(self._store, user)

    def is_back(self, user: str) -> None:
        """Note that somebody who left before they agreed wants to see the study again."""
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
        withdrawal = participants.withdraw(
            self._store,
            participant.id,
            delete_data=self._delete_data,
            actor=actor,
            now=self._now(),
            report_channel=self._report_channel,
        )
        for run in (withdrawal.stopped, *withdrawal.evaluations):
            if run is not None:
                self._jobs.stop(run.subject)  # which changes nothing where it waited
        self._home_tabs.changed(participant.id)
        if identity is not None:
            had_agreed = participant.consented_at is not None
            if had_agreed:
                self._had_agreed.add(identity.slack_user)
            else:
                self._left.add(identity.slack_user)
            self._say_goodbye(identity, self._root(withdrawal), by_researcher=actor is not None, for_good=had_agreed)
        self._deletions.go_on()
        self._admins.wake()
        self._reactions.call_next()
        return withdrawal

    def _say_goodbye(self, identity: Identity, root: Post | None, *, by_researcher: bool, for_good: bool) -> None:
        if root is not None and root.ts:
            self._tasks.post("ending a session's thread", partial(self._messages.end_root, identity, root.ts))
        goodbye = partial(
            self._messages.say_goodbye,
            identity,
            deleted=self._delete_data,
            by_researcher=by_researcher,
            for_good=for_good,
        )
        self._tasks.post("saying goodbye", goodbye)
        self._tasks.post("showing a Home tab", partial(self._home_tabs.forget, identity.slack_user))

    def _root(self, withdrawal: Withdrawal) -> Post | None:
        """The root message of the session that the withdrawal ended; none where it is deleted."""
        if self._delete_data or withdrawal.session is None:
            return None
        return next((post for post in withdrawal.posts if post.subject == withdrawal.session.subject), None)
