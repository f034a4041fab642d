"""How a participant leaves the study, whoever decides it: what they trained stops, their messages say goodbye."""

from functools import partial

from bot.participant.views import answers
from bot.slack.block_kit import Message
from bot.study.parts import Parts
from bot.study.reactions import FollowUps
from storage import posts
from storage.schema.tables import Participant
from storage.transitions import participants, sessions
from storage.transitions.participants import Withdrawal


class Leaving:
    """Lets participants leave.

    Args:
        parts: The running study.
        follow_ups: Sees to what follows.
    """

    def __init__(self, parts: Parts, follow_ups: FollowUps) -> None:
        self._parts = parts
        self._follow_ups = follow_ups
        # In memory only: nothing that is kept may tell who somebody was that has left.
        self._left: set[str] = set()

    def has_left(self, user: str) -> bool:
        """Whether a Slack user has left the study since the bot started."""
        return user in self._left

    def is_back(self, user: str) -> None:
        """Somebody takes part again, of their own accord."""
        self._left.discard(user)

    def leave(self, participant: Participant, *, actor: str | None = None) -> Withdrawal:
        """Take a participant out of the study; what they did is kept or deleted, as the study's rules say.

        Args:
            participant: A person.
            actor: The researcher who does it; none where the participants do it themselves.

        Raises:
            Refused: They have left already.
        """
        parts, delete = self._parts, self._parts.settings.study.delete_withdrawn
        identity = participants.identity_of(parts.store, participant.id)
        session = sessions.active_session(parts.store, participant.id)
        root = posts.find(parts.store, session.subject) if session is not None else None
        withdrawal = participants.withdraw(
            parts.store, participant.id, delete_data=delete, actor=actor, now=parts.now()
        )
        if withdrawal.session is not None:
            parts.clock.clear_alarms(withdrawal.session.id)
        for run in (withdrawal.stopping, *withdrawal.evaluations):
            if run is not None:
                parts.jobs.stop(run.subject)
        self._follow_ups.call_next()
        parts.homes.changed(participant.id)
        if identity is not None:
            self._left.add(identity.slack_user)
            if root is not None and root.ts:  # its buttons would lead nowhere
                closed = partial(parts.slack.update, identity.slack_channel, root.ts, answers.left())
                parts.errands.run("closing a session", closed)
            goodbye = self._goodbye(delete, by_researcher=actor is not None)
            parts.errands.run("saying goodbye", partial(parts.slack.post, identity.slack_channel, goodbye))
            parts.errands.run("showing a Home tab", partial(parts.homes.forget, identity.slack_user))
        for post in withdrawal.posts if delete else ():
            if post.subject.startswith("report:"):
                parts.admins.results.take_back(post.ts, participant.code)
            elif post.subject.startswith("trial:") and post.ts and identity is not None:
                remove = partial(parts.slack.delete, identity.slack_channel, post.ts, post.file_id)
                parts.errands.run("deleting a trial's message", remove)
        parts.admins.look()
        return withdrawal

    @staticmethod
    def _goodbye(deleted: bool, *, by_researcher: bool) -> Message:
        return answers.taken_out(deleted) if by_researcher else answers.goodbye(deleted)
