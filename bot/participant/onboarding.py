"""Listeners from the first hello to *Start*: greeting, Home tab, consent, background, guide."""

import threading
from functools import partial
from typing import Any

from cachetools import LRUCache
from slack_bolt import Ack, App

from bot.participant.context import ParticipantContext
from bot.participant.messages import status_message
from bot.participant.tuning import open_form
from bot.participant.views import onboarding
from bot.participant.views.next_step import SHOW, led_back
from bot.slack.block_kit import notice
from bot.slack.interactions import Interaction, Surface
from bot.slack.mentions import SLACKBOT
from storage.refusals import Reason, Refused

_MOST_REMEMBERED = 1000


def register(app: App, context: ParticipantContext) -> None:
    """Listen to a participant's way into the study."""
    turned_away = _TurnedAway()

    def home_opened(event: dict[str, Any]) -> None:
        user, tab = event["user"], event.get("tab")
        if user == SLACKBOT:
            return
        context.tasks.answer(
            "welcoming somebody", partial(_welcome, context, event, turned_away), person=user, key=("opened", tab)
        )

    app.event("app_home_opened")(home_opened)

    def background_sent(ack: Ack, body: dict[str, Any]) -> None:
        _background_sent(context, ack, body)

    app.view(onboarding.BACKGROUND_FORM)(background_sent)
    context.on_press(onboarding.AGREE, "recording a consent", _agree)
    context.on_press(onboarding.BACKGROUND, "opening the background form", _open_background)
    context.on_press(onboarding.GUIDE, "opening the guide", _open_guide)
    context.on_press(onboarding.START, "starting a session", _start)
    context.on_press(SHOW, "showing a person's status", _show)


class _TurnedAway:
    """Who was told that they cannot join now. Slack says each time that somebody looks, and they are told once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: LRUCache[str, Reason] = LRUCache(_MOST_REMEMBERED)

    def is_news(self, user: str, reason: Reason) -> bool:
        """Whether somebody has not been told this reason before. From now on they have."""
        with self._lock:
            known = self._told.get(user)
            self._told[user] = reason
            return known is not reason


def _welcome(context: ParticipantContext, event: dict[str, Any], turned_away: _TurnedAway) -> None:
    """Greet somebody who opened the bot if they are new, and show them the Home tab if they opened that."""
    user, at_home = event["user"], event.get("tab") == "home"
    # Researchers open the bot to run the study. They take part only if they press the button for it.
    if not context.is_researcher(user):
        try:
            context.study.come_by(user, event["channel"])
        except Refused as refused:
            if not at_home and turned_away.is_news(user, refused.reason):  # the Home tab says so itself
                told = led_back(str(refused), context.study.status(user))
                post = partial(context.slack.post, event["channel"], told)
                context.tasks.reply("turning somebody away", post, person=user)
    if at_home:
        context.home_tabs.opened(user)


def _agree(context: ParticipantContext, press: Interaction) -> None:
    context.study.agree(press.user)
    consent_text = context.study.settings.consent_text
    press.settle(onboarding.greeting(consent_text, done="✅ You agreed to take part. Thank you!"))
    if press.surface is Surface.HOME:
        _open_background(context, press)  # the next step opens at once: nobody has to change to *Messages*


def _show(context: ParticipantContext, press: Interaction) -> None:
    channel = press.channel or context.slack.direct_channel(press.user)
    status = context.study.status(press.user)
    if status.participant is None or context.study.awaits_greeting(status):
        context.study.meet(press.user, channel)
    elif press.channel:
        press.reply(status_message(context.study, press.user))
    else:
        press.write(status_message(context.study, press.user))
    if press.surface is Surface.HOME:
        context.home_tabs.opened(press.user)
        press.tell("I have written to you. Please look at *Messages*.")


def _open_background(context: ParticipantContext, press: Interaction) -> None:
    context.study.may_describe(press.user)
    press.open(onboarding.background_form(context.study.settings.questions, press.response_url))


def _background_sent(context: ParticipantContext, ack: Ack, body: dict[str, Any]) -> None:
    try:
        background = onboarding.read_background(body["view"]["state"]["values"], context.study.settings.questions)
        context.study.describe(
            body["user"]["id"], months=background.months, education=background.education, answers=background.answers
        )
    except onboarding.InvalidForm as invalid:
        ack(response_action="errors", errors=invalid.errors)
    except Refused as refused:
        ack(response_action="update", view=notice("About you", str(refused)))
    else:
        ack()
        if asked_at := body["view"]["private_metadata"]:
            settle = partial(context.slack.replace_pressed, asked_at, onboarding.described())
            context.tasks.reply("settling the background", settle, person=body["user"]["id"])


def _open_guide(context: ParticipantContext, press: Interaction) -> None:
    participant = context.study.status(press.user).participant
    presets = context.study.condition_of(participant).presets
    press.open(onboarding.guide(context.study.settings.form.bounds, presets=presets))


def _start(context: ParticipantContext, press: Interaction) -> None:
    session = context.study.begin(press.user)
    if session is not None:
        open_form(context.study, press, session.id, None)
        _settle_start(context, press, "✅ You have started.")
        return
    _settle_start(context, press, "⏳ All places were taken, so you are in the queue now.")
    if press.surface is Surface.HOME:
        context.lead_back(press, "All places are taken at the moment.")


def _settle_start(context: ParticipantContext, press: Interaction, done: str) -> None:
    """Take *Start* out of the message where it was pressed. The task stays there to be read again."""
    study = context.study
    if press.block_id != onboarding.BRIEFING:
        press.settle(onboarding.start_pressed(done))
        return
    participant = study.status(press.user).participant
    limit_minutes = study.condition_of(participant).limit_minutes
    press.settle(onboarding.briefing(study.facts_of(participant), limit_minutes, done=done))
