"""Listeners from the first hello to *Start*: greeting, consent, background, guide."""

from functools import partial
from typing import Any

from slack_bolt import Ack, App

from bot.blocks import notice
from bot.participant.press import Press, on_press
from bot.participant.tuning import open_form
from bot.participant.views import welcome
from bot.study import Study
from storage.refusal import Refused


def register(app: App, study: Study) -> None:
    """Listen to a participant's way into the study."""

    def home_opened(event: dict[str, Any]) -> None:
        study.errands.run("greeting somebody", partial(_greet, study, event["user"], event["channel"]))

    app.event("app_home_opened")(home_opened)

    def background_sent(ack: Ack, body: dict[str, Any]) -> None:
        _background_sent(study, ack, body)

    app.view(welcome.BACKGROUND_FORM)(background_sent)
    on_press(app, study, welcome.AGREE, "recording a consent", _agree)
    on_press(app, study, welcome.BACKGROUND, "opening the background form", _open_background)
    on_press(app, study, welcome.GUIDE, "opening the guide", _open_guide)
    on_press(app, study, welcome.START, "starting a session", _start)


def _greet(study: Study, user: str, channel: str) -> None:
    try:
        study.meet(user, channel)
    except Refused as refused:
        study.slack.whisper(channel, user, str(refused))


def _agree(study: Study, press: Press) -> None:
    study.agree(press.user, press.ts)


def _open_background(study: Study, press: Press) -> None:
    study.may_describe(press.user)
    press.open(study, welcome.background_form(study.settings.questions))


def _background_sent(study: Study, ack: Ack, body: dict[str, Any]) -> None:
    try:
        background = welcome.read_background(body["view"]["state"]["values"], study.settings.questions)
        study.describe(body["user"]["id"], background)
    except welcome.InvalidForm as invalid:
        ack(response_action="errors", errors=invalid.errors)
    except Refused as refused:
        ack(response_action="update", view=notice("About you", str(refused)))
    else:
        ack()


def _open_guide(study: Study, press: Press) -> None:
    press.open(study, welcome.guide())


def _start(study: Study, press: Press) -> None:
    session = study.begin(press.user)
    if session is not None:
        open_form(study, press, session.id, None)
