"""What is asked before something is done that cannot be taken back, or that everybody notices."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from bot.slack.block_kit import Message, actions, button, section

YES = "research_yes"
NO = "research_no"

_MOST_NAMED = 20


class Deed(StrEnum):
    """What is asked about."""

    OPEN = "open"
    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Pressed:
    """What *yes* carries: the deed, the participant that it is about, and a mark of what was said would happen."""

    deed: Deed
    code: str
    mark: str

    def __str__(self) -> str:
        return f"{self.deed}:{self.code}:{self.mark}"

    @classmethod
    def read(cls, text: str) -> Self:
        """What the button carried."""
        deed, code, mark = text.split(":", 2)
        return cls(Deed(deed), code, mark)


@dataclass(frozen=True)
class Question:
    """A question, with what it will do to whom.

    Attributes:
        title: The question itself.
        effects: What will happen, a sentence each.
        yes: On the button, at most 75 characters.
        known: What the answer depends on: when it is different at the press, nobody has agreed to that.
    """

    deed: Deed
    title: str
    effects: tuple[str, ...]
    yes: str
    known: tuple[str, ...]
    code: str = ""

    @property
    def mark(self) -> str:
        """Short for :attr:`known`."""
        return hashlib.sha256("\n".join(self.known).encode()).hexdigest()[:16]

    @property
    def is_drastic(self) -> bool:
        """Whether it cannot be taken back."""
        return self.deed in (Deed.CLOSE, Deed.CANCEL, Deed.WITHDRAW)


def question_message(question: Question, *, again: bool = False) -> Message:
    """The question with *yes* and *no*.

    Args:
        question: What is asked.
        again: It was answered for things as they are not any more.
    """
    before = "Something has changed since I asked, so nothing was done yet. " if again else ""
    said = "\n".join(f"• {each}" for each in question.effects)
    carried = Pressed(question.deed, question.code, question.mark)
    yes = button(question.yes, YES, carried, style="danger" if question.is_drastic else "primary")
    return Message(
        text=f"{before}{question.title}",
        blocks=(section(f"{before}*{question.title}*\n{said}"), actions([yes, button("No, leave it", NO)], "question")),
    )


def named(codes: Iterable[str]) -> str:
    """Codes in a row, as many as one reads: ``P001, P004 and 3 more``."""
    codes = list(codes)
    more = len(codes) - _MOST_NAMED
    row = ", ".join(codes[:_MOST_NAMED])
    return f"{row} and {more} more" if more > 0 else row
