"""What the bot understood of a configuration in one line, and the button that opens the form with these values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bot.participant.form_state import Purpose, is_value
from bot.participant.parse_configuration import OneLine
from bot.participant.views import buttons
from bot.participant.views.next_step import led_back
from bot.slack.block_kit import Message, actions, button, escape, section, shorten
from bot.study.outdated import reading_button
from bot.study.participant_status import ParticipantStatus
from storage.schema.states import SessionState
from training.hyperparameters import BY_NAME, LABELS, Optimizer, format_value
from training.numbers import about

TYPED = "form_typed"

_QUOTED = 60
_MOST_UNKNOWN = 8
_MOST_PROBLEMS = 6


@dataclass(frozen=True)
class Typed:
    """What the button under a typed configuration carries: which form it opens, and the values.

    ``session`` is what a button about the session carries.
    """

    purpose: Purpose
    session: str
    values: Mapping[str, str]

    def dump(self) -> str:
        """Write it as text; 15 values take about 500 of the 2,000 characters that a button may carry."""
        return json.dumps({"p": self.purpose, "s": self.session, "v": dict(self.values)}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what :meth:`dump` wrote. Values that this version does not know are left out.

        Raises:
            Refused: It cannot be read.
        """
        with reading_button():
            content = json.loads(text)
            values = {name: value for name, value in content["v"].items() if is_value(name, value)}
            return cls(Purpose(content["p"]), str(content["s"]), values)


def typed_configuration(
    line: OneLine, status: ParticipantStatus, *, training_images: int, last: Mapping[str, str] | None
) -> Message:
    """Say what the bot understood of a configuration in one line, with a button that opens the form filled in.

    Args:
        line: What the line says.
        status: The participant's status.
        training_images: The largest batch size.
        last: The values that the form would have without the line; none before the first trial.
    """
    problems = [*line.problems, *_problems_together(line, training_images, last or {})][:_MOST_PROBLEMS]
    values = {name: value for name, value in line.values.items() if not _too_large(name, value, training_images)}
    sentences: list[str] = []
    if values:
        listed = " · ".join(f"{BY_NAME[name].label.lower()} {format_value(value)}" for name, value in values.items())
        sentences.append(f"I understood: *{listed}*.")
    sentences += map(escape, problems)
    if line.unknown:
        unknown = ", ".join(f"“{escape(shorten(word, _QUOTED))}”" for word in line.unknown[:_MOST_UNKNOWN])
        sentences.append(f"I did not understand {unknown}{' and more' if len(line.unknown) > _MOST_UNKNOWN else ''}.")
    view = status.session
    if view is None and values:
        sentences.append("You can try it when your session has started. Please write it again then.")
    if view is None or view.state is SessionState.FINISHED or not values:
        return led_back("\n".join(sentences), status)
    final = view.state is SessionState.CHOOSING
    if final:
        sentences.append("Your time is up, so it cannot be tried any more. You can make it your final choice.")
    else:
        sentences.append(_rest(values, last))
    purpose = Purpose.FINAL if final else Purpose.TRY
    text = "\n".join(sentences)
    offered = [
        button("Open the form, filled in", TYPED, Typed(purpose, view.button_value, values).dump(), style="primary"),
        *([button("Choose a trial", buttons.FINISH, view.button_value)] if final else []),
    ]
    return Message(text=text, blocks=(section(text), actions(offered, block_id="typed")))


def _too_large(name: str, value: str, training_images: int) -> bool:
    return name == "batch_size" and float(value) > training_images


def _problems_together(line: OneLine, training_images: int, last: Mapping[str, str]) -> list[str]:
    """What is wrong with the values together, although each is valid alone."""
    problems = []
    batch = line.values.get("batch_size")
    if batch is not None and _too_large("batch_size", batch, training_images):
        problems.append(
            f"A batch of {batch} is larger than the training set, which has about {about(training_images)} images."
        )
    optimizer = line.values.get("optimizer") or last.get("optimizer")
    if optimizer:
        unused = [BY_NAME[name].label for name in line.values if not BY_NAME[name].used_by(Optimizer(optimizer))]
        if unused:
            problems.append(f"{LABELS[optimizer]} does not use {_listed(unused)}.")
    missing = [BY_NAME[name].label for name in line.named if name not in line.values]
    at_fault = " ".join(line.problems)
    if missing := [label for label in missing if label not in at_fault]:
        problems.append(f"{_listed(missing)}: the value is missing.")
    return problems


def _rest(values: Mapping[str, str], last: Mapping[str, str] | None) -> str:
    if last is not None:
        return "All other settings are as in your last trial. Check them in the form and send it."
    missing = [each.label for each in BY_NAME.values() if each.mandatory and each.name not in values]
    if missing:
        return f"In the form, please choose: {_listed(missing)}."
    return "Check the values in the form and send it."


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
