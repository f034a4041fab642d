"""A study as the report reads it: codes, never Slack users; times from the start of each one's session."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reports.data.study_rules import Rules
from reports.results.arms import AssignmentLine
from reports.results.study_results import AmendmentLine
from reports.statistics.arrays import Flags, Floats, Integers
from storage.queries.results import Look
from storage.registration.document import Registration
from storage.schema.comments import Comment
from storage.schema.states import Background, Chooser, SessionEnd, SessionState, Suggestion, TrialState

Kind = Literal["person", "random", "tpe"]

STATES: tuple[TrialState, ...] = tuple(TrialState)
"""What :attr:`Trials.state` indexes."""

COMMENTS: tuple[Comment, ...] = tuple(Comment)
"""What :attr:`Trials.comments` indexes."""

NO_COMMENT = -1


@dataclass(frozen=True)
class EvaluationRow:
    """One of the trainings of a final choice; ``accuracy`` on the test split, in percent, when complete."""

    seed: int
    state: TrialState
    accuracy: float | None


@dataclass(frozen=True)
class ParticipantRow:
    """A participant with their session.

    Attributes:
        code: ``P4071``, another one in each bundle; artificial ones ``R1``, ``T1-01``.
        group: By the study's rules; without months as it was told, and None where it was not.
        months_left_out: Whether they told months of experience that these data do not have.
        task: Of the session, or as assigned; None when neither is there yet.
        consented, described: Whether they consented, and described their background.
        consent_hash: SHA-256 of the consent text that they agreed to; None where it is not known.
        let_in_again: Whether they had left the study, and a researcher let them in again.
        session: Where their session is; None when it never began.
        ended_as: How it ended.
        chosen_by: Who made the final choice; None when there is none.
        evaluations: Of the final choice, by seed.
        trials: Their rows in :attr:`StudyData.trials`, in the order of their numbers.
        limit_seconds: How long their session was to last; None when it never began.
        extended_seconds: How much time a researcher gave.
        given_back_seconds: How much time was given back because it was lost through a fault.
        arm: The condition to which they were assigned; None in a study without arms.
    """

    code: str
    kind: Kind
    months: float | None
    group: str | None
    education: str | None
    answers: Mapping[str, Any]
    task: str | None
    consented: bool
    described: bool
    withdrawn: bool
    session: SessionState | None
    ended_as: SessionEnd | None
    chosen_by: Chooser | None
    evaluations: tuple[EvaluationRow, ...]
    trials: slice
    months_left_out: bool = False
    limit_seconds: float | None = None
    extended_seconds: float = 0.0
    given_back_seconds: float = 0.0
    arm: str | None = None
    consent_hash: str | None = None
    let_in_again: bool = False

    @property
    def is_analysed(self) -> bool:
        """Whether they are in the report's figures: finished with a final choice, not withdrawn, experience told."""
        finished = self.session is SessionState.FINISHED and self.chosen_by is not None and not self.withdrawn
        return finished and (self.kind != "person" or self.months is not None or self.months_left_out)


@dataclass(frozen=True, eq=False)
class Trials:
    """All trials as columns of one length, sorted by participant and number.

    Attributes:
        number: From 1 within a session.
        state: Index into :data:`STATES`.
        accuracy: Validation accuracy in percent; NaN where there is none.
        seconds: Time trained; NaN when it never started.
        submitted, started, ended: Whole seconds from the session's start, as in a bundle; NaN where it has not.
        values: Shape (trials, 15), in table 1's order; a choice is the index into its ``choices``.
        comments: Shape (trials, 15): index into :data:`COMMENTS`, or :data:`NO_COMMENT`.
        drawn: Whether a random search drew it.
        suggestions: What became of the values that its form suggested; None where it suggested none.
    """

    number: Integers
    state: Integers
    accuracy: Floats
    seconds: Floats
    submitted: Floats
    started: Floats
    ended: Floats
    values: Floats
    comments: NDArray[np.int8]
    drawn: Flags
    suggestions: tuple[Suggestion | None, ...]

    def __len__(self) -> int:
        return len(self.number)

    def are(self, *states: TrialState) -> Flags:
        """Which are in one of these states."""
        return np.isin(self.state, [STATES.index(each) for each in states])

    @property
    def complete(self) -> Flags:
        """Which were trained to their end and measured."""
        return self.are(TrialState.COMPLETE) & np.isfinite(self.accuracy)


@dataclass(frozen=True, eq=False)
class StudyData:
    """One study.

    Attributes:
        opened: The day it opened (ISO); None when it has not yet.
        background: How much of what people told of themselves these data have.
        is_interim: Whether it has opened and is not closed.
        registration: What was settled before it opened; None when nothing was registered.
        looks: At test results, before it was closed.
        participants: People by what they told and did, which does not depend on their codes; then artificial ones.
        assignment: What the assignment of tasks and arms followed from; None if nothing was assigned by a secret.
    """

    name: str
    opened: str | None
    rules_hash: str
    rules: Rules
    amendments: tuple[AmendmentLine, ...]
    participants: tuple[ParticipantRow, ...]
    trials: Trials
    background: Background = Background.FULL
    is_interim: bool = False
    registration: Registration | None = None
    looks: tuple[Look, ...] = ()
    assignment: AssignmentLine | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that somebody has, sorted; those of the rules when nobody has one."""
        given = {each.task for each in self.participants if each.task is not None}
        return tuple(sorted(given or set(self.rules.tasks)))

    def people(self, task: str | None = None) -> tuple[ParticipantRow, ...]:
        """All people, or those with this task."""
        return self._of_kind("person", task)

    def artificial(self, kind: Kind, task: str | None = None) -> tuple[ParticipantRow, ...]:
        """All artificial participants of a searcher, or those with this task."""
        return self._of_kind(kind, task)

    def _of_kind(self, kind: Kind, task: str | None) -> tuple[ParticipantRow, ...]:
        return tuple(each for each in self.participants if each.kind == kind and task in (None, each.task))


def natural(code: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts codes as people count: P2 before P10, T1-9 before T1-10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", code) if part)
