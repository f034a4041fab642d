"""``/study invite``: writes to people, tells how far a long list is, and says who was reached."""

import logging
import math
from collections.abc import Sequence

from slack_sdk.errors import SlackApiError

from bot.researcher.context import Request, ResearcherContext
from bot.researcher.parsing import Misspelt
from bot.researcher.views import invitations as views
from bot.slack.client import Slack
from bot.slack.mentions import people_in
from bot.slack.rate_limiter import SLACK_LIMITS, CallNotMade, Priority

log = logging.getLogger(__name__)

LONG_LIST = 10
"""A list of more people takes so long that the researcher is told how far it is."""

_A_MINUTE = SLACK_LIMITS["conversations.open"].calls


def invite(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Invite people, and say whom the invitations reached."""
    named = people_in(words)
    if not named.people:
        raise Misspelt("Name the people to invite.")
    progress = None
    if (total := len(named.people)) > LONG_LIST:
        request.say(views.inviting_begun(total, math.ceil(total / _A_MINUTE)))
        progress = _Progress(context.slack, request.user, total)
    outcomes = context.invitations.invite(named.people, progress.done if progress else lambda _: None)
    request.report(*views.invited(outcomes, named.others))


class _Progress:
    """A message in a researcher's direct messages that tells how far a list is."""

    def __init__(self, slack: Slack, user: str, total: int) -> None:
        self._slack = slack
        self._total = total
        self._channel = slack.direct_channel(user)
        self._ts = slack.post(self._channel, views.inviting(0, total))

    def done(self, count: int) -> None:
        """Show how many are done; not after each person, because every change is a call to Slack."""
        if count % LONG_LIST and count != self._total:
            return
        try:
            self._slack.update(self._channel, self._ts, views.inviting(count, self._total), Priority.FRAME)
        except (SlackApiError, CallNotMade, OSError) as error:  # the result is posted nevertheless
            log.info("the progress of invitations is not shown: %s", error)
