"""What a person sees: conversations, messages and views as the human side shows them, read once and frozen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.json_types import Json, Values
from bot.sandbox.state.inputs import FIELDS, elements_of
from bot.sandbox.validation.block_elements import options_of

_READABLE = frozenset({"text", "alt_text", "label", "title", "name", "url", "image_url", "value", "initial_value"})


@dataclass(frozen=True)
class Conversation:
    """One line of the list of conversations."""

    id: str
    kind: str
    name: str
    unread: int
    latest: str | None


@dataclass(frozen=True)
class Element:
    """Something to press or to fill in, and where it stands.

    Attributes:
        label: What a person reads: a button's text, the label of an input, otherwise the placeholder.
        definition: The element in Slack's own form.
    """

    block_id: str
    action_id: str
    type: str
    label: str
    definition: Json

    @property
    def options(self) -> tuple[str, ...]:
        """The texts of its options."""
        return tuple(option["text"]["text"] for option in options_of(self.definition))

    @property
    def has_confirm(self) -> bool:
        """Whether the client asks before it sends this."""
        return "confirm" in self.definition


@dataclass(frozen=True)
class Field:
    """An input of a view: its label, what is in it, and what is wrong with it.

    ``value`` is what a person would say: text, the text of the chosen option (several: a tuple), a user's id; ``None``
    where it is empty.
    """

    block_id: str
    action_id: str
    type: str
    label: str
    value: str | tuple[str, ...] | None
    optional: bool
    error: str | None
    options: tuple[str, ...]


class Shown:
    """What messages and views have in common: blocks that can be read and pressed."""

    @property
    def shown_blocks(self) -> tuple[Json, ...]:
        """The blocks."""
        raise TypeError(f"{type(self).__name__} shows no blocks.")

    @property
    def elements(self) -> tuple[Element, ...]:
        """Everything that can be pressed or filled in, in reading order."""
        return tuple(
            Element(block["block_id"], each["action_id"], each["type"], _label(block, each), each)
            for block in self.shown_blocks
            for each in elements_of(block)
        )

    @property
    def broken_images(self) -> int:
        """How many of its pictures this person cannot see: nobody showed them the file, or it was deleted."""
        return sum(1 for _ in _broken(list(self.shown_blocks)))

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of the buttons."""
        return tuple(each.label for each in self.elements if each.type == "button")

    def element(self, label_or_action_id: str) -> Element | None:
        """The first element with this label, ``action_id`` or ``block_id``."""
        for each in self.elements:
            if label_or_action_id in {each.label, each.action_id, each.block_id}:
                return each
        return None


@dataclass(frozen=True)
class Message(Shown):
    """A message as one person sees it.

    Attributes:
        broadcast: Whether it is a reply that shows in the conversation too.
    """

    channel: str
    ts: str
    thread_ts: str | None
    broadcast: bool
    user: str
    name: str
    bot: bool
    text: str
    blocks: tuple[Json, ...]
    edited: bool
    ephemeral: bool
    deleted: bool
    reply_count: int
    files: tuple[Json, ...]

    @classmethod
    def read(cls, channel: str, content: Mapping[str, Any]) -> "Message":
        """Read one message of the human side's answer."""
        plain = (
            *("ts", "thread_ts", "broadcast", "user", "name", "bot", "text"),
            *("edited", "ephemeral", "deleted", "reply_count"),
        )
        return cls(
            channel=channel,
            blocks=tuple(content["blocks"] or ()),
            files=tuple(content["files"]),
            **{key: content[key] for key in plain},
        )

    @property
    def shown_blocks(self) -> tuple[Json, ...]:
        """The blocks; empty where the message has only text."""
        return self.blocks

    @property
    def image_urls(self) -> tuple[str, ...]:
        """Where the pictures of its image blocks are, relative to the workspace; none for ``broken_images``."""
        return tuple(
            str(block["image_url"]) for block in self.blocks if block["type"] == "image" and block.get("image_url")
        )

    @property
    def text_of_everything(self) -> str:
        """Every word that reaches a person or their screen reader, file names included, one a line."""
        return "\n".join([self.text, *_words(list(self.blocks)), *(str(file["name"]) for file in self.files)])


@dataclass(frozen=True)
class View(Shown):
    """A modal or a Home tab as its person sees it."""

    id: str
    hash: str
    type: str
    callback_id: str
    title: str
    submit: str | None
    close: str | None
    blocks: tuple[Json, ...]
    values: Values
    errors: Mapping[str, str]

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "View":
        """Read one view of the human side's answer."""
        return cls(
            title=_text(content["title"]) or "",
            submit=_text(content["submit"]),
            close=_text(content["close"]),
            blocks=tuple(content["blocks"]),
            **{key: content[key] for key in ("id", "hash", "type", "callback_id", "values", "errors")},
        )

    @property
    def shown_blocks(self) -> tuple[Json, ...]:
        """The blocks."""
        return self.blocks

    @property
    def fields(self) -> tuple[Field, ...]:
        """What can be filled in, in reading order."""
        return tuple(self._field(each) for each in self.elements if each.type in FIELDS)

    def field(self, label_or_id: str) -> Field:
        """The field with this label, ``block_id`` or ``action_id``.

        Raises:
            KeyError: The view has no such field.
        """
        for each in self.fields:
            if label_or_id in {each.label, each.block_id, each.action_id}:
                return each
        raise KeyError(f"“{self.title}” has no field {label_or_id}; it has {[each.label for each in self.fields]}.")

    @property
    def text_of_everything(self) -> str:
        """Every word that reaches a person or their screen reader, one a line."""
        values = [str(each.value) for each in self.fields if each.value is not None]
        heads = [each for each in (self.title, self.submit, self.close) if each]
        return "\n".join([*heads, *_words(list(self.blocks)), *values, *self.errors.values()])

    def _field(self, element: Element) -> Field:
        block = next(each for each in self.blocks if each["block_id"] == element.block_id)
        state = self.values.get(element.block_id, {}).get(element.action_id, {})
        return Field(
            element.block_id,
            element.action_id,
            element.type,
            element.label,
            _as_spoken(state.get(FIELDS[element.type][0])),
            bool(block.get("optional", False)),
            self.errors.get(element.block_id),
            element.options,
        )


def _as_spoken(value: Any) -> str | tuple[str, ...] | None:
    if isinstance(value, dict):
        return str(value["text"]["text"])
    if isinstance(value, list):
        return tuple(str(_as_spoken(each)) for each in value)
    return None if value is None else str(value)


def _label(block: Json, element: Json) -> str:
    candidates = (block.get("label"), element.get("text"), element.get("placeholder"), block.get("text"))
    return next((text for each in candidates if (text := _text(each))), "")


def _text(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("text")
    return value if isinstance(value, str) else None


def _broken(part: Any) -> Iterator[Json]:
    """The pictures that cannot be seen, wherever in blocks they stand."""
    if isinstance(part, dict) and part.get("broken"):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _broken(each)


def _words(part: Any) -> Iterator[str]:
    """Every string that is shown: also what a link or a file's address gives away."""
    if isinstance(part, list):
        for each in part:
            yield from _words(each) if not isinstance(each, str) else (each,)
    elif isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, str):
                if key in _READABLE:
                    yield value
            else:
                yield from _words(value)
