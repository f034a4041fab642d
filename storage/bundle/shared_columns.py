"""Columns that several tables of a bundle have, and the kinds of columns that come again and again."""

from collections.abc import Iterable
from typing import Any

from storage.bundle.cells import Column, Kind
from storage.schema.states import TrialState

LONGEST = 9.5e8
"""Seconds that a time in a bundle may have: 30 years."""


def words(kind: Iterable[Any]) -> tuple[str, ...]:
    """The values of an enumeration, as cells have them."""
    return tuple(str(each) for each in kind)


def since(name: str, meaning: str, empty: str | None) -> Column:
    """A column of moments: seconds from the start of the session."""
    meaning = f"{meaning}, counted from the start of the session."
    return Column(name, Kind.REAL, meaning, unit="s", low=-LONGEST, high=LONGEST, empty=empty, bounds="within 30 years")


def percent(name: str, meaning: str, empty: str, *, required: bool = False) -> Column:
    """A column of shares, from 0 to 100."""
    return Column(name, Kind.REAL, meaning, unit="%", low=0, high=100, required=required, empty=empty)


PARTICIPANT = Column(
    "participant", Kind.CODE, "Whose: a code of participants.csv.", required=True, refers=("participants", "code")
)
TASK = Column("task", Kind.TEXT, "What is trained: the name of a data set with a network.", empty="Not known.")
ARM = Column("arm", Kind.TEXT, "The arm of the rules that was assigned: a condition.", empty="The study has no arms.")
ENVIRONMENT = Column(
    "environment",
    Kind.INTEGER,
    "What it was trained on: a number of environments.csv.",
    low=1,
    empty="Not known, or never trained.",
)
STATE = Column(
    "state",
    Kind.CHOICE,
    "How it ended: complete, cancelled before its end, diverged (the loss became infinite or not a number), or failed "
    "(it could not be trained). Waiting and running ones are in a bundle that was made before they ended; import takes "
    "them for cancelled.",
    choices=words(TrialState),
    empty="Complete with an accuracy, failed without one.",
)
RUN = (
    Column(
        "reason",
        Kind.TEXT,
        "Why it failed, as the participant was told.",
        empty="It did not fail, or nothing was said.",
    ),
    Column(
        "attempts",
        Kind.INTEGER,
        "How often a slot took it to train it; more than once after a machine was lost.",
        low=0,
        empty="Not known.",
    ),
    Column("seconds", Kind.REAL, "Time trained.", unit="s", low=0, empty="Not known, or never trained."),
    Column("images_per_second", Kind.REAL, "Speed of training.", unit="images/s", low=0, empty="Not known."),
    ENVIRONMENT,
)
