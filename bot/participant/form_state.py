"""The state of the hyperparameter form: which fields it shows, what was typed, and what hidden fields contain.

Slack keeps typed text only in blocks that stay in the form. When an optimizer does not use a field, the field leaves
the form, and its content is lost. So the form keeps its state in the view's ``private_metadata``: which fields are
shown, and the content of hidden ones. A field that comes back gets a new ``block_id``, because Slack ignores initial
values under an old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from bot.slack.block_kit import shorten
from bot.study.outdated import reading_form
from storage.schema.comments import Comment, Remark
from storage.schema.states import Suggestion
from training.bounds import Bounds
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
"""The number of characters that Slack allows in ``private_metadata``."""

_COMMENTS = frozenset(Comment)

KEPT_VALUE = 60
TAKE = "form_take"
"""Takes suggested values over."""

VALUE = "form_value"
WHY = "form_why"
OTHER = "form_other"

ViewValues = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""``view.state.values``: block_id → action_id → the element's state."""


class Purpose(StrEnum):
    """What happens when the form is submitted."""

    TRY = "try"
    FINAL = "final"


class Content(BaseModel):
    """The content of one field: the value and the reason for it."""

    model_config = ConfigDict(frozen=True)

    value: str = Field("", alias="v")
    comment: str = Field("", alias="c")
    other: str = Field("", alias="o")

    @classmethod
    def of(cls, value: str = "", comment: str = "", other: str = "") -> Self:
        """Create a content without the short names that its fields have in JSON."""
        return cls(v=value, c=comment, o=other)


class FormMemory(BaseModel):
    """The state of the form, which comes back with every change and with the submission.

    Attributes:
        purpose: What happens when the form is submitted.
        session: What a button about the session carries that the form belongs to. (It was a number once.)
        shown: The fields in the form, each with the generation in which it appeared.
        generation: The number of redraws.
        initial: The value that each field shows when it appears; mandatory fields may have none.
        hidden: The content of fields that were removed.
        warned: The configuration of which the form has said that it takes more time than is left.
        presets: Whether fields begin with the presets. Without them, a field begins empty, or with a value that the
            participant has entered before.
        suggestion: Values that the form suggests, as it shows them; empty if it suggests none.
        taken: Whether the participant took them over.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    purpose: Purpose = Field(alias="p")
    session: str = Field(alias="s")
    shown: dict[str, int] = Field({}, alias="f")
    generation: int = Field(0, alias="g")
    initial: dict[str, str] = Field({}, alias="i")
    hidden: dict[str, Content] = Field({}, alias="h")
    warned: str = Field("", alias="w")
    presets: bool = Field(True, alias="d")
    suggestion: dict[str, str] = Field({}, alias="u")
    taken: bool = Field(False, alias="k")

    @classmethod
    def new(cls, purpose: Purpose, session: str, base: Configuration | None, *, presets: bool = True) -> Self:
        """The memory of a form that is opened now.

        Args:
            purpose: What happens when the form is submitted.
            session: What a button about the session carries.
            base: The configuration whose values the form shows, or none.
            presets: Whether other fields begin with the presets.
        """
        entered = {} if base is None else base.as_dict()
        if base is not None and not presets:  # nobody has entered what the optimizer does not use: these are presets
            entered = {hyperparameter.name: value for hyperparameter, value in base.used()}
        initial = {name: _shown(BY_NAME[name], value) for name, value in entered.items()}
        memory = cls(p=purpose, s=session, i=initial, d=presets)
        return memory.model_copy(update={"shown": dict.fromkeys(_fields(memory.initial.get("optimizer")), 0)})

    @classmethod
    def typed(
        cls,
        purpose: Purpose,
        session: str,
        values: Mapping[str, str],
        base: Configuration | None,
        *,
        presets: bool = True,
    ) -> Self:
        """The memory of a form that is opened with values that somebody typed in a message.

        Args:
            purpose: What happens when the form is submitted.
            session: What a button about the session carries.
            values: Values as the form shows them, by hyperparameter. They replace the values of ``base``.
            base: The configuration whose other values the form shows, or none.
            presets: Whether other fields begin with the presets.
        """
        memory = cls.new(purpose, session, base, presets=presets)
        initial = memory.initial | dict(values)
        return memory.model_copy(
            update={"initial": initial, "shown": dict.fromkeys(_fields(initial.get("optimizer")), 0)}
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what :meth:`dump` wrote.

        Raises:
            Refused: It cannot be read, such as that of a form with other fields.
        """
        with reading_form():
            memory = cls.model_validate_json(text)
            if list(memory.shown) not in [_fields(each) for each in (None, *Optimizer)]:
                raise ValueError("the form has other fields")
            kept = [*memory.initial.items(), *((name, each.value) for name, each in memory.hidden.items())]
            kept += memory.suggestion.items()
            if not all(is_value(name, value) for name, value in kept):
                raise ValueError("the form has other values")
            if any(each.comment and each.comment not in _COMMENTS for each in memory.hidden.values()):
                raise ValueError("the form has other reasons")
            return memory

    def dump(self) -> str:
        """The memory as text that fits into ``MEMORY_CHARACTERS``: long reasons of hidden fields are cut first."""
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

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer whose fields the form shows; none before one is chosen, or where two show the same."""
        users = [each for each in Optimizer if list(self.shown) == _fields(each)]
        return users[0] if len(users) == 1 else None

    def suggesting(self, configuration: Configuration) -> Self:
        """The memory of a form that suggests the values of this configuration, besides."""
        values = {hyperparameter.name: _shown(hyperparameter, value) for hyperparameter, value in configuration.used()}
        return self.model_copy(update={"suggestion": values})

    def taking_over(self, values: ViewValues) -> Self:
        """The memory after the suggested values were taken over: every field shows the suggested one, without a reason.

        Args:
            values: What the form shows before. It is kept for fields that the suggested optimizer does not use.
        """
        wanted = _fields(self.suggestion.get("optimizer"))
        generation = self.generation + 1
        before = self.hidden | self.content(values)
        return self.model_copy(
            update={
                "shown": dict.fromkeys(wanted, generation),
                "generation": generation,
                "initial": self.initial | self.suggestion,
                "hidden": {name: content for name, content in before.items() if name not in wanted},
                "taken": True,
            }
        )

    @property
    def suggestion_use(self) -> Suggestion | None:
        """What became of the suggested values; none if the form suggests none."""
        if not self.suggestion:
            return None
        return Suggestion.TAKEN if self.taken else Suggestion.SHOWN

    def initial_content(self, name: str) -> Content:
        """What a field shows when it appears: its content when it was hidden, the base's value, or the preset."""
        if name in self.hidden:
            return self.hidden[name]
        default = BY_NAME[name].default if self.presets else None
        return Content.of(self.initial.get(name) or ("" if default is None else _shown(BY_NAME[name], default)))

    def block_id(self, name: str, part: str = VALUE) -> str:
        """The ``block_id`` of a part of a field, such as ``learning_rate.form_value@0``."""
        return f"{name}.{part}@{self.shown[name]}"

    def content(self, values: ViewValues) -> dict[str, Content]:
        """The content of every field that is shown.

        After ``views.update``, Slack does not send the initial value of some elements. Then the value that the person
        saw there counts, as it does for a choice that this version does not know.
        """
        contents = {}
        for name in self.shown:
            value = _state(values, self.block_id(name), VALUE)
            why = _state(values, self.block_id(name, WHY), WHY)
            if value is None or not is_value(name, value):
                value = self.initial_content(name).value
            contents[name] = Content.of(
                value,
                why if why in _COMMENTS else "",
                _state(values, self.block_id(name, OTHER), OTHER) or "",
            )
        return contents

    def redrawn(self, values: ViewValues) -> Self:
        """The memory after the optimizer or a reason was changed: other fields are shown, and nothing typed is lost."""
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
        """Whether the form shows the fields that its optimizer uses: a person may submit before it is redrawn."""
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


