"""Drives the bot through every state and every refusal, and collects what it says to participants."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.participant.form_state import VALUE, WHY, FormMemory, InvalidEntry, Purpose, read
from bot.participant.keywords import Word
from bot.participant.views import final_choice, onboarding
from bot.participant.views.configuration_form import FORM, configuration_form
from bot.participant.views.typed_configuration import TYPED
from storage.schema.tables import Session
from storage.transitions import studies
from tests.bot.payloads.actions import ACTIONS, memory_of, values_of
from tests.bot.payloads.bot_at_once import REPORTS, Answered, BotAtOnce, bot_at_once, direct_channel, press, submission
from tests.bot.payloads.bot_at_once import written as message
from tests.bot.payloads.cast import ROLES, SESSIONS, assemble, session_of
from tests.bot.said.page import Page
from training.bounds import Bounds
from training.hyperparameters import BY_NAME, HYPERPARAMETERS, Optimizer

OWN = frozenset(
    {"7", "31", "77", "173", "531", "9999", "4000000", "0.0271", "0.137", "-7", "1.5", "1234", "1.234", "1e39", "1e-60"}
    | {"1e400", "1e-400", "16", "17", "18", "19", "23", "2.71", "2.63"}
)
"""The numbers that the participants of this page enter and see themselves. No hint would have them."""

PARTICIPANTS = tuple(role for role in ROLES if role not in ("admin", "researcher", "both", "slackbot"))

_DESCRIBED = {
    "stranger": "Somebody who is new",
    "invited": "Somebody who has not agreed yet",
    "consented": "Somebody who has agreed",
    "described": "Somebody who may start",
    "queue": "Somebody in the queue",
    "tuning": "Somebody who tunes",
    "training": "Somebody whose trial trains",
    "choosing": "Somebody whose time is up",
    "finished": "Somebody who has finished",
    "withdrawn": "Somebody who has left",
}

_OF_ADMINS = ("pauses", "resumes", "retries evaluations", "acknowledges an alert", "pauses elsewhere")

_ANYTHING = (*Word, "hello", "what now?", "cancel trial 7", "epochs 31 lr 0.137")

_ABOUT_SETTINGS = (
    *(f"what is {each.label.lower()}?" for each in HYPERPARAMETERS),
    *(f"{each.label.lower()} {number}" for each in HYPERPARAMETERS if not each.choices for number in ("-7", "1e39")),
    "lr lots",
    "adam, cross entropy, epochs 31, batch 173, lr 0.137",
    "adam momentum 0.137",
    "sgd beta1 0.137 alpha 0.137",
    "epochs 31 epochs 77",
    "lr",
    "batch 9999",
    "batch 1,234",
    "epochs 1.234",
    "lr 1e-60",
    "lr 0.137 with some sugar",
    "epochs 77 lr 0.137 a b c d e f g h i j k",
)

_WRITTEN = {
    "described": _ANYTHING,
    "training": ("please cancel it", *_ANYTHING),
    "tuning": (*_ANYTHING, *_ABOUT_SETTINGS),
    "choosing": (*_ANYTHING, "what is momentum?"),
}
"""What people write, by their role."""

_MISTAKES = ("", "lots", "-7", "1.5", "1,234", "1e39", "1e-60", "1e400", "1e-400", "9999", "4000000")
"""What is typed into every field."""


_ALONE = (
    "opens Messages",
    "opens Home",
    "agrees",
    "starts",
    "asks for the status",
    "writes help",
    "answers the questions",
)
"""What somebody may do before there is a study."""


def drive(page: Page) -> None:
    """Add what the bot says to participants, whatever they or researchers do."""
    with bot_at_once() as at_once:
        page.add("A study that has not opened yet", *(_sent(at_once, "stranger", each) for each in _ALONE))
    with bot_at_once() as at_once:
        at_once.send(message(ROLES["slackbot"], "", at_once.ts()))
        assemble(at_once)
        page.add("On the way into the study and through it", *_for_people(at_once._now.calls))
        copied = at_once.copy()
        for role in PARTICIPANTS:
            for action in _actions_of(role):
                page.add(f"{_DESCRIBED[role]} {action}", _sent(at_once, role, action))
                at_once.restore(copied)
            for text in _WRITTEN.get(role, ()):
                answered = at_once.send(message(ROLES[role], text, at_once.ts()))
                page.add(f"{_DESCRIBED[role]} writes “{text}”", _shown(answered))
            at_once.restore(copied)
        _forms(page, at_once)
        _researchers(page, at_once, copied)
        studies.pause_study(at_once.bot.store, actor="researcher-1", now=datetime.now(UTC))
        for role in PARTICIPANTS:
            for action in _ALONE:
                page.add(f"While the study is paused: {_DESCRIBED[role]} {action}", _sent(at_once, role, action))
    for bounds in Bounds:
        _mistakes(page, bounds)


def _actions_of(role: str) -> Iterator[str]:
    """What somebody in this role may do. Members of the report channel who have not agreed to take part are admins."""
    for action, made in ACTIONS.items():
        is_admins = action in _OF_ADMINS and role in ("stranger", "invited")
        # What confirms something sends a researcher's command first; all commands are refused alike.
        is_researchers = action.startswith("confirms") or (
            made.listener.startswith("/study") and action != "/study help"
        )
        if not is_admins and not is_researchers:
            yield action


def _sent(at_once: BotAtOnce, role: str, action: str) -> list[Any]:
    owner = role if role in SESSIONS else "tuning"
    return _shown(at_once.send(ACTIONS[action].make(at_once, ROLES[role], ROLES[owner])))


def _shown(answered: Answered) -> list[Any]:
    """What the person reads who did something, and what other participants read of it."""
    assert answered.errors == [], answered.errors
    shown = [arguments for _, arguments in answered.calls if arguments.get("channel") != REPORTS]
    return [answered.body, *map(_words, shown)]


def _for_people(calls: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[Any]:
    """What participants read of calls."""
    channels = {direct_channel(ROLES[role]) for role in PARTICIPANTS}
    users = {ROLES[role] for role in PARTICIPANTS}
    for _, arguments in calls:
        if arguments.get("channel") in channels or arguments.get("user_id") in users:
            yield _words(arguments)


def _words(arguments: dict[str, Any]) -> dict[str, Any]:
    return {key: arguments[key] for key in ("view", "blocks", "text") if key in arguments}


def _send_form(at_once: BotAtOnce, memory: FormMemory, changes: dict[str, Any], role: str = "tuning") -> list[Any]:
    values = {**values_of(memory), **changes}
    return _shown(at_once.send(submission(ROLES[role], FORM, values, memory.dump())))


def _mistakes(page: Page, bounds: Bounds) -> None:
    """Every field of the form, with everything that cannot be used; and what people read about the settings."""
    where = "With narrow bounds: " if bounds is Bounds.NARROW else ""
    page.add(f"{where}Somebody reads about the settings", onboarding.guide(bounds))
    for optimizer in Optimizer:
        values = {**dict.fromkeys(BY_NAME, "7"), "loss": "l1", "optimizer": str(optimizer)}
        memory = FormMemory.typed(Purpose.TRY, "1", values, None)
        page.add(f"{where}Somebody opens the form for {optimizer}", configuration_form(memory, bounds=bounds))
        for typed in _MISTAKES:
            entered = {memory.block_id(name): {VALUE: {"value": typed}} for name in memory.shown}
            page.add(f"{where}Somebody enters “{typed}”", _errors(memory, entered, bounds))
    other = {memory.block_id(name, WHY): {WHY: {"selected_option": {"value": "other"}}} for name in memory.shown}
    page.add(f"{where}Somebody gives no reason", _errors(memory, other, bounds))
    for typed in ("9999", "4000000"):
        many = {
            memory.block_id("epochs"): {VALUE: {"value": typed}},
            memory.block_id("batch_size"): {VALUE: {"value": "1"}},
        }
        page.add(f"{where}Somebody enters {typed} epochs", _errors(memory, many, bounds))


def _errors(memory: FormMemory, entered: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """What the form says at its fields."""
    try:
        read(memory, entered, training_images=1437, largest_batch=900, most_steps=1_000_000, bounds=bounds)
    except InvalidEntry as invalid:
        return {"errors": invalid.errors}
    return {}


def _forms(page: Page, at_once: BotAtOnce) -> None:
    """Forms that are sent in other ways."""
    memory = memory_of(at_once, ROLES["tuning"], Purpose.TRY)
    sent: dict[str, Callable[[], list[Any]]] = {
        "sends a form before it is redrawn": lambda: _send_form(
            at_once, memory, {memory.block_id("optimizer"): {VALUE: {"selected_option": {"value": "adam"}}}}
        ),
        "chooses nothing": lambda: _send_form(
            at_once, memory, {memory.block_id("loss"): {VALUE: {"selected_option": None}}}
        ),
        "sends a form that cannot be read": lambda: _shown(at_once.send(submission(ROLES["tuning"], FORM, {}, "{"))),
        "sends a final choice that cannot be read": lambda: _shown(
            at_once.send(submission(ROLES["tuning"], final_choice.FINAL_FORM, {}, "?"))
        ),
        "presses a button that cannot be read": lambda: _shown(
            at_once.send(press(ROLES["tuning"], TYPED, "{", ts=at_once.ts()))
        ),
        "chooses a trial that there is not": lambda: _shown(
            at_once.send(
                submission(
                    ROLES["choosing"],
                    final_choice.FINAL_FORM,
                    {"choice": {"choice": {"selected_option": {"value": "77"}}}},
                    session_of(at_once, ROLES["choosing"]).button_value,
                )
            )
        ),
        "leaves the questions empty": lambda: _shown(
            at_once.send(submission(ROLES["consented"], onboarding.BACKGROUND_FORM, {}, ""))
        ),
        "answers the questions with anything": lambda: _shown(
            at_once.send(
                submission(
                    ROLES["consented"],
                    onboarding.BACKGROUND_FORM,
                    {"months": {"answer": {"value": "-7"}}, "extra.programming_years": {"answer": {"value": "lots"}}},
                    "",
                )
            )
        ),
        "opens an empty form": lambda: _empty(at_once),
    }
    for doing, send in sent.items():
        page.add(f"Somebody {doing}", send())


def _empty(at_once: BotAtOnce) -> list[Any]:
    memory = FormMemory.new(Purpose.TRY, session_of(at_once, ROLES["tuning"]).button_value, None)
    return [configuration_form(memory), configuration_form(memory.model_copy(update={"purpose": Purpose.FINAL}))]


def _researchers(page: Page, at_once: BotAtOnce, copied: Any) -> None:
    """What participants read when researchers do something, or when time passes."""
    bot = at_once.bot
    sessions = {role: session_of(at_once, ROLES[role]).participant for role in SESSIONS}
    ten = timedelta(minutes=10)
    done: dict[str, Callable[[], object]] = {
        "extends a session": lambda: bot.actions.extend(sessions["tuning"], ten, "researcher-1"),
        "extends a session while a trial trains": lambda: bot.actions.extend(sessions["training"], ten, "researcher-1"),
        "gives more time for the final choice": lambda: bot.actions.extend(sessions["choosing"], ten, "researcher-1"),
        "ends a session": lambda: bot.actions.cancel(sessions["tuning"], "researcher-1"),
        "ends a session while a trial trains": lambda: bot.actions.cancel(sessions["training"], "researcher-1"),
        "takes somebody out": lambda: bot.actions.withdraw(sessions["tuning"], "researcher-1"),
        "closes the study": lambda: _close(at_once, sessions.values()),
    }
    for doing, do in done.items():
        at_once.send(message(ROLES["slackbot"], "", at_once.ts()))
        do()
        bot.sweep.run()
        page.add(f"A researcher {doing}", *_for_people(at_once._now.calls))
        if doing.startswith("closes"):
            for role in PARTICIPANTS:
                page.add(f"The study is closed. {_DESCRIBED[role]} writes", _sent(at_once, role, "writes help"))
        at_once.restore(copied)
    for minutes in (30, 2, 0, -60):
        with bot.store.write() as transaction:
            for role in ("tuning", "training", "choosing"):
                session = transaction.need(Session, session_of(at_once, ROLES[role]).id)
                session.deadline = datetime.now(UTC) + timedelta(minutes=minutes, seconds=-1)
                if session.grace_ends_at is not None:
                    session.grace_ends_at = session.deadline + timedelta(minutes=10)
        at_once.send(message(ROLES["slackbot"], "", at_once.ts()))
        bot.sweep.run()
        page.add(f"There are {minutes} minutes left", *_for_people(at_once._now.calls))
    at_once.restore(copied)


def _close(at_once: BotAtOnce, codes: Any) -> None:
    for code in codes:
        participant = at_once.bot.actions.find(code)
        view = session_of(at_once, next(user for user in ROLES.values() if _is(at_once, user, participant.id)))
        if not view.state.is_finished:
            at_once.bot.actions.cancel(code, "researcher-1")
    at_once.bot.actions.close("researcher-1")


def _is(at_once: BotAtOnce, user: str, participant: int) -> bool:
    person = at_once.bot.study.person(user)
    return person is not None and person.id == participant
