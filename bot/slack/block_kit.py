"""The Block Kit pieces of every view. They apply Slack's limits in one place; :func:`escape` makes typed text safe."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    RawTextObject,
    SectionBlock,
    TableBlock,
)
from slack_sdk.models.views import View

SECTION_TEXT = 3000
OPTION_TEXT = 75
"""Characters that Slack allows in a section and in an option."""

CONTEXT_TEXT = 2000

MESSAGE_CHARACTERS = 12_000
"""Characters that one message may have, as :func:`characters` counts them.

Slack documents no number. Its engineers name 12,000 characters of text and a buffer for the blocks around them; apps
that measured it were refused (``msg_blocks_too_long``) from about 13,200 characters of text and blocks.
"""

BLOCK_CHARACTERS = 100
"""Characters for what Slack adds to a block: an id, and the defaults of its texts."""

MESSAGE_BLOCKS = 50

UPDATED_TEXT_BYTES = 4000
"""Bytes of UTF-8 that ``chat.update`` accepts as the text beside the blocks."""

TABLE_ROWS = 100
TABLE_TEXT = 10_000
"""Slack's limits for a table: rows, including the header, and characters in all cells together."""


@dataclass(frozen=True)
class Message:
    """A message: its blocks, and the text that notifications and screen readers get instead."""

    text: str
    blocks: tuple[Block, ...]


def text_message(text: str, *more: Block) -> Message:
    """A message with a line of mrkdwn, and blocks below it."""
    return Message(text=text, blocks=(section(text), *more))


