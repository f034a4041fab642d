"""From the first hello to the Start button: greeting, consent, background, task, guide."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, RadioButtonsElement, StaticSelectElement
from slack_sdk.models.views import View

from bot.settings.settings import Question
from bot.slack.block_kit import (
    Message,
    actions,
    button,
    clock_time,
    context,
    divider,
    header,
    modal,
    options,
    paragraphs,
    section,
)
from training.bounds import Bounds
from training.hyperparameters import HYPERPARAMETERS, LABELS, Optimizer, format_value
from training.numbers import NotANumber, about, parse_real
from training.tasks import TaskFacts

AGREE = "consent_agree"
BACKGROUND = "background_open"
BACKGROUND_FORM = "background"
GUIDE = "guide_open"
START = "session_start"

BRIEFING = "briefing"
"""The ``block_id`` of the buttons under the task."""

EDUCATION: Mapping[str, str] = {
    "high_school": "High school",
    "bachelor": "Bachelor's degree",
    "master_enrolled": "Master's programme, enrolled",
    "master": "Master's degree",
    "doctorate": "Doctorate",
}
"""Highest education, as the paper's authors asked for it."""

MOST_MONTHS = 1200.0
"""A hundred years: nobody has more experience."""

_ASK_BACKGROUND = (
    "Thank you! First, please answer a few questions about your experience. "
    "This takes about a minute, and you can answer them only once."
)
_MONTHS = "months"
_EDUCATION = "education"
_ANSWER = "answer"


def greeting(consent_text: str, done: str = "") -> Message:
    """The first message: what this is, the consent text, *I agree*.

    Args:
        consent_text: What participants agree to.
        done: What stands in the place of the button, once it was pressed.
    """
    last = context(done) if done else actions([button("I agree", AGREE, style="primary")], block_id="consent")
    return Message(
        text=f"Welcome! {done or 'Please read what this study is about, and press “I agree” to take part.'}",
        blocks=(header("Welcome 👋"), *paragraphs(consent_text), last),
    )


def ask_background() -> Message:
    """Asks for the participant's experience."""
    return Message(
        text=_ASK_BACKGROUND,
        blocks=(
            section(_ASK_BACKGROUND),
            actions([button("Tell us about you", BACKGROUND, style="primary")], "background"),
        ),
    )


def described() -> Message:
    """The request for the participant's experience, once the questions are answered."""
    done = "✅ You told us about yourself."
    return Message(text=done, blocks=(section(_ASK_BACKGROUND), context(done)))


def background_form(questions: Sequence[Question], asked_at: str = "") -> View:
    """The form for experience and education, and the study's extra questions.

    Args:
        questions: The extra ones.
        asked_at: The ``response_url`` of the message with the request; it comes back with the answers.
    """
    blocks: list[Block] = [
        InputBlock(
            block_id=_MONTHS,
            label="Months of deep-learning experience",
            hint="How long you have trained neural networks yourself, in your studies, at work or in your free time. "
            "Enter 0 if you have not.",
            element=PlainTextInputElement(action_id=_ANSWER, placeholder="0"),
        ),
        InputBlock(
            block_id=_EDUCATION,
            label="Highest education",
            element=StaticSelectElement(action_id=_ANSWER, placeholder="Choose one", options=options(EDUCATION)),
        ),
    ]
    for question in questions:
        element: PlainTextInputElement | RadioButtonsElement | StaticSelectElement
        if question.kind == "number":
            element = PlainTextInputElement(action_id=_ANSWER, placeholder="0")
        elif len(question.choices) <= 10:
            element = RadioButtonsElement(action_id=_ANSWER, options=options(question.choices))
        else:
            element = StaticSelectElement(action_id=_ANSWER, options=options(question.choices))
        blocks.append(InputBlock(block_id=f"extra.{question.name}", label=question.label, element=element))
    return modal(
        "About you", blocks, callback_id=BACKGROUND_FORM, submit="Send", close="Later", private_metadata=asked_at
    )


@dataclass(frozen=True)
class Background:
    """The answers: months of deep-learning experience, a key of :data:`EDUCATION`, the extra answers by name."""

    months: float
    education: str
    answers: Mapping[str, str | float]


