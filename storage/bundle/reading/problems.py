"""What is wrong with a bundle, and where, for the person who made it."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_PROBLEMS = 20
"""How many problems are named at once."""

MOST_SHOWN = 200
"""Characters of a name or a message out of a bundle that are shown."""


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """The beginning of a text that somebody else wrote, without characters that a terminal would act on."""
    start = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(each if each.isprintable() else "·" for each in start)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: The file in the bundle, or the bundle itself.
        sentence: What is wrong, as the rest of a sentence that begins with the place: "“ten” is not a number".
        row: The number of the row in a spreadsheet: the heading is row 1.
        column: The heading of the column.
    """

    file: str
    sentence: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = shown(self.file)
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {shown(self.column)}"
        return f"{place}: {self.sentence}" if self.row or self.column else f"{place} {self.sentence}"


class BundleRefused(Exception):
    """A bundle that cannot be imported; nothing was changed. ``str(error)`` names every problem.

    Attributes:
        problems: In the order in which they were found, 20 at most.
        more: Whether the search ended at these 20.
    """

    def __init__(self, problems: Sequence[Problem], *, more: bool = False) -> None:
        self.problems, self.more = tuple(problems), more
        lines = [str(each) for each in self.problems]
        if more:
            lines.append("There may be more: the search ended here.")
        super().__init__("\n".join(lines))


class Problems:
    """Collects problems, and ends the import when there are ``MOST_PROBLEMS``."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, file: str, sentence: str, row: int | None = None, column: str | None = None) -> None:
        """Note a problem.

        Raises:
            BundleRefused: There are ``MOST_PROBLEMS`` problems.
        """
        self.found.append(Problem(file, sentence, row, column))
        if len(self.found) >= MOST_PROBLEMS:
            raise BundleRefused(self.found, more=True)

    def refuse(self) -> None:
        """End the import if there is a problem.

        Raises:
            BundleRefused: There is a problem.
        """
        if self.found:
            raise BundleRefused(self.found)
