"""Words that a participant writes: *help, start, tune, time, history, cancel, finish*. Anything else leads back."""

import re
from functools import partial
from typing import Any

from slack_bolt import App

from bot.blocks import Message, actions, button, clock_time, section
from bot.participant.views import thread, welcome
from bot.study import Study
from storage import history, line
from storage.history import SessionView
from storage.refusal import Refused
from storage.states import ParticipantState, SessionState
from storage.tables import Participant

_IGNORED = {"message_changed", "message_deleted", "bot_message"}


def register(app: App, study: Study) -> None:
    """Listen to direct messages."""

    def written(event: dict[str, Any]) -> None:
        if event.get("channel_type") != "im" or event.get("subtype") in _IGNORED or "bot_id" in event:
            return
        study.errands.run(
            "answering a message",
            partial(_answer, study, event),
            tell=lambda text: study.slack.whisper(event["channel"], event["user"], text),
        )

    app.event("message")(written)


def _answer(study: Study, event: dict[str, Any]) -> None:
    user, channel = event["user"], event["channel"]
    words = re.findall(r"[a-z]+", (event.get("text") or "").lower())
    try:
        participant = study.person(user)
        if participant is None:
            study.meet(user, channel)
            return
        if "cancel" in words[:2]:
            view = history.session_of_participant(study.store, participant.id)
            if view is not None and view.unfinished is not None:
                study.cancel(user, view.unfinished.id)
                return
        study.slack.post(channel, _where_you_stand(study, participant), thread_ts=event.get("thread_ts"))
    except Refused as refused:
        study.slack.whisper(channel, user, str(refused))


def _where_you_stand(study: Study, participant: Participant) -> Message:
    """What comes next for this participant, with the button that does it."""
    if participant.state is ParticipantState.INVITED:
        return welcome.greeting(study.settings.consent_text)
    if participant.state is ParticipantState.CONSENTED:
        return welcome.ask_background()
    view = history.session_of_participant(study.store, participant.id)
    if view is not None:
        return _in_session(view)
    place = line.place_in_line(study.store, participant.id)
    if place is not None and participant.called_at is None:
        return welcome.in_line(place)
    return welcome.briefing(study.facts, study.settings.time.limit_minutes)


def _in_session(view: SessionView) -> Message:
    if view.state is SessionState.FINISHED:
        text = "You have taken part already. Thank you! The researchers will tell you about the results."
        return Message(text=text, blocks=(section(text),))
    if view.state is SessionState.CHOOSING:
        return thread.time_is_up(view.grace_ends_at or view.deadline, view.id, None)
    text = f"Your session runs until {clock_time(view.deadline)}."
    if view.unfinished is not None:
        text += f" Trial {view.unfinished.number} is in progress; write *cancel* to stop it."
    buttons = [
        button("New configuration", thread.NEW, view.id, style="primary"),
        button("History", thread.HISTORY, view.id),
        button("Finish", thread.FINISH, view.id),
        button("What do the settings do?", welcome.GUIDE),
    ]
    return Message(text=text, blocks=(section(text), actions(buttons, block_id="where")))
