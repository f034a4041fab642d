"""``/study invite``: writes to people, tells how far a long list is, and says who was reached."""

import logging
import math
from collections.abc import Iterator, Sequence
from functools import partial

from slack_sdk.errors import SlackApiError

from bot.researcher.context import Request, ResearcherContext
from bot.researcher.parsing import Misspelt
from bot.researcher.views import invitations as views
from bot.slack.client import Slack
from bot.slack.errands import Step
from bot.slack.mentions import Mentions, people_in
from bot.slack.rate_limiter import ERRANDS_LEAVE_FREE, SLACK_LIMITS, CallNotMade, Priority
from bot.study.invitations import Invited

log = logging.getLogger(__name__)

LONG_LIST = 10
"""A list of more people takes so long that the researcher is told how far it is."""

AGAIN = "again"
"""The word with which a researcher lets people in who have left the study: everybody takes part once otherwise."""

_A_MINUTE = int(SLACK_LIMITS["conversations.open"].calls * (1 - ERRANDS_LEAVE_FREE))


def invite(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Invite people, and say whom the invitations reached."""
    again = bool(words) and words[0].lower() == AGAIN
    named = people_in(words[1:] if again else words)
    if not named.people:
        raise Misspelt("Name the people to let in again." if again else "Name the people to invite.")
    let_in_by = context.actor(request) if again else None
    steps = _steps(context, request, named, let_in_by)
    context.tasks.run_errand("inviting people", steps, tell=request.interaction.apologise)


def _steps(context: ResearcherContext, request: Request, named: Mentions, let_in_by: str | None) -> Iterator[Step]:
    """A step for each person, and then the answer."""
    total, progress = len(named.people), _Progress(context.slack, request.user, len(named.people))
    outcomes: list[Invited] = []
    if total > LONG_LIST:
        yield partial(request.say, views.inviting_begun(total, math.ceil(total / _A_MINUTE)))
        yield partial(request.interaction.post_later, progress.begin)  # after the answer before it

    def invite_one(user: str) -> None:
        outcomes.append(context.invitations.invite(user, let_in_by=let_in_by))

    for user in named.people:
        yield partial(invite_one, user)
        if total > LONG_LIST and (len(outcomes) % LONG_LIST == 0 or len(outcomes) == total):
            yield partial(progress.show, len(outcomes))
    yield lambda: request.report(*views.invited(outcomes, named.others))


class _Progress:
    """A message in a researcher's direct messages that tells how far a list is."""

    def __init__(self, slack: Slack, user: str, total: int) -> None:
        self._slack = slack
        self._user = user
        self._total = total
        self._count = 0
        self._channel = self._ts = ""

    def begin(self) -> None:
        """Post the message."""
        self._channel = self._slack.direct_channel(self._user)
        self._ts = self._slack.post(self._channel, views.inviting(self._count, self._total))

    def show(self, count: int) -> None:
        """Show how many are done."""
        self._count = count
        if not self._ts:
            return
        try:
            self._slack.update(self._channel, self._ts, views.inviting(count, self._total), Priority.ERRAND)
        except (SlackApiError, CallNotMade, OSError) as error:  # the result is posted nevertheless
            log.info("the progress of invitations is not shown: %s", error)
