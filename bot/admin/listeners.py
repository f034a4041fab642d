"""Listeners for the buttons in the report channel. Everybody who reads it may press them, but for those who take part.

Somebody takes part from their consent on, also after leaving. Somebody who was only greeted does not take part yet:
opening the bot is enough to be greeted, and admins open it. When people leave, the link to their Slack user is deleted,
and memory alone knows them: after the next start nothing tells that somebody in the report channel has taken part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.admin.reporter import AdminReporter
from bot.admin.views.controls import ACKNOWLEDGE, IN_DIGEST, PAUSE, RESUME, RETRY
from bot.slack.block_kit import text_message
from bot.slack.interactions import Interaction, Interactions
from bot.study.outdated import reading_button
from bot.study.participant_status import status_of
from bot.study.researcher_actions import ResearcherActions
from storage import researchers
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import Actor, ParticipantState

TAKES_PART = (
    "These buttons are for the people who run the study, and you have agreed to take part in it. Nothing was done. "
    "If you run it too, ask for your name among the researchers in study.toml."
)
"""What somebody reads who takes part or has taken part, and presses a button."""

ELSEWHERE = "This is not the report channel any more. Nothing was done."


@dataclass(frozen=True)
class AdminContext:
    """What the admins' listeners work with.

    Attributes:
        interactions: Presses.
        store: The database.
        actions: What researchers do to the study.
        reporter: Tells the admins.
        report_channel: Slack's ID of the report channel.
        is_researcher: Whether a Slack user is a researcher. May wait for Slack.
        had_agreed: Whether a Slack user had agreed to take part and has left since the bot started.
    """

    interactions: Interactions
    store: Store
    actions: ResearcherActions
    reporter: AdminReporter
    report_channel: str
    is_researcher: Callable[[str], bool]
    had_agreed: Callable[[str], bool]


Action = Callable[[AdminContext, str, str], str]
"""Does something as an actor, with the value of the button. Returns what the person is told; often it is empty."""


def register(context: AdminContext) -> None:
    """Listen to the buttons."""
    for action_id, action in {PAUSE: _pause, RESUME: _resume, RETRY: _retry, ACKNOWLEDGE: _acknowledge}.items():
        handle = partial(_handle, context, action)
        context.interactions.on_press(action_id, "answering a press in the report channel", handle)


def _handle(context: AdminContext, action: Action, press: Interaction) -> None:
    is_researcher = context.is_researcher(press.user)
    if not is_researcher and (why_not := _why_not(context, press)):
        press.tell(why_not)
        return
    try:
        acting_as = Actor.RESEARCHER if is_researcher else Actor.ADMIN
        outcome = action(context, researchers.actor_of(context.store, press.user, acting_as), press.value)
    except Refused as refused:
        press.tell(str(refused))
    else:
        if outcome:
            press.report(text_message(outcome))
    context.reporter.wake()
    if press.value == IN_DIGEST:
        context.reporter.redraw_digest(press.message_ts)


def _why_not(context: AdminContext, press: Interaction) -> str:
    """Why somebody who is not a researcher may not press the button; empty if they may."""
    if press.channel != context.report_channel:
        return ELSEWHERE
    takes_part = status_of(context.store, press.user).state not in (None, ParticipantState.INVITED)
    return TAKES_PART if takes_part or context.had_agreed(press.user) else ""


def _pause(context: AdminContext, actor: str, _: str) -> str:
    context.actions.pause(actor)
    return ""


def _resume(context: AdminContext, actor: str, _: str) -> str:
    context.actions.resume(actor)
    return ""


def _retry(context: AdminContext, actor: str, _: str) -> str:
    reviewed = context.actions.evaluate(actor)
    if not reviewed.retried:
        return "No evaluation has failed, so there is nothing to run again."
    again = "1 evaluation runs" if reviewed.retried == 1 else f"{reviewed.retried} evaluations run"
    return f"{again} again. When this changes results, I change their posts here."


def _acknowledge(context: AdminContext, actor: str, alert: str) -> str:
    with reading_button():
        number = int(alert)
    context.reporter.alerts.acknowledge(number, actor)
    return ""
