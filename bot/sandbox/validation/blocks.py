"""Block Kit as Slack checks it: what each surface takes, how much of it, and how every block must look."""

import json
from collections.abc import Callable
from typing import Any, Literal

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from bot.sandbox.json_types import Json
from bot.sandbox.validation.block_elements import (
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    Findings,
    check_element,
)
from bot.sandbox.validation.charts import check_chart

Surface = Literal["message", "modal", "home"]

_EVERYWHERE = frozenset({"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "video"})
_MESSAGES_ONLY = frozenset(
    {
        "card",
        "carousel",
        "container",
        "context_actions",
        "data_visualization",
        "file",
        "markdown",
        "plan",
        "table",
        "task_card",
    }
)
ALLOWED: dict[Surface, frozenset[str]] = {
    "message": _EVERYWHERE | _MESSAGES_ONLY,
    "modal": _EVERYWHERE | {"alert"},
    "home": _EVERYWHERE,
}
MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
_WITHOUT_MODEL = frozenset({"data_visualization"})
_MOST_OF_A_KIND = {"table": 1, "data_visualization": 2}
_MOST_MARKDOWN, _MOST_TABLE_TEXT, _MOST_VIEW_BYTES = 12_000, 10_000, 250_000
_ANY_TEXT = ("plain_text", "mrkdwn")


def check_blocks(
    blocks: Any, surface: Surface, findings: Findings, *, at: str = "/blocks", least: int = 0, most: int | None = None
) -> list[str]:
    """Check blocks for a surface.

    Returns:
        What is wrong, in the form of Slack's ``response_metadata.messages``; nothing if Slack would take them.
    """
    seen_ids: set[str] = set()
    for index, block in enumerate(findings.items(blocks, at, most or MOST_BLOCKS[surface], least)):
        pointer = f"{at}/{index}"
        if not isinstance(block, dict):
            findings.error("must be an object", pointer)
            continue
        kind = block.get("type")
        if kind not in ALLOWED[surface] or (kind == "data_visualization" and not findings.charts):
            findings.error(f"unsupported type: {kind}", f"{pointer}/type")
            continue
        block_id = block.get("block_id")
        if block_id is not None and findings.length(block_id, f"{pointer}/block_id", 255):
            if block_id in seen_ids:
                findings.error(f"`block_id` {block_id} already exists", f"{pointer}/block_id")
            seen_ids.add(block_id)
        before = len(findings.messages)
        _CHECKS.get(str(kind), _nothing_more)(findings, block, pointer)
        if len(findings.messages) == before and kind not in _WITHOUT_MODEL:
            _check_by_model(findings, block, pointer)
    if isinstance(blocks, list):
        _check_together([block for block in blocks if isinstance(block, dict)], findings, at)
    return findings.messages


def check_view(view: Any, surface: Surface, findings: Findings) -> list[str]:
    """Check a whole modal or Home tab; as :func:`check_blocks`, pointers start with ``/view``."""
    if not isinstance(view, dict):
        findings.error("must be an object", "/view")
        return findings.messages
    if view.get("type") != surface:
        findings.error(f"must be {surface}", "/view/type")
        return findings.messages
    known = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
    if surface == "modal":
        known |= {"title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"}
        findings.text(view.get("title"), "/view/title", 24)
        for part in ("submit", "close"):
            if view.get(part) is not None:
                findings.text(view[part], f"/view/{part}", 24)
    findings.only({key: value for key, value in view.items() if value is not None}, known, "/view")
    for part, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if view.get(part) is not None:
            findings.length(view[part], f"/view/{part}", most, least=0)
    blocks = view.get("blocks")
    check_blocks(blocks, surface, findings, at="/view/blocks", least=1)
    has_input = isinstance(blocks, list) and any(
        isinstance(each, dict) and each.get("type") == "input" for each in blocks
    )
    if surface == "modal" and has_input and view.get("submit") is None:
        findings.error("missing required field: submit (the view has an input block)", "/view")
    return findings.messages


def too_large(view: Any) -> bool:
    """Whether a view is over Slack's 250 kB."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > _MOST_VIEW_BYTES


def characters(text: str, blocks: list[Json]) -> int:
    """How much of Slack's limit for one message (``msg_blocks_too_long``) a text and its blocks use.

    Slack does not say what it counts. What people measured fits the JSON of the blocks as Slack keeps them: prose in
    one block may have some 13,300 characters, every header costs about 100 more than its text, and 11,300 characters
    spread over many rich-text elements are too many. Whether the text beside the blocks counts is not known; here it
    does. A table counts by the texts of its cells: its JSON alone could never have the 2,000 cells that Slack allows.
    """
    return len(text) + sum(_characters(block) for block in blocks)


def _characters(block: Json) -> int:
    if block.get("type") == "table":
        return sum(_characters_in_cell(cell) for row in block["rows"] for cell in row)
    return len(json.dumps(block, ensure_ascii=False, separators=(",", ":")))


def _characters_in_cell(cell: Json) -> int:
    return len(str(cell["text"])) if "text" in cell else _characters(cell)


def _check_together(blocks: list[Json], findings: Findings, at: str) -> None:
    kinds = [block.get("type") for block in blocks]
    for kind, most in _MOST_OF_A_KIND.items():
        if kinds.count(kind) > most:
            findings.error(f"no more than {most} {kind} block{'' if most == 1 else 's'} allowed", at)
    if sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown") > _MOST_MARKDOWN:
        findings.error(f"markdown blocks together must be less than {_MOST_MARKDOWN + 1} characters", at)
    focused = sum('"focus_on_load": true' in json.dumps(block) for block in blocks)
    if focused > 1:
        findings.error("only one element can have focus_on_load", at)


def _check_by_model(findings: Findings, block: Json, at: str) -> None:
    """What the rules here are silent about, the SDK's models may know."""
    try:
        model = Block.parse(dict(block))
        if model is not None:
            findings.only(block, set(model.attributes) | {"type"}, at)
            model.validate_json()
    except (SlackObjectFormationError, TypeError, AttributeError, KeyError) as error:
        findings.error(str(error), at)


def _section(findings: Findings, block: Json, at: str) -> None:
    if block.get("text") is None and not block.get("fields"):
        findings.error("missing required field: text or fields", at)
    if block.get("text") is not None:
        findings.text(block["text"], f"{at}/text", 3000, _ANY_TEXT)
    if block.get("fields") is not None:
        for index, each in enumerate(findings.items(block["fields"], f"{at}/fields", 10)):
            findings.text(each, f"{at}/fields/{index}", 2000, _ANY_TEXT)
    if block.get("accessory") is not None:
        check_element(findings, block["accessory"], f"{at}/accessory", IN_SECTION)


def _header(findings: Findings, block: Json, at: str) -> None:
    findings.text(block.get("text"), f"{at}/text", 150)


def _context(findings: Findings, block: Json, at: str) -> None:
    for index, each in enumerate(findings.items(block.get("elements"), f"{at}/elements", 10)):
        pointer = f"{at}/elements/{index}"
        if isinstance(each, dict) and each.get("type") == "image":
            check_element(findings, each, pointer, frozenset({"image"}))
        else:
            findings.text(each, pointer, 3000, _ANY_TEXT)


def _actions(findings: Findings, block: Json, at: str) -> None:
    _check_row(findings, block, at, 25, IN_ACTIONS)


def _context_actions(findings: Findings, block: Json, at: str) -> None:
    _check_row(findings, block, at, 5, IN_CONTEXT_ACTIONS)


def _check_row(findings: Findings, block: Json, at: str, most: int, allowed: frozenset[str]) -> None:
    known_ids: set[str] = set()
    for index, each in enumerate(findings.items(block.get("elements"), f"{at}/elements", most)):
        pointer = f"{at}/elements/{index}"
        check_element(findings, each, pointer, allowed)
        action_id = each.get("action_id") if isinstance(each, dict) else None
        if action_id is not None and action_id in known_ids:
            findings.error(f"`action_id` {action_id} already exists in this block", f"{pointer}/action_id")
        known_ids.add(str(action_id))


def _input(findings: Findings, block: Json, at: str) -> None:
    findings.text(block.get("label"), f"{at}/label", 2000)
    if block.get("hint") is not None:
        findings.text(block["hint"], f"{at}/hint", 2000)
    check_element(findings, block.get("element"), f"{at}/element", IN_INPUT)


def _image(findings: Findings, block: Json, at: str) -> None:
    findings.picture(block, at)
    if block.get("title") is not None:
        findings.text(block["title"], f"{at}/title", 2000)


def _markdown(findings: Findings, block: Json, at: str) -> None:
    findings.length(block.get("text"), f"{at}/text", _MOST_MARKDOWN)


def _rich_text(findings: Findings, block: Json, at: str) -> None:
    for index, each in enumerate(findings.items(block.get("elements"), f"{at}/elements", 100)):
        kinds = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
        if not isinstance(each, dict) or each.get("type") not in kinds:
            findings.error("unsupported rich text element", f"{at}/elements/{index}")


def _table(findings: Findings, block: Json, at: str) -> None:
    characters = 0
    for number, row in enumerate(findings.items(block.get("rows"), f"{at}/rows", 100)):
        for index, cell in enumerate(findings.items(row, f"{at}/rows/{number}", 20)):
            pointer = f"{at}/rows/{number}/{index}"
            kind = cell.get("type") if isinstance(cell, dict) else None
            if kind not in {"raw_text", "rich_text", "raw_number"}:
                findings.error(f"unsupported type: {kind}", f"{pointer}/type")
            elif kind == "raw_text" and findings.length(cell.get("text"), f"{pointer}/text", _MOST_TABLE_TEXT):
                characters += len(cell["text"])
    if characters > _MOST_TABLE_TEXT:
        findings.error(f"all cells together must be less than {_MOST_TABLE_TEXT + 1} characters", f"{at}/rows")
    if block.get("column_settings") is not None:
        findings.items(block["column_settings"], f"{at}/column_settings", 20)


def _alert(findings: Findings, block: Json, at: str) -> None:
    findings.text(block.get("text"), f"{at}/text", 3000, _ANY_TEXT)


def _container(findings: Findings, block: Json, at: str) -> None:
    check_blocks(block.get("child_blocks"), "message", findings, at=f"{at}/child_blocks", least=1, most=10)


def _nothing_more(_findings: Findings, _block: Json, _at: str) -> None:
    """Left to the SDK's model."""


_CHECKS: dict[str, Callable[[Findings, Json, str], None]] = {
    "actions": _actions,
    "alert": _alert,
    "container": _container,
    "context": _context,
    "context_actions": _context_actions,
    "data_visualization": check_chart,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "section": _section,
    "table": _table,
}