def escape(text: str) -> str:
    """Text that somebody typed, safe inside mrkdwn."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def clock_time(moment: datetime) -> str:
    """A time of day that every reader sees in their own time zone."""
    return f"<!date^{int(moment.timestamp())}^{{time}}|{moment:%H:%M} UTC>"


def moment(at: datetime) -> str:
    """A day and a time of day that every reader sees in their own time zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def duration(length: timedelta) -> str:
    """A length of time as a person says it: ``40 s``, ``3 min``, ``1 h 5 min``."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 100:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def percent(accuracy: float) -> str:
    """An accuracy as a person reads it: ``63.9 %``."""
    return f"{accuracy:.1f} %"


def header(text: str) -> HeaderBlock:
    """A headline of at most 150 characters."""
    return HeaderBlock(text=PlainTextObject(text=shorten(text, 150), emoji=True))


def section(text: str, *, accessory: ButtonElement | None = None, block_id: str | None = None) -> SectionBlock:
    """A paragraph of mrkdwn."""
    return SectionBlock(
        text=MarkdownTextObject(text=shorten(text, SECTION_TEXT)), accessory=accessory, block_id=block_id
    )


def paragraphs(text: str) -> list[Block]:
    """Long mrkdwn as sections. It is split between paragraphs, lines or words, so that each part fits."""
    sections: list[str] = []
    for paragraph in (part for whole in text.split("\n\n") for part in _parts(whole)):
        if sections and len(sections[-1]) + len(paragraph) + 2 <= SECTION_TEXT:
            sections[-1] += "\n\n" + paragraph
        else:
            sections.append(paragraph)
    return [section(part) for part in sections]


def _parts(paragraph: str) -> Iterator[str]:
    """A paragraph in pieces of at most ``SECTION_TEXT`` characters; blank ones are left out."""
    rest = paragraph.strip()
    while len(rest) > SECTION_TEXT:
        cut = max(rest.rfind("\n", 1, SECTION_TEXT), 0) or max(rest.rfind(" ", 1, SECTION_TEXT), 0) or SECTION_TEXT
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    if rest:
        yield rest


def sections(lines: Iterable[str]) -> list[Block]:
    """Lines as sections: as many lines in each as fit. A line that does not fit by itself is cut."""
    texts: list[str] = []
    for line in (shorten(each, SECTION_TEXT) for each in lines):
        if texts and len(texts[-1]) + len(line) + 1 <= SECTION_TEXT:
            texts[-1] += "\n" + line
        else:
            texts.append(line)
    return [section(text) for text in texts]


def series(text: str, lines: Iterable[str]) -> list[Message]:
    """Lines as messages: as many lines in each as Slack accepts in one message.

    Args:
        text: What notifications and screen readers get instead of each message.
        lines: The lines, at least one.
    """
    parts: list[list[Block]] = [[]]
    for block in sections(lines):
        if fits(Message(text, (*parts[-1], block))):
            parts[-1].append(block)
        else:
            parts.append([block])
    return [Message(text, tuple(part)) for part in parts]


def characters(message: Message) -> int:
    """The characters of a message that count for Slack's limit: those of its text and of its blocks as JSON.

    A table counts by its cells: its JSON alone could never have the 2,000 cells that Slack allows.
    """
    return len(message.text) + sum(_characters(block.to_dict()) for block in message.blocks)


def _characters(block: Mapping[str, Any]) -> int:
    if block["type"] == TableBlock.type:
        return BLOCK_CHARACTERS + sum(len(cell["text"]) for row in block["rows"] for cell in row)
    return BLOCK_CHARACTERS + len(json.dumps(block, ensure_ascii=False, separators=(",", ":")))


def fits(message: Message) -> bool:
    """Whether Slack accepts a message of this length."""
    return len(message.blocks) <= MESSAGE_BLOCKS and characters(message) <= MESSAGE_CHARACTERS


def as_much_as_fits(count: int, build: Callable[[int], Message]) -> Message:
    """The longest message that fits.

    Args:
        count: How many items there are.
        build: Makes the message with its first so many items, which says how many are left out.
    """
    message = build(count)
    if fits(message):
        return message
    few, many = 0, count
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if fits(build(middle)) else (few, middle)
    return build(few)


def context(*texts: str) -> ContextBlock:
    """Small grey text; at most 10 pieces."""
    return ContextBlock(elements=[MarkdownTextObject(text=shorten(text, CONTEXT_TEXT)) for text in texts])


def table(rows: Sequence[Sequence[str]]) -> TableBlock:
    """A table of plain text, the header first. Slack allows one per message, of at most ``TABLE_ROWS`` by 20 cells."""
    return TableBlock(rows=[[RawTextObject(text=cell or "–") for cell in row] for row in rows])


def divider() -> DividerBlock:
    """A line."""
    return DividerBlock()


def button(
    label: str,
    action_id: str,
    value: object = "",
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    """A button; ``value`` comes back as text when it is pressed."""
    return ButtonElement(text=label, action_id=action_id, value=str(value) or None, style=style, confirm=confirm)


def actions(buttons: Sequence[ButtonElement], block_id: str | None = None) -> ActionsBlock:
    """A row of buttons."""
    return ActionsBlock(elements=list(buttons), block_id=block_id)


def confirm(title: str, text: str, yes: str, no: str, *, style: str | None = None) -> ConfirmObject:
    """A question that Slack asks before it sends the press of a button."""
    return ConfirmObject(
        title=PlainTextObject(text=title),
        text=PlainTextObject(text=text),
        confirm=PlainTextObject(text=yes),
        deny=PlainTextObject(text=no),
        style=style,
    )


def options(labels: Mapping[str, str] | Iterable[str]) -> list[Option]:
    """Options of a select: values to labels, or labels that are their own values."""
    pairs = labels.items() if isinstance(labels, Mapping) else ((label, label) for label in labels)
    return [Option(value=value, text=PlainTextObject(text=shorten(label, OPTION_TEXT))) for value, label in pairs]


def modal(
    title: str,
    blocks: Sequence[Block],
    *,
    callback_id: str,
    submit: str | None = None,
    close: str = "Close",
    private_metadata: str = "",
) -> View:
    """A modal with a title of at most 24 characters."""
    return View(
        type="modal",
        title=PlainTextObject(text=title),
        blocks=list(blocks),
        callback_id=callback_id,
        submit=PlainTextObject(text=submit) if submit else None,
        close=PlainTextObject(text=close),
        private_metadata=private_metadata,
    )


def notice(title: str, text: str, *more: Block) -> View:
    """A modal that says one thing."""
    return modal(title, [section(text), *more], callback_id="notice")


def home(blocks: Sequence[Block]) -> View:
    """A Home tab."""
    return View(type="home", blocks=list(blocks))
