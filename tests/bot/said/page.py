"""A page of what was said: each text once, where it was met first."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.slack.block_kit import Message

_DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_USER = re.compile(r"<@\w+>")
_MARKS = re.compile(r"[*“”]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")

_TEXT_KEYS = (
    "title",
    "label",
    "text",
    "hint",
    "placeholder",
    "alt_text",
    "submit",
    "close",
    "x_label",
    "y_label",
    "name",
)
"""Keys of Block Kit under which there is text, or an object with text."""


@dataclass(frozen=True)
class Said:
    """What was said on one occasion.

    Attributes:
        occasion: Such as ``Somebody who is tuning writes “help”``.
        texts: What they read, in its order.
    """

    occasion: str
    texts: tuple[str, ...]


@dataclass
class Page:
    """All that was said."""

    title: str
    said: list[Said] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def add(self, occasion: str, *shown: Any) -> None:
        """Add what was shown on an occasion: Block Kit, views, messages, or plain texts."""
        new = []
        for text in dict.fromkeys(readable(each) for one in shown for each in texts_of(one)):
            if text and text not in self._known:
                self._known.add(text)
                new.append(text)
        if new:
            self.said.append(Said(occasion, tuple(new)))

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of the page."""
        return tuple(text for said in self.said for text in said.texts)

    def markdown(self) -> str:
        """The page as Markdown: a heading for each occasion, and a quoted paragraph for each text."""
        parts = [f"# {self.title}\n"]
        for said in self.said:
            parts.append(f"## {said.occasion}\n")
            parts += ["> " + text.replace("\n", "\n> ") + "\n" for text in said.texts]
        return "\n".join(parts)


def texts_of(value: Any) -> Iterator[str]:
    """The texts of a piece of Block Kit, of a payload's answer or of a call, in the order in which they are read."""
    value = value.to_dict() if hasattr(value, "to_dict") else value
    if isinstance(value, Message):
        value = {"text": value.text, "blocks": value.blocks}
    if isinstance(value, dict) and isinstance(value.get("text"), str) and value.get("blocks"):
        yield from _with_fallback(value["text"], value["blocks"])
    elif isinstance(value, str):
        yield from _of_string(value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_of(each)
    elif isinstance(value, dict):
        if value.get("type") == "button":
            yield f"[{value['text']['text']}]"
            yield from texts_of(value.get("confirm", ()))
            return
        for key in ("view", "blocks", "errors", *_TEXT_KEYS):
            if isinstance(value.get(key), str) and key not in ("view", "blocks"):
                yield value[key]
        for key, each in value.items():
            if key == "errors":
                yield from each.values()
            elif isinstance(each, dict | list | tuple) or hasattr(each, "to_dict") or key in ("view", "blocks"):
                yield from texts_of(each)


def _with_fallback(text: str, blocks: Any) -> Iterator[str]:
    """The texts of a message, and of the text for notifications what its blocks do not say."""
    shown = list(texts_of(blocks))
    said = _plain(" ".join(shown))
    if not all(_plain(sentence) in said for sentence in _SENTENCE_END.split(text)):
        yield text
    yield from shown


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", readable(text)).split()).rstrip(".")


def readable(text: str) -> str:
    """A text as somebody reads it in Slack."""
    return html.unescape(_USER.sub("@somebody", _DATE.sub(r"\1", text))).strip()


def _of_string(text: str) -> Iterator[str]:
    """Texts of a string: of the JSON in it, or the string itself."""
    if text.startswith(("[", "{")):
        try:
            yield from texts_of(json.loads(text))
        except ValueError:
            yield text
        return
    yield text
