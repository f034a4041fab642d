"""Who may do what: every listener of the bot and every word of ``/study``, for everybody in every state.

A new listener or word belongs into :data:`tests.bot.payloads.actions.ACTIONS` and into the table here.
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.researcher.listeners import COMMANDS
from tests.bot.payloads.actions import ACTIONS, OF_A_SESSION
from tests.bot.payloads.bot_at_once import Answered, BotAtOnce, Content, bot_at_once
from tests.bot.payloads.cast import ROLES, SESSIONS, assemble

DOES, SHOWS, REFUSES, NOTHING = "+s-."
"""What comes of an action: the database changes; something is shown, and nothing changes; the person is told why not;
nothing at all."""

TABLE: Mapping[str, str] = {
    "opens Messages": "+.........+...",
    "opens Home": "+sssssssss+ss.",
    "agrees": "-+-----------.",
    "asks for the questions": "--s----------.",
    "answers the questions": "--+-----------",
    "opens the guide": "sssssssssssss.",
    "starts": "---++--------.",
    "asks for the status": "+ssssssss-++s.",
    "asks for a form": "-----ss-----s.",
    "tunes from a trial": "-----ss-----s.",
    "opens a typed try": "-----ss-----s.",
    "opens a typed choice": "-----sss----s.",
    "changes a value": "ssssssssssssss",
    "changes a reason": "ssssssssssssss",
    "changes other words": "ssssssssssssss",
    "takes suggested values over": "ssssssssssssss",
    "sends a try": "-----+------+-",
    "sends a choice of values": "-----+++----+-",
    "cancels the trial": "------+------.",
    "asks for a picture": "------.------.",
    "asks for the history": "-----ssss---s.",
    "asks to finish": "-----sss----s.",
    "chooses a trial": "-----+++----+-",
    "chooses other values": "-----sss----s-",
    "leaves": "-++++++++---+.",
    "writes help": "+ssssssss-+ss.",
    "writes start": "+ssssssss-+ss.",
    "writes tune": "+sssssss--+ss.",
    "writes time": "+ssssssss-+ss.",
    "writes history": "+ssssssss-+ss.",
    "writes cancel": "+ss---+---+--.",
    "writes finish": "+ssssssss-+ss.",
    "writes leave": "+ssssssss-+ss.",
    "writes a configuration": "+ssssss-s-+ss.",
    "/study help": "-----------ss.",
    "/study status": "-----------ss.",
    "/study participants": "-----------ss.",
    "/study participant": "-----------ss.",
    "/study invite": "-----------++.",
    "/study extend": "-----------++.",
    "/study cancel": "-----------ss.",
    "/study withdraw": "-----------ss.",
    "/study check": "-----------ss.",
    "/study open": "-------------.",
    "/study pause": "-----------ss.",
    "/study resume": "-------------.",
    "/study close": "-------------.",
    "/study baseline": "-----------++.",
    "/study evaluate": "-----------++.",
    "/study cancel-evaluations": "-----------ss.",
    "/study report": "-----------ss.",
    "/study export": "-----------ss.",
    "turns a page": "-----------ss.",
    "asks for plots": "-----------ss.",
    "confirms a pause": "-----------++.",
    "confirms the end of a session": "-----------++.",
    "confirms a withdrawal": "-----------++.",
    "confirms the end of evaluations": "-----------++.",
    "says no": "-----------ss.",
    "asks for the numbers": "-----------ss.",
    "sees no numbers": "-----------++.",
    "types the numbers": "...........++.",
    "pauses": "++--------+++.",
    "resumes": "++-----------.",
    "retries evaluations": "++--------+++.",
    "acknowledges an alert": "++--------+++.",
    "pauses elsewhere": "-----------++.",
    "presses an old button": "..............",
}
"""What comes of each action, by role: one character for each of :data:`ROLES`, in their order.

- Whoever is new is greeted when they open the bot or write to it. A researcher takes part by a button only.
- Whoever presses a button in the report channel reads it, so they are an admin, also when they were greeted. Somebody
  who has agreed to take part is none.
