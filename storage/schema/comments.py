"""Why a participant chose a value: the comments of the paper's Table 3."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_CHARACTERS = 300
"""The most characters of a comment in a participant's own words."""


class Comment(StrEnum):
    """The five predefined comments of the paper's Table 3."""

    GUESS = "guess"
    DEFAULT = "default"
    PAST = "past"
    LEARNED = "learned"
    OTHER = "other"


COMMENT_TEXTS: Mapping[Comment, str] = {
    Comment.GUESS: "It is just a guess.",
    Comment.DEFAULT: "It is a suggested default value.",
    Comment.PAST: "It is the value that has worked well for me in the past.",
    Comment.LEARNED: "It is the value I learnt from previous submissions.",
    Comment.OTHER: "Other",
}
"""The comments in the order and the words of Table 3."""


@dataclass(frozen=True)
class Remark:
    """One of the five comments; *Other* comes with a text in the participant's own words.

    A text with another comment is dropped.

    Raises:
        ValueError: The comment is *Other*, and there is no text.
    """

    comment: Comment
    text: str = ""

    def __post_init__(self) -> None:
        text = self.text.strip() if self.comment is Comment.OTHER else ""
        if self.comment is Comment.OTHER and not text:
            raise ValueError("Please say in a few words why you chose this value.")
        object.__setattr__(self, "text", text)

    def __str__(self) -> str:
        return self.text or COMMENT_TEXTS[self.comment]
