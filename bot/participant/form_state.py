"""The hyperparameter form between two redraws: what it shows, what was typed, what it keeps.

Slack keeps what a person typed only in blocks that stay; a field that an optimizer does not use leaves the
form, and its content with it. So the form's memory travels in the view's ``private_metadata``: which fields
are shown, and the content of those that were taken away. A field that comes back gets a new ``block_id``,
because Slack ignores initial values under an old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from bot.slack.block_kit import shorten
from storage.schema.comments import Comment, Remark
from training.hyperparameters import (
    BY_NAME,
    HYPERPARAMETERS,
    Configuration,
    Hyperparameter,
    InvalidConfiguration,
    Optimizer,
    Value,
    format_value,
)

MEMORY_CHARACTERS = 3000
"""What Slack allows in ``private_metadata``."""

KEPT_VALUE = 60
VALUE = "form_value"
WHY = "form_why"
OTHER = "form_other"

ViewValues = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""``view.state.values``: block_id → action_id → the element's state."""


class Purpose(StrEnum):
    """What a submission of the form does."""

    TRY = "try"
    FINAL = "final"


class Content(BaseModel):
    """What stands in one field: the value and the reason for it."""

    model_config = ConfigDict(frozen=True)

    value: str = Field("", alias="v")
    comment: str = Field("", alias="c")
    other: str = Field("", alias="o")

    @classmethod
    def of(cls, value: str = "", comment: str = "", other: str = "") -> Self:
        """A content, by the names of its parts."""
        return cls(v=value, c=comment, o=other)


class FormMemory(BaseModel):
    """What the form must know about itself when it comes back.

    Attributes:
        purpose: What submitting does.
        session: The session that it belongs to.
        shown: The fields now in the form, each with the generation in which it appeared.
        generation: The number of redraws.
        initial: What each field shows when it appears; mandatory ones may be missing.
        hidden: The content of fields that were taken away.
    """

    purpose: Purpose = Field(alias="p")
    session: int = Field(alias="s")
    shown: dict[str, int] = Field({}, alias="f")
    generation: int = Field(0, alias="g")
    initial: dict[str, str] = Field({}, alias="i")
    hidden: dict[str, Content] = Field({}, alias="h")

    @classmethod
    def new(cls, purpose: Purpose, session: int, base: Configuration | None) -> Self:
        """The memory of a form that is opened now.

        Args:
            purpose: What submitting does.
            session: The session's id.
            base: The configuration that it starts from, or none.
        """
        initial = {} if base is None else {name: _shown(BY_NAME[name], value) for name, value in base.as_dict().items()}
        memory = cls(p=purpose, s=session, i=initial)
        return memory.model_copy(update={"shown": dict.fromkeys(_fields(memory.initial.get("optimizer")), 0)})

    @classmethod
    def typed(cls, purpose: Purpose, session: int, values: Mapping[str, str], base: Configuration | None) -> Self:
        """The memory of a form that is opened with values that somebody typed in a message.

        Args:
            purpose: What submitting does.
            session: The session's id.
            values: Values as the form shows them, by hyperparameter; they take the place of the base's.
            base: The configuration that it starts from, or none.
        """
        memory = cls.new(purpose, session, base)
        initial = memory.initial | dict(values)
        return memory.model_copy(
            update={"initial": initial, "shown": dict.fromkeys(_fields(initial.get("optimizer")), 0)}
        )

    def dump(self) -> str:
        """The memory as text that fits; of what was hidden, long explanations are the first to be cut."""
        for other in (200, 60, 0):
            hidden = {
                name: Content.of(shorten(content.value, KEPT_VALUE), content.comment, content.other[:other])
                for name, content in self.hidden.items()
            }
            text = self.model_copy(update={"hidden": hidden}).model_dump_json(
                by_alias=True, exclude_defaults=True, ensure_ascii=False
            )
            if len(text) <= MEMORY_CHARACTERS:
                break
        return text

    def initial_content(self, name: str) -> Content:
        """What a field shows when it appears: what stood there when it was hidden, the base's value, or the preset."""
        if name in self.hidden:
            return self.hidden[name]
        default = BY_NAME[name].default
        return Content.of(self.initial.get(name) or ("" if default is None else _shown(BY_NAME[name], default)))

    def block_id(self, name: str, part: str = VALUE) -> str:
        """The block of a field's part: ``learning_rate.form_value@0``."""
        return f"{name}.{part}@{self.shown[name]}"

    def content(self, values: ViewValues) -> dict[str, Content]:
        """What stands in every field that is shown.

        Where Slack leaves out an input's initial value after ``views.update`` (it does for some elements),
        what the person saw there counts.
        """
        contents = {}
        for name in self.shown:
            value = _state(values, self.block_id(name), VALUE)
            contents[name] = Content.of(
                self.initial_content(name).value if value is None else value,
                _state(values, self.block_id(name, WHY), WHY) or "",
                _state(values, self.block_id(name, OTHER), OTHER) or "",
            )
        return contents

    def redrawn(self, values: ViewValues) -> Self:
        """The memory after the optimizer or a comment changed: fields come and go, nothing typed is lost."""
        contents = self.content(values)
        wanted = _fields(contents["optimizer"].value)
        generation = self.generation + 1
        hidden = self.hidden | {name: content for name, content in contents.items() if name not in wanted}
        return self.model_copy(
            update={
                "shown": {name: self.shown.get(name, generation) for name in wanted},
                "generation": generation,
                "hidden": hidden,
            }
        )

    def fits(self, values: ViewValues) -> bool:
        """Whether the form shows the fields that its optimizer uses: a quick person submits before it is redrawn."""
        return list(self.shown) == _fields(self.content(values)["optimizer"].value)


