"""Drives the bot through every state and every refusal, and collects what it says to participants."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.participant.form_state import VALUE, WHY, FormMemory, Purpose
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
    {"1", "3", "512", "0.01", "0.1", "-7", "77", "9999", "4000000", "1e39", "1e-60", "1,234", "1.234", "1234"}
)
"""The numbers that the participants of this page enter themselves, and what they may be read as."""

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

_WRITTEN = (
    *Word,
    "hello",
    "what now?",
    "cancel trial 7",
    "please cancel it",
    *(f"what is {each.label.lower()}?" for each in HYPERPARAMETERS),
    *(
        f"{each.label.lower()} {number}"
        for each in HYPERPARAMETERS
        if not each.choices
        for number in ("-7", "lots", "1e39")
    ),
    "adam, cross entropy, epochs 3, batch 512, lr 0.1",
    "adam momentum 0.1",
    "sgd beta1 0.1 alpha 0.1",
    "epochs 3 epochs 77",
    "lr",
    "batch 9999",
    "batch 1,234",
    "epochs 1.234",
    "lr 1e-60",
    "lr 0.1 with some sugar",
    "epochs 77 lr 0.1 a b c d e f g h i",
)

_WHO_WRITES = ("described", "tuning", "training", "choosing")

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
    for study in ("open", "paused", "not open yet"):
        with bot_at_once() as at_once:
            _drive(page, at_once, study)
    with bot_at_once(bounds=str(Bounds.NARROW)) as at_once:
        assemble(at_once)
        page.add("With narrow bounds, somebody reads about the settings", _sent(at_once, "tuning", "opens the guide"))
        page.add("With narrow bounds, somebody opens the form", _sent(at_once, "tuning", "asks for a form"))
        _mistakes(page, at_once, "With narrow bounds")
    with bot_at_once(withdrawn_data="delete") as at_once:
        assemble(at_once)
        for role in PARTICIPANTS:
            page.add(f"{_DESCRIBED[role]} leaves, and the data is deleted", _sent(at_once, role, "leaves"))


def _drive(page: Page, at_once: BotAtOnce, study: str) -> None:
    if study == "not open yet":
        page.add("A study that has not opened yet", *(_sent(at_once, "stranger", each) for each in _ALONE))
        return
    at_once.send(message(ROLES["slackbot"], "", at_once.ts()))
    assemble(at_once)
    page.add("On the way into the study and through it", *_for_people(at_once._now.calls))
    if study == "paused":
        studies.pause_study(at_once.bot.store, actor="researcher-1", now=datetime.now(UTC))
    where = "" if study == "open" else "While the study is paused: "
    copied = at_once.copy()
    for role in PARTICIPANTS:
        # What confirms something sends a researcher's command first, which others may not.
        actions = [each for each in ACTIONS if not each.startswith("confirms")] if study == "open" else _ALONE
        for action in actions:
            page.add(f"{where}{_DESCRIBED[role]} {action}", _sent(at_once, role, action))
            at_once.restore(copied)
        for text in _WRITTEN if study == "open" and role in _WHO_WRITES else ():
            answered = at_once.send(message(ROLES[role], text, at_once.ts()))
            page.add(f"{_DESCRIBED[role]} writes “{text}”", _shown(answered))
        at_once.restore(copied)
    if study == "open":
        _mistakes(page, at_once, "")
        _forms(page, at_once)
        _researchers(page, at_once, copied)


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


def _mistakes(page: Page, at_once: BotAtOnce, where: str) -> None:
    """Every field of the form, with everything that cannot be used."""
    for optimizer in Optimizer:
        memory = memory_of(at_once, ROLES["tuning"], Purpose.TRY)
        memory = FormMemory.typed(Purpose.TRY, memory.session, {**memory.initial, "optimizer": str(optimizer)}, None)
        numbers = [name for name in memory.shown if not BY_NAME[name].choices]
        for typed in _MISTAKES:
            entered = {memory.block_id(name): {VALUE: {"value": typed}} for name in numbers}
            page.add(f"{where}Somebody enters “{typed}”", _send_form(at_once, memory, entered))
        page.add(f"{where}Somebody opens the form for {optimizer}", configuration_form(memory))
    other = {memory.block_id(name, WHY): {WHY: {"selected_option": {"value": "other"}}} for name in memory.shown}
    page.add(f"{where}Somebody gives no reason", _send_form(at_once, memory, other))
    for typed in ("9999", "4000000"):
        entered = {
            memory.block_id("epochs"): {VALUE: {"value": typed}},
            memory.block_id("batch_size"): {VALUE: {"value": "1"}},
        }
        page.add(f"{where}Somebody enters {typed} epochs", _send_form(at_once, memory, entered))


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
