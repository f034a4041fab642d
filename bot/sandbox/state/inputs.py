"""The state of interactive elements: what an input holds at first, after a person changed it, and after an update.

Slack keeps this state per view (and per message) under ``block_id`` and ``action_id``; so does the workspace.
"""

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.json_types import Json, Values
from bot.sandbox.validation.block_elements import options_of

FIELDS: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
}
"""Per element type: the key of its value in the state, and the key of its first value in the block."""

_MANY = frozenset({"checkboxes", "multi_static_select", "multi_users_select"})
_TEXTS = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input"})
# What Slack's number field lets a person type: no exponent.
_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")

MISSING = "Please complete this required field."


class NotPossible(ValueError):
    """Something that Slack's own client would not let a person do, in one sentence."""


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of one block, in their order."""
    candidates: list[Any] = []
    if block["type"] in {"actions", "context_actions"}:
        candidates = block["elements"]
    elif block["type"] == "section":
        candidates = [block.get("accessory")]
    elif block["type"] == "input":
        candidates = [block["element"]]
    elif block["type"] == "container":
        return [element for child in block.get("child_blocks", []) for element in elements_of(child)]
    return [each for each in candidates if isinstance(each, dict) and "action_id" in each]


def find(blocks: list[Json], block_id: str, action_id: str) -> tuple[Json, Json] | None:
    """The block and its element with these ids."""
    for block, element in _walk(blocks):
        if block["block_id"] == block_id and element["action_id"] == action_id:
            return block, element
    return None


def state_of(blocks: list[Json], before: Values | None = None) -> Values:
    """The states that blocks start with.

    Args:
        blocks: Blocks with all ids filled in.
        before: The states of the version that these blocks replace. An input with the same ids keeps its state, and
            a new initial value is ignored, as on Slack; one whose option is no longer offered starts again.
    """
    values: Values = {}
    for block, element in _walk(blocks):
        if element["type"] not in FIELDS:
            continue
        kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
        if kept is None or kept["type"] != element["type"] or not _offered(element, kept):
            kept = _initial(element)
        values.setdefault(block["block_id"], {})[element["action_id"]] = kept
    return values


def changed(element: Json, given: Json) -> Json:
    """The state after a person changed an element to what ``given`` says, in Slack's form.

    Raises:
        NotPossible: Slack's client would not let this be entered.
    """
    kind = element["type"]
    key, _ = FIELDS[kind]
    if given.get("type", kind) != kind:
        raise NotPossible(f"This field is a {kind}, not a {given['type']}.")
    value = given.get(key)
    if kind in _MANY:
        value = value or []
    if kind in _TEXTS:
        value = None if value is None or value == "" else str(value)
    if kind == "number_input" and value is not None and not _NUMBER.fullmatch(value):
        raise NotPossible(
            f"A number field takes digits, a sign and a decimal point; “{value}” cannot be typed into it."
        )
    state = {"type": kind, key: value}
    if not _offered(element, state):
        raise NotPossible("This option is not offered (any more).")
    if kind in {"static_select", "radio_buttons"} and isinstance(value, dict):
        state[key] = next(option for option in options_of(element) if option["value"] == value["value"])
    elif kind in {"checkboxes", "multi_static_select"}:
        chosen = {option["value"] for option in value or []}
        state[key] = [option for option in options_of(element) if option["value"] in chosen]
    return state


def client_errors(blocks: list[Json], values: Values) -> dict[str, str]:
    """What Slack's client finds wrong with a form before it sends it: a sentence per ``block_id``."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values[block["block_id"]][element["action_id"]]
        value = state[FIELDS[element["type"]][0]]
        if value in (None, "", []):
            if not block.get("optional", False):
                errors[block["block_id"]] = MISSING
        elif element["type"] in _TEXTS and (sentence := _text_error(element, value)):
            errors[block["block_id"]] = sentence
    return errors


def _walk(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        for element in elements_of(block):
            yield block, element


def _initial(element: Json) -> Json:
    key, initial = FIELDS[element["type"]]
    return {"type": element["type"], key: element.get(initial, [] if element["type"] in _MANY else None)}


def _offered(element: Json, state: Json) -> bool:
    value = state[FIELDS[element["type"]][0]]
    if element["type"] not in {"static_select", "radio_buttons", "checkboxes", "multi_static_select"} or not value:
        return True
    offered = {option["value"] for option in options_of(element)}
    return all(
        isinstance(each, dict) and each.get("value") in offered
        for each in ([value] if isinstance(value, dict) else value)
    )


def _text_error(element: Json, text: str) -> str | None:
    if element["type"] == "number_input":
        if not element["is_decimal_allowed"] and "." in text:
            return "Please enter a whole number."
        if "min_value" in element and float(text) < float(element["min_value"]):
            return f"Please enter a number of at least {element['min_value']}."
        if "max_value" in element and float(text) > float(element["max_value"]):
            return f"Please enter a number of at most {element['max_value']}."
        return None
    if len(text) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    if len(text) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    return None