class InvalidForm(ValueError):
    """A form cannot be used as it is: ``errors`` has one sentence per block at fault, keyed by block_id."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(self.errors.values()))


def read_background(values: Mapping[str, Mapping[str, Any]], questions: Sequence[Question]) -> Background:
    """Read the submitted background form.

    Args:
        values: ``view.state.values`` as Slack sends it.
        questions: The questions that the form asked.

    Raises:
        InvalidForm: With one sentence for every answer that cannot be used.
    """
    errors: dict[str, str] = {}

    def chosen(block_id: str, choices: Collection[str]) -> str:
        option = values.get(block_id, {}).get(_ANSWER, {}).get("selected_option") or {}
        if option.get("value") not in choices:
            errors[block_id] = "Please choose one."
            return ""
        return str(option["value"])

    def number(block_id: str, high: float) -> float:
        try:
            value = parse_real(values.get(block_id, {}).get(_ANSWER, {}).get("value") or "")
        except NotANumber as error:
            errors[block_id] = str(error)
            return 0.0
        if not 0 <= value <= high:
            errors[block_id] = f"Please enter a number from 0 to {high:g}."
        return value

    months = number(_MONTHS, MOST_MONTHS)
    education = chosen(_EDUCATION, EDUCATION)
    answers: dict[str, str | float] = {}
    for question in questions:
        block_id = f"extra.{question.name}"
        is_number = question.kind == "number"
        answers[question.name] = number(block_id, MOST_MONTHS) if is_number else chosen(block_id, question.choices)
    if errors:
        raise InvalidForm(errors)
    return Background(months=months, education=education, answers=answers)


def briefing(facts: TaskFacts, limit_minutes: float, done: str = "") -> Message:
    """The task, and *Start*.

    Args:
        facts: What participants may know of the task.
        limit_minutes: How long a session is.
        done: What stands in the place of *Start*, once it was pressed.
    """
    text = (
        f"*Your task*\nTrain a neural network that sorts images into {facts.classes} classes. "
        "The network is given. You choose the 15 settings (hyperparameters) for its training. "
        "Find the settings with which it classifies *new* images as accurately as possible.\n\n"
        f"• There are about {about(facts.training_images)} images for training, {about(facts.validation_images)} for "
        f"validation and {about(facts.test_images)} for the final test. Each has {facts.image_size}×{facts.image_size} "
        "pixels.\n"
        "• Submit a configuration and watch its loss. You can cancel it while it trains. When its training has ended, "
        "I tell you its accuracy on the validation images.\n"
        "• One configuration trains at a time. You can try as many as you like, one after the other.\n"
        f"• You have {limit_minutes:g} minute{'' if limit_minutes == 1 else 's'} from the moment when you press "
        "*Start*. You can finish earlier if you think that you cannot improve any more.\n"
        "• At the end you choose your final configuration. Only its result on the final test counts.\n\n"
        "In the form, please say why you chose a value. This helps the study most."
    )
    if done:
        return Message(text=f"Here is your task. {done}", blocks=(*paragraphs(text), *_start_pressed(done)))
    return Message(
        text="Here is your task. Press Start when you are ready. Your time starts then.",
        blocks=(
            *paragraphs(text),
            actions(
                [button("Start", START, style="primary"), button("What do the settings do?", GUIDE)],
                block_id=BRIEFING,
            ),
        ),
    )


def start_pressed(done: str) -> Message:
    """What replaces a message with *Start*, other than the task, once it was pressed.

    Args:
        done: What has happened.
    """
    return Message(text=done, blocks=_start_pressed(done))


def _start_pressed(done: str) -> tuple[Block, ...]:
    return context(done), actions([button("What do the settings do?", GUIDE)], block_id="started")


def place_in_queue(position: int) -> str:
    """The position in the queue, in a few sentences."""
    return (
        f"You are in the queue: {_people_before(position)}. Your time has not started. "
        "I will write to you as soon as a place is free."
    )


def _people_before(position: int) -> str:
    if position == 1:
        return "you are next"
    return "1 person is before you" if position == 2 else f"{position - 1} people are before you"


def in_queue(position: int, *, late: bool = False) -> Message:
    """The participant pressed Start while all places were taken.

    Args:
        position: The position in the queue, from 1.
        late: Whether the participant was called before, and came after the place went to somebody else.
    """
    reason = (
        "Your place was kept for a while, and then it went to somebody else. You keep your position in the queue"
        if late
        else "All places are taken at the moment. You are in the queue now"
    )
    text = (
        f"{reason}: {_people_before(position)}. I will write to you as soon as a place is free. "
        "Your time has not started. There is nothing to do until then."
    )
    return Message(
        text=text,
        blocks=(section(text), actions([button("What do the settings do?", GUIDE)], block_id="in_queue")),
    )


def called(kept_until: datetime) -> Message:
    """A place has become free for somebody in the queue.

    Args:
        kept_until: Nobody else gets the place before this time.
    """
    kept = f"A place is free now. It is kept for you until {clock_time(kept_until)}."
    text = f"{kept} Press *Start* when you are ready. Your time starts then."
    return Message(
        text=f"{kept} Press Start when you are ready.",
        blocks=(
            section(text),
            actions([button("Start", START, style="primary"), button("What do the settings do?", GUIDE)], "called"),
        ),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def guide(bounds: Bounds = Bounds.OPTIMIZER, *, presets: bool = True) -> View:
    """What each of the 15 hyperparameters is, who uses it, its preset, and what is accepted.

    Args:
        bounds: The study's bounds.
        presets: Whether the person may know the presets.
    """
    chosen = "You must choose the first four settings. The others have a preset value, which you can change or keep."
    if not presets:
        chosen = "You choose the value of every setting that your optimizer uses."
    blocks: list[Block] = [section(chosen)]
    for hyperparameter in HYPERPARAMETERS:
        has_preset = presets and not hyperparameter.mandatory
        facts = [f"preset {format_value(hyperparameter.default or 0)}"] if has_preset else []
        facts.append(f"accepted: {hyperparameter.accepted(bounds)}")
        if len(hyperparameter.optimizers) < len(Optimizer):
            users = sorted(LABELS[optimizer] for optimizer in hyperparameter.optimizers)
            facts.append(f"used by {', '.join(users)}")
        blocks += [
            divider(),
            section(f"*{hyperparameter.label}*\n{hyperparameter.help}"),
            context(_sentence(" · ".join(facts))),
        ]
    return modal("The 15 settings", blocks, callback_id="guide")
