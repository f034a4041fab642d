"""Invites people to the study: everybody gets an answer of their own, and nobody's trouble stops the others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.client import Slack
from bot.slack.error_reporting import ErrorReporter, may_pass
from bot.slack.mentions import SLACKBOT
from bot.slack.rate_limiter import CallNotMade
from bot.study.notifications import Delivery, Notifications
from bot.study.participant_status import status_of
from bot.study.reach import Unreachable, why_unreachable
from bot.study.reactions import Reactions
from bot.study.withdrawal import Withdrawals
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import NoticeKind
from storage.transitions import notices, participants


class Invitation(StrEnum):
    """The outcome of an invitation.

    Attributes:
        WRITTEN: The greeting is posted.
        WAITING: Slack does not accept the greeting now. The bot keeps trying.
        REFUSED: Slack refuses to let the bot write to the person. The next invitation tries again.
        ALREADY: The person takes part already, or was written to before.
        LEFT: The person has left the study, so the bot does not write to them.
        LET_IN_AGAIN: The same person was let in again, and the greeting is posted.
        BOT, DEACTIVATED, OTHER_ORGANISATION, NOT_VISIBLE, UNKNOWN: As in :class:`bot.study.reach.Unreachable`.
        NO_ANSWER: Slack does not answer, so nothing was done.
        NOT_NOW: Nobody new can join the study now.
        STOPPED: The bot was stopped before.
        FAILED: An error of the bot.
    """

    WRITTEN = "written"
    WAITING = "waiting"
    REFUSED = "refused"
    ALREADY = "already"
    LEFT = "left"
    LET_IN_AGAIN = "let_in_again"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    OTHER_ORGANISATION = "other_organisation"
    NOT_VISIBLE = "not_visible"
    UNKNOWN = "unknown"
    NO_ANSWER = "no_answer"
    NOT_NOW = "not_now"
    STOPPED = "stopped"
    FAILED = "failed"


_UNREACHABLE = {each: Invitation(each.value) for each in Unreachable}


@dataclass(frozen=True)
class Invited:
    """One person's invitation.

    Attributes:
        user: The Slack user.
        outcome: Its outcome.
        why: Slack's error for ``REFUSED``, the error's code for ``FAILED``, the reason for ``NOT_NOW``; else empty.
    """

    user: str
    outcome: Invitation
    why: str = ""


class Invitations:
    """Invites people. Safe from any thread.

    Args:
        store: The database.
        slack: Opens conversations with people.
        notifications: Posts the greetings.
        reactions: Reacts to transitions.
        withdrawals: Knows who has left.
        tasks: Says when the bot is being stopped.
        errors: Reports errors.
        now: The time, aware.
    """

    def __init__(
        self,
        store: Store,
        slack: Slack,
        notifications: Notifications,
        reactions: Reactions,
        withdrawals: Withdrawals,
        tasks: BackgroundTasks,
        errors: ErrorReporter,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._slack = slack
        self._notifications = notifications
        self._reactions = reactions
        self._withdrawals = withdrawals
        self._tasks = tasks
        self._errors = errors
        self._now = now

    def invite(self, user: str, *, let_in_by: str | None = None) -> Invited:
        """Invite somebody. Waits until Slack has accepted or refused the greeting; while the bot stops, does nothing.

        Args:
            user: The Slack user.
            let_in_by: The researcher who lets them in also if they have left the study; none if nobody does.
        """
        return Invited(user, Invitation.STOPPED) if self._tasks.closed else self._invite(user, let_in_by)

    def _invite(self, user: str, let_in_by: str | None) -> Invited:
        try:
            return self._attempt(user, let_in_by)
        except Refused as refused:
            return Invited(user, Invitation.NOT_NOW, refused.reason)
        except SlackApiError as error:
            if (unreachable := why_unreachable(error)) is not None:
                return Invited(user, _UNREACHABLE[unreachable])
            if may_pass(error):
                return Invited(user, Invitation.NO_ANSWER)
            return Invited(user, Invitation.REFUSED, str(error.response["error"]))
        except (CallNotMade, SlackClientError, OSError):
            return Invited(user, Invitation.NO_ANSWER)
        except Exception as error:  # noqa: BLE001 - the others are invited nevertheless
            return Invited(user, Invitation.FAILED, self._errors.report(error, "inviting somebody"))

    def _attempt(self, user: str, let_in_by: str | None) -> Invited:
        """Invite somebody, unless they take part, or have left and nobody lets them in again.

        Raises:
            Refused: Nobody new can join the study now.
            SlackApiError, CallNotMade, OSError: Slack opens no conversation with them.
        """
        if user == SLACKBOT:
            return Invited(user, Invitation.BOT)
        known = status_of(self._store, user).participant
        if known is not None and not notices.awaits(self._store, known, NoticeKind.GREETING):
            return Invited(user, Invitation.ALREADY)
        has_left = known is None and self._withdrawals.has_left(user)
        if has_left and let_in_by is None:
            return Invited(user, Invitation.LEFT)
        participants.may_join(self._store)
        channel = self._slack.open_channel(user)
        invited = participants.invite(
            self._store, slack_user=user, slack_channel=channel, now=self._now(), let_in_by=let_in_by
        )
        self._withdrawals.is_back(user)
        delivery = self._notifications.deliver_now(invited.id)
        self._reactions.participant_invited(invited.id)
        return _outcome(user, delivery, again=has_left)


def _outcome(user: str, delivery: Delivery, *, again: bool) -> Invited:
    if delivery.complete:
        return Invited(user, Invitation.LET_IN_AGAIN if again else Invitation.WRITTEN)
    if delivery.waiting:
        return Invited(user, Invitation.WAITING)
    return Invited(user, Invitation.REFUSED, delivery.refused)
