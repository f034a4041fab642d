"""Everything that somebody can do to the bot, as the payloads that Slack sends."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.admin.views import controls
from bot.participant.form_state import OTHER, TAKE, VALUE, WHY, FormMemory, Purpose
from bot.participant.views import buttons, final_choice, onboarding
from bot.participant.views.answers import LEAVE
from bot.participant.views.configuration_form import FORM
from bot.participant.views.next_step import SHOW
from bot.participant.views.typed_configuration import TYPED, Typed
from bot.researcher.views import slack_check
from bot.researcher.views.confirmations import NO, YES
from bot.researcher.views.pages import TURN
from bot.researcher.views.people import PLOTS
from bot.researcher.views.slack_check import Attempt, Outcome, Shown, Way
from tests.bot.payloads.bot_at_once import (
    REPORTS,
    BotAtOnce,
    change,
    command,
    direct_channel,
    opened,
    press,
    submission,
    written,
)
from tests.bot.payloads.cast import ROLES, VALUES, session_of
from training.hyperparameters import Configuration

Payload = dict[str, Any]
Make = Callable[[BotAtOnce, str, str], Payload]
"""Makes a payload, from the bot, the Slack user who acts, and the participant whose session it is about."""

NEWCOMER = "U00000NEWONE"
SHOWN = Shown(tuple(Attempt(way, number, Outcome.SHOWN, f"2.{number}") for number, way in enumerate(Way, 11)))


@dataclass(frozen=True)
class Action:
    """One thing that somebody can do.

    Attributes:
        listener: Which listener takes it: ``action form_new``, ``view final``, ``event message``, ``/study``.
        make: Makes the payload.
    """

    listener: str
    make: Make


def _press(action_id: str, value: str = "", block_id: str = "row") -> Action:
    def make(at_once: BotAtOnce, user: str, _: str) -> Payload:
        return press(user, action_id, value, ts=at_once.ts(), block_id=block_id)

    return Action(f"action {action_id}", make)


def _admin(action_id: str, value: str = "", channel: str = REPORTS) -> Action:
    def make(at_once: BotAtOnce, user: str, _: str) -> Payload:
        return press(user, action_id, value, channel=channel, ts=at_once.ts())

    return Action(f"action {action_id}", make)


def _of_session(action_id: str) -> Action:
    def make(at_once: BotAtOnce, user: str, owner: str) -> Payload:
        return press(user, action_id, session_of(at_once, owner).button_value, ts=at_once.ts())

    return Action(f"action {action_id}", make)


def _of_trial(action_id: str) -> Action:
    def make(at_once: BotAtOnce, user: str, owner: str) -> Payload:
        return press(user, action_id, session_of(at_once, owner).trials[-1].button_value, ts=at_once.ts())

    return Action(f"action {action_id}", make)


def _typed(purpose: Purpose) -> Action:
    def make(at_once: BotAtOnce, user: str, owner: str) -> Payload:
        value = Typed(purpose, session_of(at_once, owner).button_value, {"epochs": "31"}).dump()
        return press(user, TYPED, value, ts=at_once.ts())

    return Action(f"action {TYPED}", make)


def memory_of(at_once: BotAtOnce, owner: str, purpose: Purpose) -> FormMemory:
    """The state of a form of somebody's session that is filled in."""
    return FormMemory.new(purpose, session_of(at_once, owner).button_value, Configuration.create(VALUES))


def values_of(memory: FormMemory) -> Payload:
    """What Slack sends of a form that is filled in."""
    values: Payload = {}
    for name, value in memory.initial.items():
        if name in memory.shown:
            chosen = name in ("loss", "optimizer")
            state = {"selected_option": {"value": value}} if chosen else {"value": value}
            values[memory.block_id(name)] = {VALUE: state}
            values[memory.block_id(name, WHY)] = {WHY: {"selected_option": None}}
    return values


