"""Slack's limits for what stands inside blocks: texts, options, buttons, selects and the other elements.

The numbers are those of https://docs.slack.dev/reference/block-kit; the sentences are in the form of Slack's own
``response_metadata.messages``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import BlockElement

from bot.sandbox.json_types import Json

_SELECTS = frozenset(
    {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
    | {f"multi_{kind}_select" for kind in ("static", "external", "users", "conversations", "channels")}
)
_CHOICES = _SELECTS | {"checkboxes", "radio_buttons", "datepicker", "timepicker"}
IN_SECTION = _CHOICES | {"button", "overflow", "image", "workflow_button"}
IN_ACTIONS = _CHOICES | {"button", "overflow", "datetimepicker", "workflow_button"}
IN_INPUT = _CHOICES | {
    "datetimepicker",
    "email_text_input",
    "file_input",
    "number_input",
    "plain_text_input",
    "rich_text_input",
    "url_text_input",
}
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_PLAIN, _ANY_TEXT = ("plain_text",), ("plain_text", "mrkdwn")


@dataclass
class Findings:
    """What is wrong with blocks, in Slack's words.

    Attributes:
        file_kind: The ``mimetype`` of a file by its id: empty while it is processed, ``None`` if there is no such file.
        charts: Whether the workspace knows ``data_visualization``.
    """

    file_kind: Callable[[str], str | None]
    charts: bool = True
    messages: list[str] = field(default_factory=list)

    def error(self, text: str, at: str) -> None:
        """Note one error. ``at`` is the JSON pointer to its place."""
        self.messages.append(f"[ERROR] {text} [json-pointer:{at}]")

    def length(self, value: Any, at: str, most: int, least: int = 1) -> bool:
        """Check that a value is a string of an allowed length."""
        if not isinstance(value, str):
            self.error("must be a string", at)
        elif len(value) > most:
            self.error(f"must be less than {most + 1} characters", at)
        elif len(value) < least:
            self.error(f"must be more than {least - 1} characters", at)
        else:
            return True
        return False

    def items(self, value: Any, at: str, most: int, least: int = 1) -> list[Any]:
        """Check that a value is a list of an allowed length. Returns it; an empty list where it is something else."""
        if not isinstance(value, list):
            self.error("must be an array", at)
            return []
        if len(value) > most:
            self.error(f"no more than {most} items allowed", at)
        if len(value) < least:
            self.error(f"no less than {least} item{'' if least == 1 else 's'} allowed", at)
        return value

    def text(self, value: Any, at: str, most: int, kinds: tuple[str, ...] = _PLAIN) -> None:
        """Check a text object."""
        if not isinstance(value, dict):
            self.error("missing required field: text object", at)
            return
        if value.get("type") not in kinds:
            self.error(f"unsupported type: {value.get('type')}", f"{at}/type")
        allowed = {"type", "text", "emoji"} if value.get("type") == "plain_text" else {"type", "text", "verbatim"}
        self.only(value, allowed, at)
        self.length(value.get("text"), f"{at}/text", most)

    def only(self, value: Json, allowed: set[str], at: str) -> None:
        """Check that an object has no field that Slack does not know."""
        for name in sorted(value.keys() - allowed):
            self.error(f"invalid additional property: {name}", at)

    def picture(self, value: Json, at: str) -> None:
        """Check where an image block or an image element has its picture from."""
        self.length(value.get("alt_text"), f"{at}/alt_text", 2000)
        has_url, has_file = value.get("image_url") is not None, value.get("slack_file") is not None
        if has_url == has_file:
            self.error("must define exactly one of `image_url` and `slack_file`", at)
        elif has_url:
            if self.length(value["image_url"], f"{at}/image_url", 3000) and not re.match(
                r"https?://", value["image_url"]
            ):
                self.error("invalid image url", f"{at}/image_url")
        else:
            file = value["slack_file"]
            kind = self.file_kind(file["id"]) if isinstance(file, dict) and isinstance(file.get("id"), str) else None
            if kind not in {"image/png", "image/jpeg", "image/gif"}:
                self.error("invalid slack file", f"{at}/slack_file")


def check_element(findings: Findings, element: Any, at: str, allowed: frozenset[str]) -> None:
    """Check one element of a block that allows these types."""
    if not isinstance(element, dict) or element.get("type") not in allowed:
        kind = element.get("type") if isinstance(element, dict) else element
        findings.error(f"unsupported type: {kind}", f"{at}/type")
        return
    kind = element["type"]
    _check_names(findings, element, at)
    if kind == "image":
        findings.picture(element, at)
        return
    if "action_id" in element:
        findings.length(element["action_id"], f"{at}/action_id", 255)
    if "placeholder" in element:
        findings.text(element["placeholder"], f"{at}/placeholder", 150)
    if "confirm" in element:
        _check_confirm(findings, element["confirm"], f"{at}/confirm")
    if kind == "button":
        _check_button(findings, element, at)
    elif kind == "overflow":
        _check_options(findings, element.get("options"), f"{at}/options", most=5, texts=_PLAIN)
    elif kind in {"checkboxes", "radio_buttons"}:
        _check_options(findings, element.get("options"), f"{at}/options", most=10, texts=_ANY_TEXT)
        _check_initial(findings, element, at)
    elif kind in {"static_select", "multi_static_select"}:
        _check_static_select(findings, element, at)
        _check_initial(findings, element, at)
    elif kind == "plain_text_input":
        _check_text_input(findings, element, at)
    elif kind == "number_input":
        _check_number_input(findings, element, at)
    elif kind == "datepicker":
        _check_date(findings, element, at)


def _check_names(findings: Findings, element: Json, at: str) -> None:
    """Fields that no element of this type has: the SDK's models know which there are."""
    try:
        model = BlockElement.parse(dict(element))
    except TypeError as error:  # A required argument of the model is missing.
        findings.error(f"missing required field: {str(error).rpartition(':')[2].strip()}", at)
        return
    if model is not None:
        findings.only(element, set(model.attributes) | {"type"}, at)


