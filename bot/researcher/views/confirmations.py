"""The question before an action that cannot be undone, or that everybody notices."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from bot.slack.block_kit import Message, actions, button, section
from bot.study.outdated import reading_button

YES = "research_yes"
NO = "research_no"

_MOST_NAMED = 20


class Action(StrEnum):
    """What the bot does only after a confirmation."""

    OPEN = "open"
    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    CANCEL_EVALUATIONS = "cancel-evaluations"
    REPORT = "report"
    EXPORT = "export"

    @property
    def is_about_somebody(self) -> bool:
        """Whether it names a participant."""
        return self in (Action.CANCEL, Action.WITHDRAW, Action.CANCEL_EVALUATIONS)

    @property
    def is_look(self) -> bool:
        """Whether it shows test results before the study is closed."""
        return self in (Action.REPORT, Action.EXPORT)


@dataclass(frozen=True)
class Confirmation:
    """What the button *yes* carries: the action, its subject, and a hash of the state that was shown.

    ``code`` is the participant's code, or the part of the report, such as ``figure-4``; empty for other actions.
    """

    action: Action
    code: str
    mark: str

    def __str__(self) -> str:
        return f"{self.action}:{self.code}:{self.mark}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what the button carries.

        Raises:
            Refused: It cannot be read.
        """
        with reading_button():
            action, code, mark = text.split(":", 2)
            return cls(Action(action), code, mark)


@dataclass(frozen=True)
class Question:
    """A question about an action, with its effects.

    Attributes:
        action: The action.
        title: The question itself.
        effects: What will happen, one sentence per effect.
        yes: The text of the button, at most 75 characters.
        known: The state that the effects depend on. When it is different at the press, the question is asked again.
        code: The participant's code, for an action that is about one; the part of the report.
    """

    action: Action
    title: str
    effects: tuple[str, ...]
    yes: str
    known: tuple[str, ...]
    code: str = ""

    @property
    def mark(self) -> str:
        """A short hash of :attr:`known`."""
        return hashlib.sha256("\n".join(self.known).encode()).hexdigest()[:16]

    @property
    def is_drastic(self) -> bool:
        """Whether the action cannot be undone."""
        return self.action is Action.CLOSE or self.action.is_about_somebody or self.action.is_look


def question_message(question: Question, *, again: bool = False) -> Message:
    """The question with *yes* and *no*.

    Args:
        question: The question.
        again: Whether it was answered already, before something changed.
    """
    before = "Something has changed since I asked, so nothing was done yet. " if again else ""
    effects = "\n".join(f"• {effect}" for effect in question.effects)
    carried = Confirmation(question.action, question.code, question.mark)
    yes = button(question.yes, YES, carried, style="danger" if question.is_drastic else "primary")
    return Message(
        text=f"{before}{question.title}",
        blocks=(
            section(f"{before}*{question.title}*\n{effects}"),
            actions([yes, button("No, leave it", NO)], "question"),
        ),
    )


def named(codes: Iterable[str]) -> str:
    """The first codes, and the number of the others: ``P0293, P4071 and 3 more``."""
    codes = list(codes)
    more = len(codes) - _MOST_NAMED
    row = ", ".join(codes[:_MOST_NAMED])
    return f"{row} and {more} more" if more > 0 else row
