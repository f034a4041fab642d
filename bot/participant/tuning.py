"""Listeners of the timed part: the form, its redraws and submission, cancel, history."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from cachetools import LRUCache
from slack_bolt import Ack, App

from bot.participant.context import ParticipantContext
from bot.participant.form_state import OTHER, TAKE, VALUE, WHY, FormMemory, InvalidEntry, Purpose, read
from bot.participant.suggestions import suggest
from bot.participant.time_estimate import time_for_an_epoch, times
from bot.participant.views import buttons, final_choice
from bot.participant.views.configuration_form import FORM, configuration_form, prepare_note, takes_long
from bot.participant.views.typed_configuration import TYPED, Typed
from bot.slack.block_kit import notice
from bot.slack.client import Slack
from bot.slack.interactions import Interaction
from bot.study.service import StudyService
from storage.queries import history
from storage.queries.history import SessionView
from storage.refusals import Reason, Refused
from storage.schema.states import SessionState
from training.bounds import Bounds
from training.hyperparameters import Configuration

_NOT_REDRAWN = (
    "Your optimizer has other settings than the form showed. The form shows them now. "
    "Please check them and send the form again."
)
_MOST_OPEN_FORMS = 1000


@dataclass
class _Form:
    """An open form. One redraw is made at a time, and none for a change that is older than the last one drawn."""

    redrawing: threading.Lock = field(default_factory=threading.Lock)
    newest: float = 0.0


class Redraws:
    """Redraws forms in the order in which people changed them, although several threads do it.

    Args:
        slack: The workspace.
        bounds: The study's bounds.
    """

    def __init__(self, slack: Slack, bounds: Bounds) -> None:
        self._slack = slack
        self._bounds = bounds
        self._lock = threading.Lock()
        self._forms: LRUCache[str, _Form] = LRUCache(_MOST_OPEN_FORMS)

    def changed(self, body: dict[str, Any]) -> None:
        """The optimizer or a reason was changed, or a suggestion taken over: show the fields that belong to it."""
        view = body["view"]
        at = float(body["actions"][0]["action_ts"])
        with self._lock:
            form = self._forms.setdefault(view["id"], _Form())
        with form.redrawing:
            if at < form.newest:
                return
            form.newest = at
            try:
                memory = FormMemory.read(view["private_metadata"])
            except Refused as refused:
                self._slack.update_modal(view["id"], notice("Please note", str(refused)))
                return
            values = view["state"]["values"]
            if body["actions"][0]["action_id"] == TAKE and memory.suggestion:
                taken = configuration_form(memory.taking_over(values), bounds=self._bounds)
                self._slack.update_modal(view["id"], taken)
                return
            redrawn = memory.redrawn(values)
            form_now = configuration_form(redrawn, memory.content(values), bounds=self._bounds)
            self._slack.update_modal(view["id"], form_now)


def register(app: App, context: ParticipantContext) -> None:
    """Listen to what a participant does while the clock runs."""
    redraws = Redraws(context.slack, context.study.settings.form.bounds)

    def form_changed(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        person, form = body["user"]["id"], body["view"]["id"]
        context.tasks.answer("redrawing a form", partial(redraws.changed, body), person=person, key=("redraw", form))

    def form_sent(ack: Ack, body: dict[str, Any]) -> None:
        _form_sent(context.study, ack, body)

    for action_id in (VALUE, WHY, OTHER, TAKE):
        app.action(action_id)(form_changed)
    app.view(FORM)(form_sent)
    context.on_press(buttons.NEW, "opening the form", _new)
    context.on_press(buttons.FROM_HERE, "opening the form", _from_here)
    context.on_press(TYPED, "opening the form", _typed)
    context.on_press(buttons.CANCEL, "cancelling a trial", _cancel)
    context.on_press(buttons.PICTURE, "showing a plot", _picture)
    context.on_press(buttons.HISTORY, "showing a history", _history)


def open_form(study: StudyService, press: Interaction, session_id: int, base: Configuration | None) -> None:
    """Open the form for a new configuration, filled in with ``base``; while a trial is in progress, to prepare it."""
    view = study.view(session_id)
    presets = study.settings.condition(view.arm).presets
    _open(study, press, view, FormMemory.new(Purpose.TRY, view.button_value, base, presets=presets))


def _open(study: StudyService, press: Interaction, view: SessionView, memory: FormMemory) -> None:
    if memory.purpose is Purpose.TRY and study.settings.condition(view.arm).suggestions:
        memory = memory.suggesting(suggest(view, study.limits_of(view.participant_id).training_images))
    running = view.unfinished if memory.purpose is Purpose.TRY else None
    note = None if running is None else prepare_note(running.number)
    press.open(configuration_form(memory, note=note, bounds=study.settings.form.bounds))


def _new(context: ParticipantContext, press: Interaction) -> None:
    study = context.study
    session = study.session_of_button(press.user, press.value)
    study.may_submit(session)
    last = history.last_submission(study.store, session.participant_id)
    open_form(study, press, session.id, last.configuration if last else None)


def _from_here(context: ParticipantContext, press: Interaction) -> None:
    study = context.study
    trial = study.trial_of_button(press.user, press.value)
    study.may_submit(study.own_session(press.user, trial.session_id))
    open_form(study, press, trial.session_id, trial.configuration)


def _typed(context: ParticipantContext, press: Interaction) -> None:
    """Open the form with the values of a configuration in one line."""
    study = context.study
    typed = Typed.load(press.value)
    session = study.session_of_button(press.user, typed.session)
    if typed.purpose is Purpose.TRY:
        study.may_submit(session)
    else:
        study.may_choose(session)
    last = history.last_submission(study.store, session.participant_id)
    base, presets = last.configuration if last else None, study.condition_of(session.participant_id).presets
    memory = FormMemory.typed(typed.purpose, typed.session, typed.values, base, presets=presets)
    _open(study, press, study.view(session.id), memory)


def _cancel(context: ParticipantContext, press: Interaction) -> None:
    context.study.cancel(press.user, context.study.trial_of_button(press.user, press.value).id)


def _picture(context: ParticipantContext, press: Interaction) -> None:
    context.study.show_plot(press.user, context.study.trial_of_button(press.user, press.value).id)


def _history(context: ParticipantContext, press: Interaction) -> None:
    study = context.study
    session = study.session_of_button(press.user, press.value)
    press.open(final_choice.history(study.view(session.id)))


def _name_of(view: Mapping[str, Any]) -> str:
    """A name for a form that stays the same while it is open, and that tells nobody which of Slack's views it is."""
    return hashlib.sha256(str(view["id"]).encode()).hexdigest()[:16]


