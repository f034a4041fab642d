"""What the study tells of: small protocols that the participants' and the admins' side implement.

The study says what has happened; how a person reads it is decided there. :mod:`bot.app` hands the implementations in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from storage.schema.tables import Identity, Notice, Post, Trial
from storage.transitions.jobs import Job


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class ParticipantMessages(Protocol):
    """Writes to participants in their direct messages. Every method may wait for Slack.

    Raises:
        SlackApiError: Slack refuses.
        CallNotMade, OSError: Slack is not reached.
    """

    def tell(self, notice: Notice) -> None:
        """Post what a notice says, if it is still true."""

    def post_session(self, session_id: int) -> str | None:
        """Post the root of a session's thread, once."""

    def post_trial(self, trial: Trial) -> None:
        """Post a trial's reply in the session's thread, once."""

    def end_root(self, identity: Identity, ts: str) -> None:
        """Change the root message of the session of somebody who has left: its buttons would lead nowhere."""

    def say_goodbye(self, identity: Identity, *, deleted: bool, by_researcher: bool) -> None:
        """Tell somebody that they have left the study, and what became of their data."""

    def tell_closed(self, identity: Identity) -> None:
        """Tell somebody in the queue that the study was closed."""


class HomeTabs(Protocol):
    """Keeps Home tabs up to date. No method waits for Slack."""

    def changed(self, participant_id: int) -> None:
        """What a participant can do has changed."""

    def session_changed(self, session_id: int) -> None:
        """The same for the participant of a session."""

    def all_changed(self) -> None:
        """Something has changed for everybody."""

    def expect(self, participant_id: int) -> None:
        """A participant may look at a tab that was published before the bot was started."""

    def forget(self, user: str) -> None:
        """Somebody has left: show them so, and keep nothing of them. This one waits for Slack."""


class Admins(Protocol):
    """Tells the admins in the report channel. No method waits."""

    def wake(self) -> None:
        """Something has happened that the event log tells."""

    def evaluated(self, session_id: int) -> None:
        """An evaluation of a session's final choice has ended."""

    def withdrawn(self, code: str, posts: Sequence[Post]) -> None:
        """A participant's data were deleted: these posts must not show them."""

    def worker_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again."""

    def job_failed(self, job: Job, why: str) -> None:
        """A job ended with an error."""

    def out_of_memory(self, job: Job, count: int) -> None:
        """So many trials within an hour needed more memory than there is; this was the last one."""

    def slot_unusable(self, reason: str) -> None:
        """A slot cannot be used."""