def _form(purpose: Purpose) -> Action:
    def make(at_once: BotAtOnce, user: str, owner: str) -> Payload:
        memory = memory_of(at_once, owner, purpose)
        return submission(user, FORM, values_of(memory), memory.dump())

    return Action(f"view {FORM}", make)


def _change(action_id: str) -> Action:
    def make(at_once: BotAtOnce, user: str, owner: str) -> Payload:
        memory = memory_of(at_once, owner, Purpose.TRY)
        view = {"private_metadata": memory.dump(), "state": {"values": values_of(memory)}}
        return change(user, action_id, view, memory.block_id("optimizer"), "adam")

    return Action(f"action {action_id}", make)


def _taken_over(at_once: BotAtOnce, user: str, owner: str) -> Payload:
    memory = memory_of(at_once, owner, Purpose.TRY).suggesting(Configuration.create(VALUES))
    view = {"private_metadata": memory.dump(), "state": {"values": values_of(memory)}}
    return change(user, TAKE, view, "suggestion", "")


def _final(choice: str) -> Action:
    def make(at_once: BotAtOnce, user: str, owner: str) -> Payload:
        values = {"choice": {"choice": {"selected_option": {"value": choice}}}}
        return submission(user, final_choice.FINAL_FORM, values, session_of(at_once, owner).button_value)

    return Action(f"view {final_choice.FINAL_FORM}", make)


def _background(at_once: BotAtOnce, user: str, _: str) -> Payload:
    values: Payload = {
        "months": {"answer": {"value": "3"}},
        "education": {"answer": {"selected_option": {"value": "doctorate"}}},
    }
    for question in at_once.bot.settings.questions:
        answer = {"value": "1"} if question.kind == "number" else {"selected_option": {"value": question.choices[0]}}
        values[f"extra.{question.name}"] = {"answer": answer}
    return submission(user, onboarding.BACKGROUND_FORM, values, "https://hooks.slack.invalid/asked")


def _checked(at_once: BotAtOnce, user: str, _: str) -> Payload:
    values = {str(each.way): {"typed": {"value": str(each.number)}} for each in SHOWN.attempts}
    carried = {"shown": str(SHOWN), "channel": direct_channel(user), "question": at_once.ts()}
    return submission(user, slack_check.FORM, values, json.dumps(carried))


def _code(at_once: BotAtOnce, role: str) -> str:
    participant = at_once.bot.study.person(ROLES[role])
    assert participant is not None
    return participant.code


def _study(text: str, role: str = "") -> Action:
    def make(at_once: BotAtOnce, user: str, _: str) -> Payload:
        return command(user, text.format(code=_code(at_once, role) if role else ""))

    return Action(f"/study {text.split()[0]}", make)


def _yes(text: str, role: str = "") -> Action:
    """*Yes* under the question of a command, which a researcher has asked for."""

    def make(at_once: BotAtOnce, user: str, _: str) -> Payload:
        asked = at_once.send(command(ROLES["researcher"], text.format(code=_code(at_once, role) if role else "")))
        blocks = asked.calls[-1][1]["blocks"]
        (value,) = [each["value"] for block in blocks for each in block.get("elements", ()) if each["action_id"] == YES]
        return press(user, YES, value, ts=at_once.ts())

    return Action(f"action {YES}", make)


def _plots(at_once: BotAtOnce, user: str, _: str) -> Payload:
    return press(user, PLOTS, f"participant:1:{_code(at_once, 'tuning')}", ts=at_once.ts())


def _message(text: str) -> Action:
    return Action("event message", lambda at_once, user, _: written(user, text, at_once.ts()))


def _opened(tab: str) -> Action:
    return Action("event app_home_opened", lambda _, user, __: opened(user, tab))


