"""What a researcher reads in the numbers that ``/study check`` shows: in a chart's title, in a picture's strokes."""

import re
from functools import cache

from bot.checks.numbers import as_picture
from bot.sandbox.client.person import Person
from bot.sandbox.client.screen import Message
from tests.bot.researcher.asking import PATIENCE

LABELS = ("Number 1", "Number 2", "Number 3", "Number 4")


@cache
def written() -> dict[bytes, str]:
    """Every number by the picture in which it is written."""
    return {as_picture(number): str(number) for number in range(10, 100)}


def number_in(person: Person, message: Message) -> str:
    """The number in a message; empty if there is none that a person can see."""
    for picture in person.pictures(message):
        return written()[picture]
    charts = [block for block in message.blocks if block["type"] == "data_visualization"]
    for chart in charts:
        found = re.fullmatch(r"The number is (\d\d)", chart["title"])
        assert found is not None, chart
        assert chart["chart"]["series"][0]["data"][-1]["value"] == float(found[1])
        return found[1]
    return ""


def check(person: Person) -> Message:
    """Type ``/study check``, and wait until it asks for the numbers."""
    before = max((each.ts for each in person.messages()), default="")
    person.command("/study", "check")
    return person.wait_for("Which numbers do you see", PATIENCE, after=before)


def numbers_before(person: Person, question: Message) -> list[Message]:
    """The four messages with the numbers."""
    shown = [each for each in person.messages() if re.match(r"Number \d of 4", each.text) and each.ts < question.ts]
    return shown[-4:]


def read(person: Person, question: Message) -> dict[str, str]:
    """The numbers that the person can see, by the labels of the form."""
    shown = numbers_before(person, question)
    return dict(zip(LABELS, (number_in(person, each) for each in shown), strict=True))


def answer(person: Person, question: Message, typed: dict[str, str]) -> Message:
    """Type these numbers into the form, and wait for what follows from them."""
    person.press(question, "Type the numbers")
    person.wait_for_modal("The numbers you see", PATIENCE)
    person.fill({label: number for label, number in typed.items() if number})
    assert person.submit() == {}
    return person.wait_for("Thank you.", PATIENCE, after=question.ts)