@dataclass(frozen=True)
class Entered:
    """A configuration and the reasons given for its values, by hyperparameter name."""

    configuration: Configuration
    remarks: Mapping[str, Remark]


class InvalidEntry(ValueError):
    """The form cannot be submitted: ``errors`` has one sentence per block at fault, keyed by block_id."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(self.errors.values()))


def read(memory: FormMemory, values: ViewValues, *, training_images: int) -> Entered:
    """Read a submitted form.

    Raises:
        InvalidEntry: With one sentence for every field that cannot be used.
    """
    contents = memory.content(values)
    errors: dict[str, str] = {}
    remarks: dict[str, Remark] = {}
    for name, content in contents.items():
        if not content.comment:
            continue
        comment, other = Comment(content.comment), content.other.strip()
        if comment is Comment.OTHER and not other:
            written = OTHER if memory.block_id(name, OTHER) in values else WHY
            errors[memory.block_id(name, written)] = "Please say why in a few words, or choose another reason."
            continue
        remarks[name] = Remark(comment, other)
    given: dict[str, Value | None] = {name: content.value for name, content in contents.items()}
    try:
        configuration = Configuration.create(given, training_images=training_images)
    except InvalidConfiguration as invalid:
        errors |= {memory.block_id(name): text for name, text in invalid.errors.items()}
    if errors:
        raise InvalidEntry(errors)
    return Entered(configuration, remarks)


def _shown(hyperparameter: Hyperparameter, value: Value) -> str:
    return str(value) if hyperparameter.kind == "choice" else format_value(value)


def _fields(optimizer: str | None) -> list[str]:
    """The fields of the form for an optimizer, in Table 1's order; until one is chosen, those that all use."""
    if not optimizer:
        return [each.name for each in HYPERPARAMETERS if all(each.used_by(any_one) for any_one in Optimizer)]
    return [each.name for each in HYPERPARAMETERS if each.used_by(Optimizer(optimizer))]


def _state(values: ViewValues, block_id: str, action_id: str) -> str | None:
    element = values.get(block_id, {}).get(action_id, {})
    option = element.get("selected_option")
    return option["value"] if option else element.get("value")
