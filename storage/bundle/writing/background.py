"""What a bundle tells of people's background, and how far that tells people apart.

Somebody who knows a participant may find them in a bundle if nobody else has the same background. The usual measure is
k: the size of the smallest group of people who are alike (Samarati and Sweeney, 1998). Whoever is alone has k = 1.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.schema.states import Background
from storage.schema.tables import Participant

BEFORE_MASTER, MASTER_OR_MORE = "before_master", "master_or_more"

EDUCATION_BANDS: Mapping[str, str] = {
    "high_school": BEFORE_MASTER,
    "bachelor": BEFORE_MASTER,
    "master_enrolled": BEFORE_MASTER,
    "master": MASTER_OR_MORE,
    "doctorate": MASTER_OR_MORE,
    BEFORE_MASTER: BEFORE_MASTER,
    MASTER_OR_MORE: MASTER_OR_MORE,
}
"""The band of each answer that the background form offers, and of each band. Another text has no band."""

_SETS: Mapping[Background, str] = {
    Background.FULL: "months, education and all other answers",
    Background.STANDARD: "months, education in bands",
    Background.BANDED: "group instead of months, education in bands",
    Background.NONE: "nothing",
}


@dataclass(frozen=True)
class Told:
    """What a bundle tells of one person; ``None`` and an empty mapping are what it does not."""

    months: float | None = None
    group: str | None = None
    education: str | None = None
    answers: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Alike:
    """How far a set of background columns tells people apart.

    Attributes:
        columns: The set, in words.
        people: How many people told their background.
        smallest: k: how many people are in the smallest group of people who are alike; 0 if there is nobody.
        unique: How many people are alone with theirs.
    """

    columns: str
    people: int
    smallest: int
    unique: int

    def __str__(self) -> str:
        return f"{self.columns}: k = {self.smallest}, {self.unique} of {self.people} unique"


def told_of(person: Participant, background: Background, held: Background = Background.FULL) -> Told:
    """What is told of a person, or of an artificial participant.

    Args:
        background: How much is to be told.
        held: How much the study's data tell.
    """
    if background is Background.NONE:
        return Told()
    # The group tells the months of somebody whose data were deleted.
    group = person.block_group if person.baseline_id is not None or _has_told(person, held) else None
    if background is Background.FULL:
        return Told(person.months, group, person.education or None, person.answers or {})
    months = person.months if background.has_months else None
    return Told(months, group, EDUCATION_BANDS.get(person.education or ""))


def alike_by_set(people: Iterable[Participant], held: Background) -> tuple[Alike, ...]:
    """How far each set of columns tells people apart: of each :class:`Background`, and each column alone.

    Args:
        people: The people of a study. Those who told nothing, or whose data were deleted, do not count.
        held: How much the study's data tell of them: sets with more are left out.
    """
    told = [each for each in people if each.baseline_id is None and _has_told(each, held)]
    found = [
        _alike(_SETS[each], told, lambda person, each=each: told_of(person, each, held))  # type: ignore[misc]
        for each in Background
        if each is not Background.NONE and each.no_more_than(held) is each
    ]
    columns: dict[str, Callable[[Participant], Any]] = {
        "months": lambda person: person.months,
        "group": lambda person: person.block_group,
        "education": lambda person: person.education,
        "education in bands": lambda person: EDUCATION_BANDS.get(person.education or ""),
    }
    for name in sorted({name for each in told for name in each.answers or {}}):
        columns[name] = lambda person, name=name: (person.answers or {}).get(name)  # type: ignore[misc]
    alone = [_alike(f"{name} alone", told, value) for name, value in columns.items()]
    return (*found, *(each for each in alone if _says_something(each)))


def in_bundle(found: Sequence[Alike], background: Background) -> Alike | None:
    """The one about what a bundle has; none of a bundle that tells nothing."""
    return next((each for each in found if each.columns == _SETS[background]), None)


def _alike(columns: str, people: Sequence[Participant], value: Callable[[Participant], Any]) -> Alike:
    groups = Counter(repr(value(each)) for each in people)
    unique = sum(count == 1 for count in groups.values())
    return Alike(columns, len(people), min(groups.values(), default=0), unique)


def _says_something(found: Alike) -> bool:
    """Whether a column tells anybody apart from others."""
    return found.smallest < found.people


def _has_told(person: Participant, held: Background) -> bool:
    """Whether a person told their experience, and it was not deleted."""
    return person.months is not None or (not held.has_months and person.block_group is not None)
