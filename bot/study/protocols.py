"""The protocols by which the study tells participants and admins what has happened.

The study says what has happened. ``bot/participant`` and ``bot/admin`` implement the protocols and decide how a person
reads it. :mod:`bot.app` passes the implementations in.
"""

from datetime import UTC, datetime
from typing import Protocol

from storage.schema.tables import Identity, Notice, Trial
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
        """Post the message of a notice, if it is still true."""

    def post_session(self, session_id: int) -> str | None:
        """Post the root of a session's thread, once."""

    def post_trial(self, trial: Trial) -> None:
        """Post the reply that shows a trial while it waits and runs, once."""

    def post_plot(self, trial_id: int) -> None:
        """Post the losses of a running trial as a picture, as they are now."""

    def end_root(self, identity: Identity, ts: str) -> None:
        """Change the root message of a session whose participant has left: its buttons do not work any more."""

    def say_goodbye(self, identity: Identity, *, deleted: bool, by_researcher: bool, for_good: bool) -> None:
        """Tell somebody that they have left, whether their data is deleted, and whether they may come back."""

    def tell_closed(self, identity: Identity) -> None:
        """Tell somebody in the queue that the study was closed."""


class HomeTabs(Protocol):
    """Keeps Home tabs up to date. No method waits for Slack."""

    def changed(self, participant_id: int) -> None:
        """What a participant can do has changed."""

    def session_changed(self, session_id: int) -> None:
        """What the participant of a session can do has changed."""

    def all_changed(self) -> None:
        """Something has changed for everybody."""

    def expect(self, participant_id: int) -> None:
        """A participant may look at a tab that was published before the bot was started."""

    def forget(self, user: str) -> None:
        """Somebody has left: show it in their Home tab, and forget them. This method waits for Slack."""


class Admins(Protocol):
    """Tells the admins in the report channel. No method but :meth:`take_back` waits."""

    def wake(self) -> None:
        """The event log may have new events."""

    def evaluated(self, session_id: int) -> None:
        """An evaluation of a session's final choice has ended."""

    def take_back(self, ts: str) -> None:
        """A participant's data was deleted: this post must not show it. This method waits for Slack.

        Raises:
            SlackApiError: Slack refuses.
            CallNotMade, OSError: Slack is not reached.
        """

    def worker_lost(self, job: Job) -> None:
        """A job's worker was lost; the job runs again."""

    def job_failed(self, job: Job, why: str) -> None:
        """A job ended with an error."""

    def out_of_memory(self, job: Job, count: int) -> None:
        """Several trials within an hour needed more memory than there is; ``job`` was the last one."""

    def slot_unusable(self, reason: str) -> None:
        """A slot cannot be used."""
