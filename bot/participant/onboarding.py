"""Listeners from the first hello to *Start*: greeting, Home tab, consent, background, guide."""

from functools import partial
from typing import Any

from slack_bolt import Ack, App

from bot.participant.interactions import Press, on_press
from bot.participant.messages import where_you_stand
from bot.participant.tuning import open_form
from bot.participant.views import onboarding
from bot.participant.views.next_step import SHOW, led_back
from bot.slack.block_kit import notice
from bot.study.service import Study
from storage.refusals import Refused


def register(app: App, study: Study) -> None:
    """Listen to a participant's way into the study."""

    def home_opened(event: dict[str, Any]) -> None:
        study.errands.run("welcoming somebody", partial(_welcome, study, event))

    app.event("app_home_opened")(home_opened)

    def background_sent(ack: Ack, body: dict[str, Any]) -> None:
        _background_sent(study, ack, body)

    app.view(onboarding.BACKGROUND_FORM)(background_sent)
    on_press(app, study, onboarding.AGREE, "recording a consent", _agree)
    on_press(app, study, onboarding.BACKGROUND, "opening the background form", _open_background)
    on_press(app, study, onboarding.GUIDE, "opening the guide", _open_guide)
    on_press(app, study, onboarding.START, "starting a session", _start)
    on_press(app, study, SHOW, "showing where somebody stands", _show)


def _welcome(study: Study, event: dict[str, Any]) -> None:
    """Somebody opened the bot: greet whoever is new, and show the Home tab to whoever looks at it."""
    user, at_home = event["user"], event.get("tab") == "home"
    # A researcher looks after the study, and takes part only when they ask for it.
    if not study.parts.access.includes(user):
        try:
            study.come_by(user, event["channel"])
        except Refused as refused:
            if not at_home:  # the Home tab says so itself
                told = led_back(str(refused), study.standing(user))
                study.slack.whisper(event["channel"], user, told.text, blocks=told.blocks)
    if at_home:
        study.homes.opened(user)


def _agree(study: Study, press: Press) -> None:
    study.agree(press.user)
    press.settle(study, "✅ You agreed to take part. Thank you!")
    if press.in_home:
        _open_background(study, press)  # the next step, without a way to the other tab


def _show(study: Study, press: Press) -> None:
    channel = press.channel or study.slack.open_channel(press.user)
    if study.standing(press.user).participant is None:
        study.meet(press.user, channel)
    else:
        study.slack.post(channel, where_you_stand(study, press.user))
    if press.in_home:
        study.homes.opened(press.user)
        press.tell(study, "I have written to you: look at *Messages*.")


def _open_background(study: Study, press: Press) -> None:
    study.may_describe(press.user)
    press.open(study, onboarding.background_form(study.settings.questions, press.response_url))


def _background_sent(study: Study, ack: Ack, body: dict[str, Any]) -> None:
    try:
        background = onboarding.read_background(body["view"]["state"]["values"], study.settings.questions)
        study.describe(body["user"]["id"], background)
    except onboarding.InvalidForm as invalid:
        ack(response_action="errors", errors=invalid.errors)
    except Refused as refused:
        ack(response_action="update", view=notice("About you", str(refused)))
    else:
        ack()
        if asked_at := body["view"]["private_metadata"]:
            settle = partial(study.slack.replace_pressed, asked_at, onboarding.described())
            study.errands.run("settling the background", settle)


def _open_guide(study: Study, press: Press) -> None:
    press.open(study, onboarding.guide())


def _start(study: Study, press: Press) -> None:
    session = study.begin(press.user)
    if session is not None:
        open_form(study, press, session.id, None)
        press.settle(study, "✅ You have started.")
        return
    press.settle(study, "⏳ All places were taken, so I put you in line.")
    if press.in_home:
        press.lead_back(study, "All places are taken right now.")