ACTIONS: Mapping[str, Action] = {
    "opens Messages": _opened("messages"),
    "opens Home": _opened("home"),
    "agrees": _press(onboarding.AGREE),
    "asks for the questions": _press(onboarding.BACKGROUND),
    "answers the questions": Action(f"view {onboarding.BACKGROUND_FORM}", _background),
    "opens the guide": _press(onboarding.GUIDE),
    "starts": _press(onboarding.START),
    "asks for the status": _press(SHOW),
    "asks for a form": _of_session(buttons.NEW),
    "tunes from a trial": _of_trial(buttons.FROM_HERE),
    "opens a typed try": _typed(Purpose.TRY),
    "opens a typed choice": _typed(Purpose.FINAL),
    "changes a value": _change(VALUE),
    "changes a reason": _change(WHY),
    "changes other words": _change(OTHER),
    "takes suggested values over": Action(f"action {TAKE}", _taken_over),
    "sends a try": _form(Purpose.TRY),
    "sends a choice of values": _form(Purpose.FINAL),
    "cancels the trial": _of_trial(buttons.CANCEL),
    "asks for a picture": _of_trial(buttons.PICTURE),
    "asks for the history": _of_session(buttons.HISTORY),
    "asks to finish": _of_session(buttons.FINISH),
    "chooses a trial": _final("1"),
    "chooses other values": _final(final_choice.NEW_VALUES),
    "leaves": _press(LEAVE),
    "writes help": _message("help"),
    "writes start": _message("start"),
    "writes tune": _message("tune"),
    "writes time": _message("time"),
    "writes history": _message("history"),
    "writes cancel": _message("cancel"),
    "writes finish": _message("finish"),
    "writes leave": _message("leave"),
    "writes a configuration": _message("epochs 31 lr 0.137"),
    "/study help": _study("help"),
    "/study status": _study("status"),
    "/study participants": _study("participants"),
    "/study participant": _study("participant {code}", "tuning"),
    "/study invite": _study(f"invite <@{NEWCOMER}>"),
    "/study extend": _study("extend {code} 10m", "tuning"),
    "/study cancel": _study("cancel {code}", "tuning"),
    "/study withdraw": _study("withdraw {code}", "tuning"),
    "/study check": _study("check"),
    "/study open": _study("open"),
    "/study pause": _study("pause"),
    "/study resume": _study("resume"),
    "/study close": _study("close"),
    "/study baseline": _study("baseline random 3"),
    "/study evaluate": _study("evaluate"),
    "/study cancel-evaluations": _study("cancel-evaluations {code}", "finished"),
    "/study report": _study("report"),
    "/study export": _study("export"),
    "turns a page": _press(f"{TURN}.next", "participants:1:"),
    "asks for plots": Action(f"action {PLOTS}", _plots),
    "confirms a pause": _yes("pause"),
    "confirms the end of a session": _yes("cancel {code}", "tuning"),
    "confirms a withdrawal": _yes("withdraw {code}", "tuning"),
    "confirms the end of evaluations": _yes("cancel-evaluations {code}", "finished"),
    "says no": _press(NO),
    "asks for the numbers": _press(slack_check.READ, str(SHOWN)),
    "sees no numbers": _press(slack_check.NONE_READ, str(SHOWN)),
    "types the numbers": Action(f"view {slack_check.FORM}", _checked),
    "pauses": _admin(controls.PAUSE),
    "resumes": _admin(controls.RESUME),
    "retries evaluations": _admin(controls.RETRY),
    "acknowledges an alert": _admin(controls.ACKNOWLEDGE, "1"),
    "pauses elsewhere": _admin(controls.PAUSE, channel="C0000ANOTHER"),
    "presses an old button": Action("action ", _press("of_an_older_version", "17").make),
}
"""By what somebody does."""

OF_A_SESSION = (
    "asks for a form",
    "tunes from a trial",
    "opens a typed try",
    "opens a typed choice",
    "sends a try",
    "sends a choice of values",
    "cancels the trial",
    "asks for a picture",
    "asks for the history",
    "asks to finish",
    "chooses a trial",
    "chooses other values",
)
"""Those that carry a session or a trial."""
