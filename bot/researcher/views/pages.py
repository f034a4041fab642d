"""One page of a long answer: in a modal, or in a message when it is too late for a modal."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.slack.block_kit import Message, actions, as_much_as_fits, button, context, modal, section
from bot.study.outdated import reading_button

TURN = "research_turn"
"""The ``action_id`` of every button that leads to another page begins so; the button's value is a :class:`Place`."""


class Subject(StrEnum):
    """What a page is about."""

    STATUS = "status"
    PARTICIPANTS = "participants"
    PARTICIPANT = "participant"


@dataclass(frozen=True)
class Place:
    """The subject and number of a page; ``code`` names the participant."""

    subject: Subject
    number: int = 1
    code: str = ""

    def __str__(self) -> str:
        return f"{self.subject}:{self.number}:{self.code}"

    @classmethod
    def read(cls, text: str) -> Self:
        """The place that a button carries.

        Raises:
            Refused: It cannot be read.
        """
        with reading_button():
            subject, number, code = text.split(":", 2)
            return cls(Subject(subject), int(number), code)


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        place: The subject and number of the page.
        of: How many pages there are.
        title: At most 24 characters.
        blocks: At most 45, and none that Slack allows only in messages.
        note: A sentence about what was just done.
    """

    place: Place
    of: int
    title: str
    blocks: tuple[Block, ...]
    note: str = ""

    def modal(self) -> View:
        """The page as a modal."""
        return modal(self.title, [*self._note, *self.blocks, *self._turning()], callback_id="research_page")

    def message(self) -> Message:
        """The page as a message, which has less room than a modal."""

        def with_first(count: int) -> Message:
            blocks = [*self._note, *self.blocks[:count]]
            if count < len(self.blocks):
                blocks.append(context("A message has no room for the rest. Type the command again to see all of it."))
            return Message(text=self._where, blocks=(*blocks, *self._turning()))

        return as_much_as_fits(len(self.blocks), with_first)

    @property
    def _where(self) -> str:
        return self.title if self.of == 1 else f"{self.title}, page {self.place.number} of {self.of}"

    @property
    def _note(self) -> list[Block]:
        return [section(self.note)] if self.note else []

    def _turning(self) -> list[Block]:
        number, place = self.place.number, self.place
        row = []
        if place.subject is Subject.PARTICIPANT:
            row.append(button("All participants", f"{TURN}.up", Place(Subject.PARTICIPANTS)))
        if number > 1:
            row.append(button("Previous", f"{TURN}.back", Place(place.subject, number - 1, place.code)))
        if number < self.of:
            row.append(button("Next", f"{TURN}.on", Place(place.subject, number + 1, place.code)))
        where: list[Block] = [context(f"Page {number} of {self.of}")] if self.of > 1 else []
        return [*where, *([actions(row, block_id="turn")] if row else [])]


def pages(items: int, per_page: int) -> int:
    """The number of pages for this many items; one page when there are no items."""
    return max(1, -(-items // per_page))


def within(number: int, of: int) -> int:
    """The number of the existing page that is nearest to this number."""
    return min(max(number, 1), of)
