"""The hyperparameter form: for each hyperparameter that the optimizer uses, a field for its value and one for why."""

from datetime import timedelta

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, StaticSelectElement
from slack_sdk.models.views import View

from bot.participant.form_state import OTHER, TAKE, VALUE, WHY, Content, FormMemory, Purpose
from bot.slack.block_kit import button, duration, header, modal, options, section
from storage.schema.comments import COMMENT_TEXTS, MOST_CHARACTERS, Comment
from training.bounds import Bounds
from training.hyperparameters import BY_NAME, LABELS, Configuration, Hyperparameter, format_value

FORM = "configuration"

STOPPED_AT_THE_END = "A trial that has not ended when your time is up is stopped, and gets no accuracy."

_PURPOSES = {
    Purpose.TRY: (
        "New configuration",
        "Train",
        "Choose the first four settings. The others are preset. A number may have a decimal point or an exponent (e).",
    ),
    Purpose.FINAL: (
        "Final configuration",
        "This is my choice",
        "These values will be your final choice. They are not tried again before the final test.",
    ),
}

_WITHOUT_PRESETS = (
    "Choose a value for every setting. A number may have a decimal point or an exponent (e). "
    "Which settings there are depends on the optimizer."
)


def prepare_note(trial: int) -> str:
    """Says at the top of the form that it can be filled in now, but not sent before this trial has ended."""
    return (
        f"Trial {trial} is in progress. You can fill in the next configuration now. You can send it as soon as trial "
        f"{trial} has ended or is cancelled."
    )


def takes_long(configuration: Configuration, needed: timedelta, left: timedelta) -> str:
    """Warns at the top of the form that training would take more time than is left.

    Args:
        configuration: What was sent.
        needed: How long it would take at the speed of an earlier trial with this batch size.
        left: The time that is left.
    """
    epochs = f"{configuration.epochs:,} {'epoch' if configuration.epochs == 1 else 'epochs'}"
    return (
        f"⏳ {epochs} would take about {duration(needed)}, at the speed of your last trial with a batch size of "
        f"{configuration.batch_size:,}. You have {duration(left)} left. {STOPPED_AT_THE_END} "
        "To train it all the same, send the form again."
    )


def configuration_form(
    memory: FormMemory,
    contents: dict[str, Content] | None = None,
    *,
    note: str | None = None,
    bounds: Bounds = Bounds.OPTIMIZER,
) -> View:
    """Draw the form.

    Args:
        memory: Which fields it shows.
        contents: The content of the fields, when the form is redrawn. The reason *Other* shows its text field.
        note: A sentence above the fields.
        bounds: The study's bounds.
    """
    title, submit, introduction = _PURPOSES[memory.purpose]
    if memory.purpose is Purpose.TRY and not memory.presets:
        introduction = _WITHOUT_PRESETS
    contents = contents or {}
    blocks: list[Block] = [section(note or introduction), *_suggestion(memory)]
    mandatory = True
    for name in memory.shown:
        hyperparameter = BY_NAME[name]
        if mandatory and not hyperparameter.mandatory:
            mandatory = False
            blocks.append(header("Preset settings" if memory.presets else "Further settings"))
        blocks += _field(memory, bounds, hyperparameter, contents.get(name) or memory.initial_content(name))
    return modal(title, blocks, callback_id=FORM, submit=submit, close="Not now", private_metadata=memory.dump())


def _suggestion(memory: FormMemory) -> list[Block]:
    """Suggested values, with the button that takes them over."""
    if not memory.suggestion:
        return []
    values = " · ".join(
        f"{BY_NAME[name].label}: {LABELS.get(value, value)}" for name, value in memory.suggestion.items()
    )
    if memory.taken:
        return [section(f"*Suggested values*\n{values}\nThe fields show them now. You can change them.")]
    text = (
        f"*Suggested values*\n{values}\nA program suggests them. It has seen the results of your trials, and nothing "
        "else. You can take them over, and then change them. Your own values in the form are lost if you do."
    )
    return [section(text, accessory=button("Take over", TAKE))]


def _field(memory: FormMemory, bounds: Bounds, hyperparameter: Hyperparameter, content: Content) -> list[Block]:
    name = hyperparameter.name
    start = memory.initial_content(name)
    blocks: list[Block] = [
        InputBlock(
            block_id=memory.block_id(name),
            label=hyperparameter.label,
            hint=_hint(memory, bounds, hyperparameter),
            dispatch_action=name == "optimizer" or None,
            element=_value_element(hyperparameter, start.value),
        ),
        InputBlock(
            block_id=memory.block_id(name, WHY),
            label=f"{hyperparameter.label}: why?",
            optional=True,
            dispatch_action=True,
            element=StaticSelectElement(
                action_id=WHY,
                placeholder="Say why, if you like",
                options=options(COMMENT_TEXTS),
                initial_option=options({start.comment: COMMENT_TEXTS[Comment(start.comment)]})[0]
                if start.comment
                else None,
            ),
        ),
    ]
    if content.comment == Comment.OTHER:
        blocks.append(
            InputBlock(
                block_id=memory.block_id(name, OTHER),
                label=f"{hyperparameter.label}: your reason",
                optional=True,  # a missing reason is reported in our own words, after submission
                element=PlainTextInputElement(
                    action_id=OTHER, max_length=MOST_CHARACTERS, initial_value=start.other or None
                ),
            )
        )
    return blocks


def _value_element(hyperparameter: Hyperparameter, initial: str) -> PlainTextInputElement | StaticSelectElement:
    if hyperparameter.kind != "choice":
        return PlainTextInputElement(action_id=VALUE, initial_value=initial or None, placeholder="A number")
    labels = {choice: LABELS[choice] for choice in hyperparameter.choices}
    return StaticSelectElement(
        action_id=VALUE,
        placeholder="Choose one",
        options=options(labels),
        initial_option=options({initial: labels[initial]})[0] if initial else None,
    )


def _hint(memory: FormMemory, bounds: Bounds, hyperparameter: Hyperparameter) -> str:
    if hyperparameter.kind == "choice":
        return hyperparameter.help
    shown = memory.presets and hyperparameter.default is not None
    preset = f" Preset: {format_value(hyperparameter.default or 0)}." if shown else ""
    accepted = f"Accepted: {hyperparameter.accepted(bounds, memory.optimizer)}."
    ends = f" {STOPPED_AT_THE_END}" if hyperparameter.name == "epochs" and memory.purpose is Purpose.TRY else ""
    return f"{hyperparameter.help}{preset} {accepted}{ends}"
