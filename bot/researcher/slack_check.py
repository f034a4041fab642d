"""``/study check``: the checks of Slack from within, and four numbers that only a person's eyes can tell.

A number is shown in each of four ways. Slack accepts a picture that an update brings, and may show a broken one, so
what the researcher reads decides the form of live plots.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from cachetools import LRUCache
from slack_sdk.models.blocks import Block, ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile

from bot.checks import numbers
from bot.checks.findings import NO_ANSWER, reason
from bot.checks.slack_checks import check_slack
from bot.live.pictures import Pictures
from bot.researcher.context import Request, ResearcherContext
from bot.researcher.parsing import Misspelt, too_much
from bot.researcher.views import slack_check as views
from bot.researcher.views.slack_check import Answer, Attempt, Outcome, Shown, Way
from bot.slack.client import Slack
from bot.slack.error_reporting import may_pass
from bot.slack.interactions import Submission
from storage import researchers, slack_checks
from storage.refusals import Refused

log = logging.getLogger(__name__)

_OWN_CONNECTIONS = 2
"""The bot's own, and the one that the check opens."""

_MOST_REMEMBERED = 100
_CLOSE_SECONDS = 3.0


def check(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Check Slack, say what was found, show four numbers, and ask which of them the researcher sees."""
    if words:
        raise Misspelt(too_much(words))
    request.say(views.checking())
    context.make_files("checking Slack", request, partial(_check, context, request))


def _check(context: ResearcherContext, request: Request) -> None:
    found = check_slack(
        context.settings.slack,
        context.slack.client,
        context.connect,
        context.first_message,
        own_connections=_OWN_CONNECTIONS,
    )
    request.add(views.found(list(found)))
    try:
        channel = context.slack.open_channel(request.user)
        begun = context.slack.post(channel, views.begun())
    except NO_ANSWER as error:
        request.add(views.cannot_write(reason(error)))
        return
    shown = _show(context.slack, channel)
    _clean_up(partial(context.slack.delete, channel, begun))
    if any(attempt.outcome is Outcome.SHOWN for attempt in shown.attempts):
        context.slack.post(channel, views.which_numbers(shown))
    else:
        _conclude(context, request.user, Answer(shown, channel, "", {}))


def open_form(_: ResearcherContext, request: Request) -> None:
    """Open the form for the numbers: *Type the numbers* was pressed."""
    press = request.interaction
    press.open(views.form(Shown.read(press.value), press.channel, press.message_ts))


class Answered:
    """Takes researchers' answers, each question's once: a press may come twice, and a form may be open twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._questions: LRUCache[tuple[str, str], bool] = LRUCache(_MOST_REMEMBERED)

    def none(self, context: ResearcherContext, request: Request) -> None:
        """*I see none* was pressed."""
        press = request.interaction
        self._take(context, request.user, Answer(Shown.read(press.value), press.channel, press.message_ts, {}))

    def form(self, context: ResearcherContext, submission: Submission) -> None:
        """The form was sent."""
        if not context.permissions.includes(submission.user):
            return
        try:
            answer = Answer.read(submission.view)
        except Refused as refused:
            submission.tell(str(refused))
        else:
            self._take(context, submission.user, answer)

    def _take(self, context: ResearcherContext, user: str, answer: Answer) -> None:
        question = (answer.channel, answer.question_ts)
        with self._lock:
            if question in self._questions:
                return
            self._questions[question] = True
        try:
            _conclude(context, user, answer)
        except Exception:  # it may be answered again
            with self._lock:
                self._questions.pop(question, None)
            raise


def _conclude(context: ResearcherContext, user: str, answer: Answer) -> None:
    """Keep what was seen, say what follows, and delete the numbers."""
    seen = answer.shown.seen(answer.typed)
    if all(each is None for each in seen.values()):
        context.slack.post(answer.channel, views.nothing_shown())
    else:
        _record(context, user, answer.channel, seen)
    for ts in (answer.question_ts, *(attempt.ts for attempt in answer.shown.attempts)):
        if ts:
            _clean_up(partial(context.slack.delete, answer.channel, ts))
    for attempt in answer.shown.attempts:
        if attempt.file_id:
            _clean_up(partial(context.slack.delete_file, attempt.file_id))


def _record(context: ResearcherContext, user: str, channel: str, seen: Mapping[Way, bool | None]) -> None:
    now = context.now()
    recorded = slack_checks.record(
        context.store,
        team_id=context.slack.team_id,
        chart_by_update=seen[Way.CHART_BY_UPDATE],
        picture_posted=seen[Way.PICTURE_POSTED],
        picture_by_update=seen[Way.PICTURE_BY_UPDATE],
        picture_by_update_with_file_ids=seen[Way.PICTURE_BY_UPDATE_WITH_FILE_IDS],
        now=now,
    )
    actor = researchers.actor_of(context.store, user)
    text = f"check {recorded.id}, saw: {', '.join(way for way, each in seen.items() if each) or 'nothing'}"
    researchers.note_command(context.store, actor=actor, text=text, now=now)
    context.slack.post(channel, views.concluded(recorded, context.settings.slack.live_plots))


def _clean_up(delete: Callable[[], None]) -> None:
    """Delete something. What is left when Slack does not answer disturbs nobody."""
    try:
        delete()
    except NO_ANSWER as error:
        log.warning("something of a check was not deleted: %s", error)


# Showing the numbers


def _show(slack: Slack, channel: str) -> Shown:
    """Show a number in each way, one message each."""
    pictures, ways = Pictures(slack.client), list(Way)
    lots = numbers.draw_lots(len(ways))
    pictures.start()
    try:
        attempts = [
            _attempt(slack, pictures, channel, views.Place(place, len(ways)), way, number)
            for place, (way, number) in enumerate(zip(ways, lots, strict=True), 1)
        ]
    finally:
        pictures.close(flush=_CLOSE_SECONDS)
    return Shown(tuple(attempts))


def _attempt(slack: Slack, pictures: Pictures, channel: str, place: views.Place, way: Way, number: int) -> Attempt:
    ts = file_id = ""
    try:
        block: Block
        if way is Way.CHART_BY_UPDATE:
            block = numbers.as_chart(number)
        else:
            name = f"number-{place.number}.png"
            file_id = pictures.upload(name, numbers.as_picture(number), abandon=lambda: False)
            block = ImageBlock(alt_text="A number", slack_file=SlackFile(id=file_id))
        message = views.number_message(place, block)
        if way is Way.PICTURE_POSTED:
            ts = slack.post(channel, message)
        else:
            ts = slack.post(channel, views.number_message(place))
            named = [file_id] if way is Way.PICTURE_BY_UPDATE_WITH_FILE_IDS else None
            slack.client.chat_update(channel=channel, ts=ts, text=message.text, blocks=message.blocks, file_ids=named)
    except NO_ANSWER as error:
        log.warning("a number could not be shown as %s: %s", way, error)
        outcome = Outcome.FAILED if may_pass(error) else Outcome.REFUSED
        return Attempt(way, number, outcome, _say_not_shown(slack, channel, ts, place), file_id)
    return Attempt(way, number, Outcome.SHOWN, ts, file_id)


def _say_not_shown(slack: Slack, channel: str, ts: str, place: views.Place) -> str:
    """Say so in place of the number. Returns the message's ts; empty if there is no message."""
    try:
        if not ts:
            return slack.post(channel, views.not_shown(place))
        slack.update(channel, ts, views.not_shown(place))
    except NO_ANSWER as error:
        log.warning("that a number could not be shown could not be said: %s", error)
    return ts
