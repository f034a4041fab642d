"""A study as the report reads it: codes, never Slack users; times from the start of each one's session."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row
from sqlmodel import col, select

from reports.results.everything import AmendmentLine
from reports.statistics.arrays import Flags, Floats, Integers
from reports.study_rules import Rules
from storage.database import Store, Transaction
from storage.refusals import Reason, Refused
from storage.schema.comments import Comment
from storage.schema.states import Chooser, ParticipantState, SessionEnd, SessionState, TrialState
from storage.schema.tables import (
    Amendment,
    Baseline,
    Evaluation,
    FinalChoice,
    Participant,
    Session,
    Study,
    Trial,
    TrialComment,
)
from training.hyperparameters import BY_NAME, HYPERPARAMETERS

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
        code: ``P001``; artificial ones ``R1``, ``T1-01``.
        group: By the study's rules; None without months.
        task: Of the session, or as assigned; None when neither is there yet.
        consented, described: Whether they came so far.
        session: Where their session is; None when it never began.
        ended_as: How it ended.
        chosen_by: Who made the final choice; None when there is none.
        evaluations: Of the final choice, by seed.
        trials: Their rows in :attr:`StudyData.trials`, in the order of their numbers.
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

    @property
    def is_analysed(self) -> bool:
        """Whether they are in the report's figures: finished with a final choice, not withdrawn, experience known."""
        finished = self.session is SessionState.FINISHED and self.chosen_by is not None and not self.withdrawn
        return finished and (self.kind != "person" or self.months is not None)


@dataclass(frozen=True, eq=False)
class Trials:
    """All trials as columns of one length, sorted by participant and number.

    Attributes:
        number: From 1 within a session.
        state: Index into :data:`STATES`.
        accuracy: Validation accuracy in percent; NaN where there is none.
        seconds: Time trained; NaN when it never started.
        submitted, started, ended: Seconds from the session's start, to the millisecond; NaN where it has not.
        values: Shape (trials, 15), in table 1's order; a choice is the index into its ``choices``.
        comments: Shape (trials, 15): index into :data:`COMMENTS`, or :data:`NO_COMMENT`.
        drawn: Whether a random search drew it.
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
        participants: People and artificial ones, sorted by code: P2 before P10.
    """

    name: str
    opened: str | None
    rules_hash: str
    rules: Rules
    amendments: tuple[AmendmentLine, ...]
    participants: tuple[ParticipantRow, ...]
    trials: Trials

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


def load(store: Store, study_id: int | None = None) -> StudyData:
    """Read a study: by its number, or the current one, or the newest.

    Raises:
        Refused: There is no such study (``UNKNOWN``), or none at all (``NO_STUDY``).
    """
    with store.read() as transaction:
        study = _study(transaction, study_id)
        rules = Rules.read(study.rules)
        amendments = transaction.exec(
            select(Amendment).where(Amendment.study_id == study.id).order_by(col(Amendment.id))
        )
        searchers = dict(
            transaction.exec(select(Baseline.id, Baseline.searcher).where(Baseline.study_id == study.id)).all()
        )
        people = transaction.exec(select(Participant).where(Participant.study_id == study.id)).all()
        sessions = {
            each.participant_id: each
            for each in transaction.exec(
                select(Session).join(Participant).where(Participant.study_id == study.id).order_by(col(Session.id))
            )
        }
        choices = _final_choices(transaction, study.id)
        in_order = sorted(people, key=lambda each: natural(each.code))
        ranks = {sessions[each.id].id: rank for rank, each in enumerate(in_order) if each.id in sessions}
        starts = {each.id: each.started_at for each in sessions.values()}
        trials, slices = _trials(transaction, study.id, ranks, starts)
        rows = []
        for rank, each in enumerate(in_order):
            kind: Kind = "person" if each.baseline_id is None else str(searchers[each.baseline_id])  # type: ignore[assignment]
            session = sessions.get(each.id)
            choice = choices.get(session.id) if session else None
            rows.append(_participant(each, kind, rules, session, choice, slices.get(rank, slice(0, 0))))
        return StudyData(
            name=study.name,
            opened=study.opened_at.date().isoformat() if study.opened_at else None,
            rules_hash=study.rules_hash,
            rules=rules,
            amendments=tuple(AmendmentLine(each.name, each.reason, each.at.date().isoformat()) for each in amendments),
            participants=tuple(rows),
            trials=trials,
        )


