"""Listeners of the buttons in the report channel: whoever reads it may press them, but for participants."""

from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import Ack, App

from bot.admin.views.controls import ACKNOWLEDGE, IN_DIGEST, PAUSE, RESUME, RETRY, Controls, with_controls
from bot.researcher.interactions import Asked
from bot.slack.block_kit import Message
from bot.study.service import Study
from storage import researchers
from storage.queries import history
from storage.refusals import Refused
from storage.schema.states import Actor, ParticipantState, TrialState

TAKES_PART = "These buttons are for the people who run the study, and you take part in it. Nothing was done."
ELSEWHERE = "This is not the report channel any more. Nothing was done."

Deed = Callable[[Study, str, str], str]
"""Does something as an actor, with what the button carries. Returns what to say to whoever pressed; often nothing."""


def register(app: App, study: Study) -> None:
    """Listen to presses."""

    def on_press(action_id: str, deed: Deed) -> None:
        def pressed(ack: Ack, body: dict[str, Any]) -> None:
            ack()
            asked = Asked.by_press(study.slack, body)
            do = partial(_politely, study, asked, body, deed)
            study.errands.run("answering a press in the report channel", do, tell=asked.tell)

        app.action(action_id)(pressed)

    on_press(PAUSE, _pause)
    on_press(RESUME, _resume)
    on_press(RETRY, _retry)
    on_press(ACKNOWLEDGE, _acknowledge)


def _politely(study: Study, asked: Asked, body: dict[str, Any], deed: Deed) -> None:
    is_researcher = study.parts.access.includes(asked.user)
    if not is_researcher and (why_not := _why_not(study, asked.user, body["channel"]["id"])):
        asked.tell(why_not)
        return
    try:
        acting_as = Actor.RESEARCHER if is_researcher else Actor.ADMIN
        said = deed(study, researchers.actor_of(study.store, asked.user, acting_as), asked.text)
    except Refused as refused:
        said = str(refused)
    if said:
        asked.tell(said)
    study.parts.admins.look()
    if asked.text == IN_DIGEST:
        _redraw(study, body)


def _why_not(study: Study, user: str, channel: str) -> str:
    """Why somebody who is no researcher may not press; nothing if they may, as everybody who reads the reports."""
    if channel != study.settings.slack.report_channel:
        return ELSEWHERE
    has_consented = study.standing(user).state not in (None, ParticipantState.INVITED)
    return TAKES_PART if has_consented else ""


def _pause(study: Study, actor: str, _: str) -> str:
    study.research.pause(actor)
    return ""


def _resume(study: Study, actor: str, _: str) -> str:
    study.research.resume(actor)
    return ""


def _retry(study: Study, actor: str, _: str) -> str:
    reviewed = study.research.evaluate(actor)
    if not reviewed.retried:
        return "No evaluation has failed: there is nothing to run again."
    again = "1 evaluation runs" if reviewed.retried == 1 else f"{reviewed.retried} evaluations run"
    return f"{again} again; results that this changes are changed here."


def _acknowledge(study: Study, actor: str, alert: str) -> str:
    study.parts.admins.alerts.acknowledge(int(alert), actor)
    return ""


def _redraw(study: Study, body: dict[str, Any]) -> None:
    """Give a digest the buttons for what can be done now."""
    status = history.status(study.store, now=study.now())
    message = body["message"]
    blocks = with_controls(message["blocks"], Controls(status.state, status.evaluations[TrialState.FAILED]))
    study.slack.update(body["channel"]["id"], message["ts"], Message(text=message["text"], blocks=tuple(blocks)))