def _check_button(findings: Findings, button: Json, at: str) -> None:
    findings.text(button.get("text"), f"{at}/text", 75)
    if "value" in button:
        findings.length(button["value"], f"{at}/value", 2000, least=0)
    if "url" in button:
        findings.length(button["url"], f"{at}/url", 3000)
    if "accessibility_label" in button:
        findings.length(button["accessibility_label"], f"{at}/accessibility_label", 75)
    if button.get("style") not in {None, "primary", "danger"}:
        findings.error("must be one of: primary, danger", f"{at}/style")


def _check_confirm(findings: Findings, confirm: Any, at: str) -> None:
    if not isinstance(confirm, dict):
        findings.error("must be an object", at)
        return
    findings.only(confirm, {"title", "text", "confirm", "deny", "style"}, at)
    findings.text(confirm.get("title"), f"{at}/title", 100)
    findings.text(confirm.get("text"), f"{at}/text", 300, _ANY_TEXT)
    findings.text(confirm.get("confirm"), f"{at}/confirm", 30)
    findings.text(confirm.get("deny"), f"{at}/deny", 30)
    if confirm.get("style") not in {None, "primary", "danger"}:
        findings.error("must be one of: primary, danger", f"{at}/style")


def _check_options(findings: Findings, options: Any, at: str, *, most: int, texts: tuple[str, ...]) -> None:
    values: set[str] = set()
    for index, option in enumerate(findings.items(options, at, most)):
        pointer = f"{at}/{index}"
        if not isinstance(option, dict):
            findings.error("must be an object", pointer)
            continue
        findings.only(option, {"text", "value", "description", "url"}, pointer)
        findings.text(option.get("text"), f"{pointer}/text", 75, texts)
        if findings.length(option.get("value"), f"{pointer}/value", 150):
            if option["value"] in values:
                findings.error("option values must be unique", f"{pointer}/value")
            values.add(option["value"])
        if option.get("description") is not None:
            findings.text(option["description"], f"{pointer}/description", 75, texts)


def _check_static_select(findings: Findings, select: Json, at: str) -> None:
    if ("options" in select) == ("option_groups" in select):
        findings.error("must define exactly one of `options` and `option_groups`", at)
    elif "options" in select:
        _check_options(findings, select["options"], f"{at}/options", most=100, texts=_PLAIN)
    else:
        for index, group in enumerate(findings.items(select["option_groups"], f"{at}/option_groups", 100)):
            pointer = f"{at}/option_groups/{index}"
            if not isinstance(group, dict):
                findings.error("must be an object", pointer)
                continue
            findings.text(group.get("label"), f"{pointer}/label", 75)
            _check_options(findings, group.get("options"), f"{pointer}/options", most=100, texts=_PLAIN)


def _check_initial(findings: Findings, element: Json, at: str) -> None:
    for key in ("initial_option", "initial_options"):
        if key not in element:
            continue
        given = element[key] if key == "initial_options" else [element[key]]
        # Slack compares the whole option: text, value and description must be those of one that is offered.
        if not given or any(option not in options_of(element) for option in given):
            findings.error(f"{key} must exactly match one of the provided options", f"{at}/{key}")


def _check_text_input(findings: Findings, element: Json, at: str) -> None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if not (isinstance(least, int) and 0 <= least <= 3000):
        findings.error("must be between 0 and 3000", f"{at}/min_length")
    elif not (isinstance(most, int) and max(1, least) <= most <= 3000):
        findings.error("must be between 1 and 3000, and no less than min_length", f"{at}/max_length")
    elif "initial_value" in element:
        findings.length(element["initial_value"], f"{at}/initial_value", most, least=0)


def _check_date(findings: Findings, element: Json, at: str) -> None:
    if "initial_date" in element and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(element["initial_date"])):
        findings.error("must be a valid date", f"{at}/initial_date")


def _check_number_input(findings: Findings, element: Json, at: str) -> None:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        findings.error("missing required field: is_decimal_allowed", at)
    for key in ("initial_value", "min_value", "max_value"):
        if key not in element:
            continue
        if not isinstance(element[key], str) or not _NUMBER.fullmatch(element[key]):
            findings.error("must be a string holding a number without an exponent", f"{at}/{key}")
        elif element.get("is_decimal_allowed") is False and "." in element[key]:
            findings.error("must be a whole number", f"{at}/{key}")


def options_of(element: Json) -> list[Json]:
    """The options of a select, radio buttons, checkboxes or overflow menu; those of all its groups."""
    options: list[Json] = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group["options"]
    return options
