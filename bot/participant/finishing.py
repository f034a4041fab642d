"""Listeners for the end of a session: *Finish*, the final choice, leaving the study."""

from typing import Any

from slack_bolt import Ack, App

from bot.participant.context import ParticipantContext
from bot.participant.form_state import FormMemory, Purpose
from bot.participant.views import buttons, final_choice
from bot.participant.views.answers import LEAVE
from bot.participant.views.configuration_form import configuration_form
from bot.slack.block_kit import notice
from bot.slack.interactions import Interaction
from bot.study.outdated import reading_form
from bot.study.service import StudyService
from storage.queries import history
from storage.refusals import Refused


def register(app: App, context: ParticipantContext) -> None:
    """Listen to how a participant ends the session."""

    def final_sent(ack: Ack, body: dict[str, Any]) -> None:
        _final_sent(context.study, ack, body)

    app.view(final_choice.FINAL_FORM)(final_sent)
    context.on_press(buttons.FINISH, "opening the final choice", _finish)
    context.on_press(LEAVE, "letting somebody leave", _leave)


def _finish(context: ParticipantContext, press: Interaction) -> None:
    study = context.study
    session = study.session_of_button(press.user, press.value)
    study.may_choose(session)
    evaluations = len(study.settings.training.evaluation_seeds)
    press.open(final_choice.final_form(study.view(session.id), evaluations))


def _leave(context: ParticipantContext, press: Interaction) -> None:
    context.study.withdraw(press.user)


def _final_sent(study: StudyService, ack: Ack, body: dict[str, Any]) -> None:
    user, view = body["user"]["id"], body["view"]
    try:
        with reading_form():
            of_session, values = str(view["private_metadata"]), view["state"]["values"]
        number = final_choice.read_final(values)
        session = study.session_of_button(user, of_session)
        if number is None:
            study.may_choose(session)
            last = history.last_submission(study.store, session.participant_id)
            presets = study.condition_of(session.participant_id).presets
            memory = FormMemory.new(Purpose.FINAL, of_session, last.configuration if last else None, presets=presets)
            ack(response_action="push", view=configuration_form(memory, bounds=study.settings.form.bounds))
            return
        study.choose(user, session.id, number)
    except Refused as refused:
        ack(response_action="update", view=notice("Your final choice", str(refused)))
    else:
        ack()
