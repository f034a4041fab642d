"""Answers what people write: a word such as *time*, a configuration in one line, or anything else."""

import html
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from cachetools import LRUCache
from slack_bolt import App
from slack_sdk.errors import SlackApiError

from bot.participant.context import ParticipantContext
from bot.participant.form_state import FormMemory, Purpose
from bot.participant.keywords import Word, is_plain_cancel, numbers_in, understood
from bot.participant.parse_configuration import OneLine, read_line
from bot.participant.views import answers, onboarding, typed_configuration
from bot.participant.views.next_step import led_back
from bot.slack.block_kit import Message, text_message
from bot.slack.client import Slack
from bot.slack.error_reporting import REFUSED_BLOCKS
from bot.slack.mentions import SLACKBOT
from bot.study.participant_status import ParticipantStatus
from bot.study.service import StudyService
from storage.queries import history
from storage.refusals import Refused
from storage.schema.states import ParticipantState, StudyState

_WRITTEN = {None, "file_share", "me_message", "thread_broadcast"}
"""Subtypes of new messages. A message that is changed or deleted later is not answered again."""

_MOST_REMEMBERED = 1000


def register(app: App, context: ParticipantContext) -> None:
    """Listen to direct messages. Each is answered once, although Slack may deliver an event twice."""
    answered: LRUCache[tuple[str, str], bool] = LRUCache(_MOST_REMEMBERED)
    lock = threading.Lock()

    def is_new(event: dict[str, Any]) -> bool:
        message = event["channel"], event["ts"]
        with lock:
            return not answered.get(message) and answered.setdefault(message, True)

    def written(event: dict[str, Any]) -> None:
        is_person = event.get("user", SLACKBOT) != SLACKBOT and not event.get("bot_id")
        is_person = is_person and event.get("subtype") in _WRITTEN
        if event.get("channel_type") != "im" or not is_person or not is_new(event):
            return
        context.tasks.answer(
            "answering a message",
            partial(_answer, context, event),
            person=event["user"],
            tell=lambda text: _reply(context, event, text_message(text)),
        )

    app.event("message")(written)


def status_message(study: StudyService, user: str) -> Message:
    """A person's status, and the button for the next step."""
    status = study.status(user)
    return _onboarding(study, status) or led_back("Here is your status.", status)


def _answer(context: ParticipantContext, event: dict[str, Any]) -> None:
    study = context.study
    user, channel, text = event["user"], event["channel"], html.unescape(event.get("text") or "")
    try:
        status = study.status(user)
        is_new = status.participant is None and not context.is_researcher(user)
        if is_new or study.awaits_greeting(status):
            study.meet(user, channel)
            return
        _reply(context, event, _answer_to(study, user, text, status))
    except Refused as refused:
        _reply(context, event, led_back(str(refused), study.status(user)))


def _reply(context: ParticipantContext, event: dict[str, Any], answer: Message | tuple[Message, Message]) -> None:
    post = partial(_post, context.slack, event["channel"], answer, event.get("thread_ts"))
    context.tasks.reply("answering a message", post, person=event["user"])


def _post(slack: Slack, channel: str, answer: Message | tuple[Message, Message], thread_ts: str | None) -> None:
    """Post an answer. Of two answers, the second is posted if the workspace refuses the blocks of the first."""
    if isinstance(answer, Message):
        slack.post(channel, answer, thread_ts=thread_ts)
        return
    first, second = answer
    try:
        slack.post(channel, first, thread_ts=thread_ts)
    except SlackApiError as error:
        if error.response["error"] not in REFUSED_BLOCKS:
            raise
        slack.post(channel, second, thread_ts=thread_ts)


def _answer_to(
    study: StudyService, user: str, text: str, status: ParticipantStatus
) -> Message | tuple[Message, Message]:
    word = understood(text)
    if word is Word.WITHDRAW and status.participant is not None:
        has_agreed = status.state is not ParticipantState.INVITED
        return answers.leaving_offered(study.settings.study.delete_withdrawn, for_good=has_agreed)
    if (onboarding := _onboarding(study, status)) is not None:
        return onboarding
    bounds = study.settings.form.bounds
    line = read_line(text, bounds)
    if line.is_configuration:
        return _typed(study, status, line)
    if word is Word.CANCEL:
        return _cancel(study, user, text, status)
    if word is not None:
        return _WORDS[word](study, status)
    if line.named:
        return answers.about_settings(line.named, status, bounds)
    return answers.not_understood(text, status)


def _onboarding(study: StudyService, status: ParticipantStatus) -> Message | None:
    """The next step before the task, which answers everything that a person writes; none for others."""
    if status.study is StudyState.CLOSED:
        return None
    if status.state is ParticipantState.INVITED:
        return onboarding.greeting(study.settings.consent_text)
    if status.state is ParticipantState.CONSENTED:
        return onboarding.ask_background()
    return None


def _help(study: StudyService, status: ParticipantStatus) -> Message:
    cannot_start = status.position is not None or status.study is not StudyState.OPEN
    if status.state is ParticipantState.DESCRIBED and status.session is None and not cannot_start:
        limit_minutes = study.condition_of(status.participant).limit_minutes
        return onboarding.briefing(study.facts_of(status.participant), limit_minutes)
    return answers.help_with(status)


def _time(study: StudyService, status: ParticipantStatus) -> Message:
    return answers.time_left(status, study.condition_of(status.participant).limit_minutes, study.now())


_WORDS: dict[Word, Callable[[StudyService, ParticipantStatus], Message | tuple[Message, Message]]] = {
    Word.HELP: _help,
    Word.START: lambda _, status: answers.start_offered(status),
    Word.TUNE: lambda _, status: answers.form_offered(status),
    Word.TIME: _time,
    Word.HISTORY: lambda _, status: (answers.trials_made(status), answers.trials_made_in_sections(status)),
    Word.FINISH: lambda _, status: answers.finish_offered(status),
    Word.WITHDRAW: lambda _, status: led_back("You do not take part, so there is nothing to leave.", status),
}


def _cancel(study: StudyService, user: str, text: str, status: ParticipantStatus) -> Message:
    """Cancel at once if the text says only that. Ask otherwise."""
    running = status.session.unfinished if status.session is not None else None
    named = numbers_in(text)
    if running is None or running.is_stopping or not is_plain_cancel(text) or (named and named != (running.number,)):
        return answers.cancel_offered(status, named)
    study.cancel(user, running.id)
    return answers.cancelling(running.number, study.status(user))


def _typed(study: StudyService, status: ParticipantStatus, line: OneLine) -> Message:
    last = None
    if status.session is not None:
        submission = history.last_submission(study.store, status.session.participant_id)
        if submission is not None:
            last = FormMemory.new(Purpose.TRY, status.session.button_value, submission.configuration).initial
    images = study.facts_of(status.participant).training_images
    return typed_configuration.typed_configuration(line, status, training_images=images, last=last)