def read(
    memory: FormMemory,
    values: ViewValues,
    *,
    training_images: int,
    largest_batch: int | None = None,
    most_steps: int | None = None,
    bounds: Bounds = Bounds.OPTIMIZER,
) -> Entered:
    """Read a submitted form.

    Args:
        memory: The form's state.
        values: What was typed.
        training_images, largest_batch, most_steps, bounds: What bounds a configuration; see
            :meth:`Configuration.create`.

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
    entered: dict[str, Value | None] = {name: content.value for name, content in contents.items()}
    if not memory.presets:
        missing = [name for name, content in contents.items() if not content.value.strip()]
        errors |= {memory.block_id(name): "Please enter a number." for name in missing if not BY_NAME[name].mandatory}
    try:
        configuration = Configuration.create(
            entered,
            training_images=training_images,
            largest_batch=largest_batch,
            most_steps=most_steps,
            bounds=bounds,
        )
    except InvalidConfiguration as invalid:
        errors |= {memory.block_id(name): text for name, text in invalid.errors.items()}
    if errors:
        raise InvalidEntry(errors)
    return Entered(configuration, remarks)


def is_value(name: str, value: object) -> bool:
    """Whether a field of this name can show this text: any text, but for a choice one of its choices or nothing."""
    setting = BY_NAME.get(name)
    if setting is None or not isinstance(value, str):
        return False
    return setting.kind != "choice" or value == "" or value in setting.choices


def _shown(hyperparameter: Hyperparameter, value: Value) -> str:
    return str(value) if hyperparameter.kind == "choice" else format_value(value)


def _fields(optimizer: str | None) -> list[str]:
    """The fields of the form for an optimizer, in Table 1's order; without one, those that all optimizers use."""
    optimizers = [Optimizer(optimizer)] if optimizer else list(Optimizer)
    return [setting.name for setting in HYPERPARAMETERS if all(setting.used_by(one) for one in optimizers)]


def _state(values: ViewValues, block_id: str, action_id: str) -> str | None:
    element = values.get(block_id, {}).get(action_id, {})
    option = element.get("selected_option")
    return option["value"] if option else element.get("value")
