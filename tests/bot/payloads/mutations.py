"""Payloads as Slack may send them of an old message, an old form, or an older version of the bot; and odd texts."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from bot.participant.form_state import OTHER, VALUE, WHY
from bot.participant.keywords import Word
from bot.researcher.listeners import COMMANDS
from training.hyperparameters import HYPERPARAMETERS, LABELS

_ODD = (
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "nan",
    "9" * 30,
    "x" * 5000,
    "🙂" * 300,
    "\u202e\u0000\ud7ff",
    "null",
    "[]",
    "{}",
    "17",
    ":",
    "a:b:c",
    "participant:1:P999999999999999999999",
    "participants:99999999999999999999:",
    "status:-3:",
    "open::",
    "withdraw:P1:",
    "<@U00000TUNING>",
    "<!channel>",
    "<https://example.com|x>",
    "&lt;@U1&gt;",
    "*_~`>",
    *LABELS,
    *(each.name for each in HYPERPARAMETERS),
)

TEXTS = st.one_of(st.sampled_from(_ODD), st.text(max_size=60), st.text(alphabet="0123456789.,-e: ", max_size=30))
"""Texts that nobody expects."""

_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)

_WORDS = st.sampled_from(
    [
        *COMMANDS,
        *Word,
        *(each.name for each in HYPERPARAMETERS),
        *LABELS,
        *[
            "P1",
            "P002",
            "p3",
            "P0",
            "10m",
            "1h30m",
            "-5m",
            "0s",
            "9999999h",
            "random",
            "tpe",
            "tries",
            "stop",
            "figure-4",
            "figures",
            "=",
            "lr",
            "1e-3",
            "1,5",
            "trial",
            "1",
            "2",
        ],
        "<@U00000TUNING>",
        "<@USLACKBOT>",
        "<!subteam^S0000001|@people>",
    ]
)
LINES = st.one_of(
    TEXTS,
    st.lists(st.one_of(_WORDS, _WORDS, _WORDS, TEXTS), max_size=8).map(" ".join),
)
"""What people type: words that the bot knows, in any order, among others."""

_GONE = object()

_CARRIED = ("value", "private_metadata", "block_id", "text", "ts", "thread_ts", "tab", "action_ts")
_MAY_BE_MISSING = ("value", "text", "thread_ts", "tab", "message", "container", "response_url", "selected_option")
_IDS = ("channel", "message_ts", "view_id", "channel_id")


@st.composite
def mutated(draw: st.DrawFn, body: dict[str, Any]) -> dict[str, Any]:
    """A payload of which some parts are others, or missing, as far as Slack could send it so."""
    body = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        parts = list(_parts(body))
        where, key = draw(st.sampled_from(parts))
        value = draw(_other(key, where[key]))
        if value is _GONE:
            del where[key]
        else:
            where[key] = value
    return body


def _parts(where: Any, under: str = "") -> Iterator[tuple[Any, str]]:
    """Whatever may be another one: where it is, and its key."""
    for key, value in where.items():
        if key in ("user", "user_id", "type", "team", "action_id", "callback_id", "command", "trigger_id"):
            continue
        in_state = under == "values" or key in (VALUE, WHY, OTHER, "answer", "choice", "typed")
        if key in _CARRIED or key in _MAY_BE_MISSING or key in _IDS or in_state:
            yield where, key
        if isinstance(value, dict) and key != "selected_option":
            yield from _parts(value, key)
        elif key == "actions":
            yield from _parts(value[0])


def _other(key: str, value: Any) -> st.SearchStrategy[Any]:
    """What may be there in place of a value."""
    others: list[st.SearchStrategy[Any]] = []
    if key == "selected_option":
        others.append(TEXTS.map(lambda text: {"value": text}))
    elif key == "text":
        others.append(LINES)
    elif isinstance(value, str) and key == "action_ts":
        others.append(st.sampled_from(["1700000000.6", "0.1"]))
    elif isinstance(value, str) and value[:2] in ('{"', "[["):
        others += [TEXTS, _JSON.map(json.dumps), _inside(json.loads(value)).map(json.dumps)]
    elif isinstance(value, str) and ":" in value:
        others += [TEXTS, st.lists(TEXTS, max_size=4).map(":".join)]
    elif isinstance(value, str) or value is None:
        others.append(TEXTS)
    else:
        others.append(st.just(value))
    if key not in (*_CARRIED, *_IDS) or key in _MAY_BE_MISSING:
        others.append(st.just(_GONE))
    if key in ("value", "selected_option", "text"):
        others.append(st.none())
    return st.one_of(others)


@st.composite
def _inside(draw: st.DrawFn, content: Any) -> Any:
    """Something in what a form or a button carries is another one, or missing."""
    content = copy.deepcopy(content)
    where = content
    while True:
        if not where:
            return draw(_JSON)
        key = draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if isinstance(where[key], dict | list) and draw(st.booleans()):
            where = where[key]
            continue
        if draw(st.booleans()):
            where[key] = draw(_JSON)
        else:
            del where[key]
        return content