- Who presses a button there for the first time gets a name in the log, also when nothing else is done.
- The guide, and a form that is only redrawn, change nothing and tell nothing of anybody, so all may use them.
- A picture of a trial that runs comes by itself.
"""

REFUSALS = (
    "`/study` is for the researchers",
    "This button does not work any more",
    "somebody else's session",
    "for the people who run the study",
    "not the report channel any more",
    "This form is from an older version",
    "There is no participant",
    "There is no alert",
    "I do not know you yet",
    "You have taken part in this study before",
    "You are not in the study any more",
    "read the text above and press",
    "read and accept the consent text",
    "tell us about your experience",
    "have agreed to take part already",
    "answered these questions already",
    "told us your experience already",
    "has begun already",
    "had your session",
    "in the queue already",
    "one trial at a time",
    "nothing to cancel",
    "nothing to resume",
    "study is open already",
    "Still in a session",
    "has ended. The picture of its losses is in its result",
    "Your time is up. Press *Choose*",
    "Your time is up, so",
    "session is over",
)
"""What the sentences say that refuse something."""


class Stage:
    """Everybody in their state. Each action begins from there."""

    def __init__(self, at_once: BotAtOnce) -> None:
        assemble(at_once)
        self.at_once = at_once
        self.begin_from_here()

    def begin_from_here(self) -> None:
        """Let each action begin from what is kept now."""
        self.before: Content = self.at_once.content()
        self._copy = self.at_once.copy()

    def payload(self, action: str, role: str, owner: str | None = None) -> dict[str, Any]:
        """What Slack sends when somebody does an action, with their own buttons or an owner's."""
        owner = owner or (role if role in SESSIONS else "tuning")
        return ACTIONS[action].make(self.at_once, ROLES[role], ROLES[owner])

    def do(self, action: str, role: str, owner: str | None = None) -> tuple[str, Answered]:
        """Do an action as somebody, with their own buttons or an owner's. Returns what comes of it."""
        came, answered = self.send(self.payload(action, role, owner))
        assert answered.errors == [], (action, role)
        return came, answered

    def send(self, body: dict[str, Any]) -> tuple[str, Answered]:
        """Send a payload. Returns what comes of it."""
        answered = self.at_once.send(body)
        changed = self.at_once.content() != self.before
        if changed:
            self.at_once.restore(self._copy)
        return outcome(answered, changed=changed), answered


def outcome(answered: Answered, *, changed: bool) -> str:
    """What came of an action."""
    if changed:
        return DOES
    said = answered.said
    if any(each in said for each in REFUSALS):
        return REFUSES
    return SHOWS if said.strip() or answered.made else NOTHING


@pytest.fixture(scope="module")
def stage():
    with bot_at_once() as at_once:
        yield Stage(at_once)


def listeners(at_once):
    """Every listener of the bot, as :class:`Action` names them; that of ``/study`` once for each of its words."""
    kinds = {"app_home_opened": "event", "message": "event", "background": "view", "configuration": "view"}
    kinds |= {"final": "view", "slack_check": "view"}
    found = set()
    for listener in at_once.bot._handler.app._listeners:
        (name,) = (cell.cell_contents for cell in listener.matchers[0].func.__closure__)
        if name == "/study":
            found |= {f"/study {word}" for word in COMMANDS}
        else:
            found.add(f"{kinds.get(name, 'action')} {name.pattern if isinstance(name, re.Pattern) else name}")
    return found


def test_the_table_has_every_listener_and_every_word(stage):
    named = {action.listener for action in ACTIONS.values()}
    missing = {each for each in listeners(stage.at_once) if not any(_takes(each, name) for name in named)}
    assert missing == set(), "new listeners or words: say in ACTIONS and in TABLE who may use them"
    assert TABLE.keys() == ACTIONS.keys()
    assert {len(row) for row in TABLE.values()} == {len(ROLES)}


def _takes(listener, name):
    kind = listener.partition(" ")[0]
    return name == listener or (kind == "action" and name != "action" and re.fullmatch(listener, name) is not None)


@pytest.mark.parametrize("action", ACTIONS)
def test_everybody_may_do_what_the_table_says(stage, action):
    row = {role: stage.do(action, role) for role in ROLES}
    assert {role: came for role, (came, _) in row.items()} == dict(zip(ROLES, TABLE[action], strict=True)), {
        role: answered.said[:200] for role, (_, answered) in row.items()
    }


@pytest.mark.long
@pytest.mark.parametrize("action", OF_A_SESSION)
def test_nobody_may_use_somebody_elses_buttons_and_forms(stage, action):
    for owner in ("training", "choosing"):
        for role in ROLES.keys() - {owner}:
            came, answered = stage.do(action, role, owner)
            assert came == (NOTHING if role == "slackbot" and "view" not in ACTIONS[action].listener else REFUSES), (
                owner,
                role,
                answered.said[:200],
            )
            assert answered.views in ([], [""]), (owner, role)


def test_a_form_for_the_final_choice_does_not_ask_to_wait_for_a_trial(stage):
    """It can be sent at once: the trial that runs is cancelled."""
    _, try_form = stage.do("opens a typed try", "training")
    _, final_form = stage.do("opens a typed choice", "training")
    assert "Trial 2 is in progress" in try_form.said
    assert "Trial 2 is in progress" not in final_form.said