def natural(code: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts codes as people count: P2 before P10, T1-9 before T1-10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", code) if part)


def _study(transaction: Transaction, study_id: int | None) -> Study:
    if study_id is not None:
        return transaction.need(Study, study_id)
    newest = select(Study).order_by(col(Study.current).is_(None), col(Study.id).desc())
    study = transaction.exec(newest).first()
    if study is None:
        raise Refused(Reason.NO_STUDY, "There is no study in this database yet, so there is nothing to report.")
    return study


def _participant(
    person: Participant,
    kind: Kind,
    rules: Rules,
    session: Session | None,
    choice: tuple[Chooser, tuple[EvaluationRow, ...]] | None,
    trials: slice,
) -> ParticipantRow:
    return ParticipantRow(
        code=person.code,
        kind=kind,
        months=person.months,
        group=None if person.months is None else rules.group(person.months),
        education=person.education,
        answers=person.answers or {},
        task=session.task if session else person.task,
        consented=person.consented_at is not None,
        described=person.described_at is not None,
        withdrawn=person.state is ParticipantState.WITHDRAWN,
        session=session.state if session else None,
        ended_as=session.ended_as if session else None,
        chosen_by=choice[0] if choice else None,
        evaluations=choice[1] if choice else (),
        trials=trials,
    )


def _final_choices(transaction: Transaction, study_id: int) -> dict[int, tuple[Chooser, tuple[EvaluationRow, ...]]]:
    """Who chose, and the evaluations, by session."""
    chosen = transaction.exec(
        select(FinalChoice.id, FinalChoice.session_id, FinalChoice.chosen_by)
        .join(Session)
        .join(Participant)
        .where(Participant.study_id == study_id)
    )
    found = {number: (session, Chooser(chooser)) for number, session, chooser in chosen}
    evaluations: dict[int, list[EvaluationRow]] = {number: [] for number in found}
    for number, seed, state, accuracy in transaction.exec(
        select(Evaluation.final_choice_id, Evaluation.seed, Evaluation.state, Evaluation.test_accuracy)
        .join(FinalChoice)
        .join(Session)
        .join(Participant)
        .where(Participant.study_id == study_id)
        .order_by(col(Evaluation.final_choice_id), col(Evaluation.seed))
    ):
        evaluations[number].append(EvaluationRow(seed, TrialState(state), accuracy))
    return {session: (chooser, tuple(evaluations[number])) for number, (session, chooser) in found.items()}


def _trials(
    transaction: Transaction, study_id: int, ranks: Mapping[int, int], starts: Mapping[int, datetime]
) -> tuple[Trials, dict[int, slice]]:
    """All trials in the order of their participants, and which rows belong to which."""
    about = (
        "id",
        "session_id",
        "number",
        "state",
        "validation_accuracy",
        "seconds",
        "submitted_at",
        "started_at",
        "ended_at",
        "drawn",
    )
    names = (*about, *(each.name for each in HYPERPARAMETERS))
    of_study = select(*(getattr(Trial, name) for name in names)).join(Session).join(Participant)
    found = transaction.exec(of_study.where(Participant.study_id == study_id)).all()
    rows = sorted(
        (row for row in found if row.session_id in ranks), key=lambda row: (ranks[row.session_id], row.number)
    )
    places = {row.id: place for place, row in enumerate(rows)}
    comments = np.full((len(rows), len(HYPERPARAMETERS)), NO_COMMENT, dtype=np.int8)
    columns = {each.name: place for place, each in enumerate(HYPERPARAMETERS)}
    kinds = {comment: place for place, comment in enumerate(COMMENTS)}
    for trial, name, comment in transaction.exec(
        select(TrialComment.trial_id, TrialComment.hyperparameter, TrialComment.comment)
        .join(Trial)
        .join(Session)
        .join(Participant)
        .where(Participant.study_id == study_id)
    ):
        if trial in places and name in columns:
            comments[places[trial], columns[name]] = kinds[Comment(comment)]
    started = [starts[row.session_id] for row in rows]
    slices: dict[int, slice] = {}
    for place, row in enumerate(rows):
        rank = ranks[row.session_id]
        slices[rank] = slice(slices[rank].start if rank in slices else place, place + 1)
    trials = Trials(
        number=np.array([row.number for row in rows], dtype=np.int64),
        state=np.array([STATES.index(row.state) for row in rows], dtype=np.int64),
        accuracy=_floats(row.validation_accuracy for row in rows),
        seconds=_floats(row.seconds for row in rows),
        submitted=_since([row.submitted_at for row in rows], started),
        started=_since([row.started_at for row in rows], started),
        ended=_since([row.ended_at for row in rows], started),
        values=_values(rows),
        comments=comments,
        drawn=np.array([row.drawn for row in rows], dtype=bool),
    )
    return trials, slices


def _values(rows: Sequence[Row[Any]]) -> Floats:
    values = np.empty((len(rows), len(HYPERPARAMETERS)))
    for column, each in enumerate(HYPERPARAMETERS):
        given = [getattr(row, each.name) for row in rows]
        if each.kind == "choice":
            codes = {choice: place for place, choice in enumerate(BY_NAME[each.name].choices)}
            given = [codes[value] for value in given]
        values[:, column] = given
    return values


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _since(moments: Sequence[datetime | None], starts: Sequence[datetime]) -> Floats:
    return _floats(
        None if moment is None else round((moment - start).total_seconds(), 3)
        for moment, start in zip(moments, starts, strict=True)
    )
