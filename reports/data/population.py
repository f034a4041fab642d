"""The people (or artificial participants) whom a figure is about, as columns."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reports.data.study_data import STATES, ParticipantRow, StudyData, Trials
from reports.statistics.arrays import Flags, Floats, Integers
from storage.schema.states import TrialState
from storage.study_rules import GROUPS

LOST = (TrialState.DIVERGED, TrialState.FAILED)
"""Trained without a result. Where such an evaluation, drawn setting or try counts, it counts as 0 %."""

_OPEN = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True)
class Final:
    """A final choice's mean test accuracy in percent, and its ``sd`` between seeds (None for fewer than two)."""

    accuracy: float
    sd: float | None
    evaluations: int


def is_pending(row: ParticipantRow) -> bool:
    """Whether an evaluation of the final choice has not ended yet, or there is no evaluation yet."""
    return not row.evaluations or any(each.state in _OPEN for each in row.evaluations)


def final(row: ParticipantRow, *, lost_count: bool) -> Final | None:
    """The final accuracy; None while it is pending, or when no evaluation gives one.

    Args:
        lost_count: Whether an evaluation that diverged or failed counts as 0 %; else it is left out.
    """
    if is_pending(row):
        return None
    accuracies = [
        each.accuracy or 0.0
        for each in row.evaluations
        if each.state is TrialState.COMPLETE or (lost_count and each.state in LOST)
    ]
    if not accuracies:
        return None
    sd = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None
    return Final(math.fsum(accuracies) / len(accuracies), sd, len(accuracies))


@dataclass(frozen=True, eq=False)
class Population:
    """Participants who finished, in the order of their codes, with their tries as a table.

    The tables have one row per participant and one column per try, up to the most tries that anyone made.
    """

    rows: tuple[ParticipantRow, ...]
    trials: Trials

    @classmethod
    def analysed(cls, data: StudyData, rows: Sequence[ParticipantRow]) -> "Population":
        """The participants among the rows who are analysed."""
        return cls(tuple(row for row in rows if row.is_analysed), data.trials)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def months(self) -> Floats:
        """Experience; NaN for artificial participants."""
        return np.array([np.nan if row.months is None else row.months for row in self.rows], dtype=np.float64)

    @cached_property
    def group_names(self) -> NDArray[np.str_]:
        """Everybody's group; a searcher's name for artificial participants."""
        return np.array([row.group or row.kind for row in self.rows], dtype=np.str_)

    def members(self, group: str) -> Flags:
        """Which participants are in this group."""
        return np.asarray(self.group_names == group) if self.rows else np.zeros(0, dtype=bool)

    def by_group(self, values: Floats, keep: Flags | None = None) -> dict[str, Floats]:
        """The values (one per participant) by the paper's groups; with ``keep``, only of these participants."""
        kept = np.ones(len(self), dtype=bool) if keep is None else keep
        return {group: values[self.members(group) & kept] for group in GROUPS}

    @cached_property
    def indices(self) -> Integers:
        """Rows of :attr:`trials` of all of them, in order."""
        parts = [np.arange(row.trials.start, row.trials.stop) for row in self.rows]
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)

    @cached_property
    def owners(self) -> Integers:
        """The participant who made each of :attr:`indices`, as a position among the participants."""
        return np.repeat(np.arange(len(self)), self.tries)

    @cached_property
    def tries(self) -> Integers:
        """The number of tries of each participant."""
        return np.array([row.trials.stop - row.trials.start for row in self.rows], dtype=np.int64)

    @property
    def most_tries(self) -> int:
        """The largest number of tries of one participant."""
        return int(np.max(self.tries)) if len(self) else 0

    @cached_property
    def places(self) -> Integers:
        """The number of the try at each of :attr:`indices`, from 0."""
        starts = np.cumsum(self.tries) - self.tries
        return np.asarray(np.arange(len(self.indices)) - np.repeat(starts, self.tries), dtype=np.int64)

    def table(self, values: Floats, missing: float = np.nan) -> Floats:
        """A column of the trials as a table."""
        found = np.full((len(self), self.most_tries), missing)
        found[self.owners, self.places] = values[self.indices]
        return found

    @cached_property
    def made(self) -> Flags:
        """Whether a participant made this try."""
        return np.arange(self.most_tries)[None, :] < self.tries[:, None]

    @cached_property
    def accuracies(self) -> Floats:
        """Validation accuracy of each complete try; NaN for others."""
        return self.table(np.where(self.trials.complete, self.trials.accuracy, np.nan))

    @cached_property
    def states(self) -> Floats:
        """Index into :data:`STATES` of each try; −1 where there is none."""
        return self.table(self.trials.state.astype(np.float64), missing=-1.0)

    def are(self, *states: TrialState) -> Flags:
        """Which tries are in one of these states."""
        return np.isin(self.states, [STATES.index(each) for each in states])

    @cached_property
    def best_so_far(self) -> Floats:
        """The best validation accuracy up to each try, carried on to the last column; 0 before there is one."""
        return best_so_far(self.accuracies)

    @cached_property
    def best(self) -> Floats:
        """Everybody's best validation accuracy at the end; 0 for those who have none."""
        return self.best_so_far[:, -1] if self.most_tries else np.zeros(len(self))

    def state_counts(self) -> Mapping[str, int]:
        """How many tries are in each state, every state named."""
        counts = np.bincount(self.trials.state[self.indices], minlength=len(STATES))
        return {str(state): int(count) for state, count in zip(STATES, counts, strict=True)}


def best_so_far(accuracies: Floats) -> Floats:
    """The running maximum along the last axis; NaN is passed over, and before the first number it is 0."""
    return np.maximum.accumulate(np.where(np.isnan(accuracies), 0.0, accuracies), axis=-1)