def _takes_long(study: StudyService, session_id: int, memory: FormMemory, configuration: Configuration) -> str:
    """A warning that a trial needs more time than is left; empty if it does not, or if this was said before."""
    if memory.purpose is not Purpose.TRY or memory.warned == configuration.summary():
        return ""
    view = study.view(session_id)
    left, each_epoch = view.time_left(study.now()), time_for_an_epoch(view.trials, configuration.batch_size)
    if view.state is not SessionState.ACTIVE or view.unfinished is not None or each_epoch is None:
        return ""
    needed = times(each_epoch, configuration.epochs)
    return takes_long(configuration, needed, left) if timedelta(0) < left < needed else ""


def _form_sent(study: StudyService, ack: Ack, body: dict[str, Any]) -> None:
    """Handle a submitted form: every mistake is shown at its field, and nothing that was typed is lost."""
    view, user = body["view"], body["user"]["id"]
    values, bounds = view["state"]["values"], study.settings.form.bounds
    try:
        memory = FormMemory.read(view["private_metadata"])
    except Refused as refused:
        ack(response_action="update", view=notice("Not submitted", str(refused)))
        return
    if not memory.fits(values):
        redrawn = memory.redrawn(values)
        updated = configuration_form(redrawn, memory.content(values), note=_NOT_REDRAWN, bounds=bounds)
        ack(response_action="update", view=updated)
        return
    try:
        session = study.session_of_button(user, memory.session)
        limits = study.limits_of(session.participant_id)
        entered = read(
            memory,
            values,
            training_images=limits.training_images,
            largest_batch=limits.largest_batch,
            most_steps=limits.most_steps,
            bounds=limits.bounds,
        )
        if warning := _takes_long(study, session.id, memory, entered.configuration):
            warned = memory.model_copy(update={"warned": entered.configuration.summary()})
            updated = configuration_form(warned, memory.content(values), note=warning, bounds=bounds)
            ack(response_action="update", view=updated)
        elif memory.purpose is Purpose.TRY:
            name, used = _name_of(view), memory.suggestion_use
            study.submit(user, session.id, entered.configuration, entered.remarks, name, used)
            ack()
        else:
            study.choose(user, session.id, entered.configuration)
            ack(response_action="clear")
    except InvalidEntry as invalid:
        ack(response_action="errors", errors=invalid.errors)
    except Refused as refused:
        if refused.reason is Reason.TRIAL_UNFINISHED:  # the form stays open: it can be sent again in a moment
            ack(response_action="errors", errors={memory.block_id("epochs"): str(refused)})
        else:
            ack(response_action="update", view=notice("Not submitted", str(refused)))
