"""What a participant writes: a word such as *time*, a configuration in one line, or anything else. All is answered."""

import html
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import App
from slack_sdk.errors import SlackApiError

from bot.participant.form_state import FormMemory, Purpose
from bot.participant.keywords import Word, is_plain_cancel, numbers_in, understood
from bot.participant.parse_configuration import OneLine, read_line
from bot.participant.views import answers, onboarding, typed_configuration
from bot.participant.views.next_step import led_back
from bot.slack.block_kit import Message
from bot.study.participant_status import Standing
from bot.study.service import Study
from storage.queries import history
from storage.refusals import Refused
from storage.schema.states import ParticipantState, StudyState

_WRITTEN = {None, "file_share", "me_message", "thread_broadcast"}
"""Subtypes of what somebody has written just now; a message that is changed or deleted later is not answered again."""

_MOST_REMEMBERED = 1000

_REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


class Heard:
    """Remembers which messages were answered: Slack delivers an event again when it is in doubt."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_new(self, channel: str, ts: str) -> bool:
        """Whether this is the first time; from now on it is not."""
        with self._lock:
            if (channel, ts) in self._messages:
                return False
            self._messages[channel, ts] = None
            if len(self._messages) > _MOST_REMEMBERED:
                self._messages.popitem(last=False)
            return True


def register(app: App, study: Study) -> None:
    """Listen to direct messages."""
    heard = Heard()

    def written(event: dict[str, Any]) -> None:
        is_person = "user" in event and "bot_id" not in event and event.get("subtype") in _WRITTEN
        if event.get("channel_type") != "im" or not is_person or not heard.is_new(event["channel"], event["ts"]):
            return
        study.errands.run(
            "answering a message",
            partial(_answer, study, event),
            tell=lambda text: study.slack.whisper(event["channel"], event["user"], text),
        )

    app.event("message")(written)


def where_you_stand(study: Study, user: str) -> Message:
    """What comes next for somebody, with the button that does it."""
    standing = study.standing(user)
    return _onboarding(study, standing) or led_back("Here is where you stand.", standing)


def _answer(study: Study, event: dict[str, Any]) -> None:
    user, channel, text = event["user"], event["channel"], html.unescape(event.get("text") or "")
    try:
        standing = study.standing(user)
        if standing.participant is None and not study.parts.access.includes(user):
            study.meet(user, channel)
            return
        _post(study, channel, _answer_to(study, user, text, standing), event.get("thread_ts"))
    except Refused as refused:
        told = led_back(str(refused), study.standing(user))
        study.slack.whisper(channel, user, told.text, thread_ts=event.get("thread_ts"), blocks=told.blocks)


def _post(study: Study, channel: str, answer: Message | tuple[Message, Message], thread_ts: str | None) -> None:
    """Post an answer; of two, the second where the workspace refuses the blocks of the first."""
    if isinstance(answer, Message):
        study.slack.post(channel, answer, thread_ts=thread_ts)
        return
    first, second = answer
    try:
        study.slack.post(channel, first, thread_ts=thread_ts)
    except SlackApiError as error:
        if error.response["error"] not in _REFUSED_BLOCKS:
            raise
        study.slack.post(channel, second, thread_ts=thread_ts)


def _answer_to(study: Study, user: str, text: str, standing: Standing) -> Message | tuple[Message, Message]:
    word = understood(text)
    if word is Word.WITHDRAW and standing.participant is not None:
        return answers.leaving_offered(study.settings.study.delete_withdrawn)
    if (onboarding := _onboarding(study, standing)) is not None:
        return onboarding
    line = read_line(text)
    if line.is_configuration:
        return _typed(study, standing, line)
    if word is Word.CANCEL:
        return _cancel(study, user, text, standing)
    if word is not None:
        return _WORDS[word](study, standing)
    if line.named:
        return answers.about_settings(line.named, standing)
    return answers.not_understood(text, standing)


def _onboarding(study: Study, standing: Standing) -> Message | None:
    """Before the task there is one thing to do; whoever writes anything gets to read it again."""
    if standing.study is StudyState.CLOSED:
        return None
    if standing.state is ParticipantState.INVITED:
        return onboarding.greeting(study.settings.consent_text)
    if standing.state is ParticipantState.CONSENTED:
        return onboarding.ask_background()
    return None


def _help(study: Study, standing: Standing) -> Message:
    waits = standing.place is not None or standing.study is not StudyState.OPEN
    if standing.state is ParticipantState.DESCRIBED and standing.session is None and not waits:
        return onboarding.briefing(study.facts_of(standing.participant), study.settings.time.limit_minutes)
    return answers.help_with(standing)


def _time(study: Study, standing: Standing) -> Message:
    return answers.time_left(standing, study.settings.time.limit_minutes, study.now())


_WORDS: dict[Word, Callable[[Study, Standing], Message | tuple[Message, Message]]] = {
    Word.HELP: _help,
    Word.START: lambda _, standing: answers.start_offered(standing),
    Word.TUNE: lambda _, standing: answers.form_offered(standing),
    Word.TIME: _time,
    Word.HISTORY: lambda _, standing: (answers.trials_made(standing), answers.trials_made_in_sections(standing)),
    Word.FINISH: lambda _, standing: answers.finish_offered(standing),
    Word.WITHDRAW: lambda _, standing: led_back("You do not take part, so there is nothing to leave.", standing),
}


def _cancel(study: Study, user: str, text: str, standing: Standing) -> Message:
    """Cancel at once where that is all that is said; ask back otherwise."""
    running = standing.session.unfinished if standing.session is not None else None
    named = numbers_in(text)
    if running is None or running.is_stopping or not is_plain_cancel(text) or (named and named != (running.number,)):
        return answers.cancel_offered(standing, named)
    study.cancel(user, running.id)
    return answers.cancelling(running.number, study.standing(user))


def _typed(study: Study, standing: Standing, line: OneLine) -> Message:
    last = None
    if standing.session is not None:
        submission = history.last_submission(study.store, standing.session.participant_id)
        if submission is not None:
            last = FormMemory.new(Purpose.TRY, standing.session.id, submission.configuration).initial
    images = study.facts_of(standing.participant).training_images
    return typed_configuration.typed_configuration(line, standing, training_images=images, last=last)
