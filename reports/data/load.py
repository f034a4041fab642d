"""Reads a study from the database, as the report needs it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Row
from sqlmodel import col, select

from reports.data.study_data import (
    COMMENTS,
    NO_COMMENT,
    STATES,
    EvaluationRow,
    Kind,
    ParticipantRow,
    StudyData,
    Trials,
    natural,
)
from reports.data.study_rules import Rules
from reports.results.arms import AssignmentLine
from reports.results.study_results import AmendmentLine
from reports.statistics.arrays import Floats
from storage.database import Store, Transaction
from storage.queries.results import let_in_again, looks_in, preregistration_in
from storage.refusals import Reason, Refused
from storage.schema.comments import Comment
from storage.schema.states import Background, Chooser, ParticipantState, TrialState
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
from storage.study_rules import GROUPS, assigns, changes, parse_rules
from storage.transitions.assignment import commitment, published_secret
from training.hyperparameters import BY_NAME, HYPERPARAMETERS


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
        choices, again = _final_choices(transaction, study.id), let_in_again(transaction)
        starts = {each.id: each.started_at for each in sessions.values()}
        runs = _runs(transaction, study.id)
        in_order = sorted(people, key=lambda each: _place(each, sessions.get(each.id), choices, runs))
        ranks = {sessions[each.id].id: rank for rank, each in enumerate(in_order) if each.id in sessions}
        trials, slices = _trials(transaction, study.id, runs, ranks, starts)
        rows = []
        for rank, each in enumerate(in_order):
            kind: Kind = "person" if each.baseline_id is None else str(searchers[each.baseline_id])  # type: ignore[assignment]
            session = sessions.get(each.id)
            choice = choices.get(session.id) if session else None
            trials_of = slices.get(rank, slice(0, 0))
            row = _participant(each, kind, rules, session, choice, trials_of, study.background)
            rows.append(replace(row, let_in_again=f"participant:{each.id}" in again))
        return StudyData(
            name=study.name,
            opened=study.opened_at.date().isoformat() if study.opened_at else None,
            rules_hash=study.rules_hash,
            rules=rules,
            amendments=tuple(map(_amendment, amendments)),
            participants=tuple(rows),
            trials=trials,
            background=study.background,
            is_interim=study.opened_at is not None and study.closed_at is None,
            registration=preregistration_in(transaction, study.id),
            looks=tuple(looks_in(transaction, study.id)),
            assignment=_assignment(study),
        )


def _assignment(study: Study) -> AssignmentLine | None:
    known = commitment(study) if assigns(parse_rules(study.rules)) else None
    return None if known is None else AssignmentLine(known, published_secret(study))


def _place(
    person: Participant,
    session: Session | None,
    choices: Mapping[int, tuple[Chooser, tuple[EvaluationRow, ...]]],
    runs: Mapping[int, Sequence[Row[Any]]],
) -> tuple[Any, ...]:
    """A key that sorts participants: people by what they told and did, whatever their codes are.

    In a bundle people have other codes, and what they told besides their months may not be there. A report of it has
    the same numbers. Artificial participants keep their codes.
    """
    if person.baseline_id is not None:
        return (1, natural(person.code))
    months = -1.0 if person.months is None else person.months
    told = (person.task or "", months, str(person.state), person.described_at is not None, person.arm or "")
    if session is None:
        return (0, *told, "")
    done = (
        (str(session.state), str(session.ended_as), choices.get(session.id)),
        [(row.number, str(row.state), row.validation_accuracy, row.seconds, *row[11:]) for row in runs[session.id]],
    )
    return (0, *told, repr(done))


def _study(transaction: Transaction, study_id: int | None) -> Study:
    if study_id is not None:
        return transaction.need(Study, study_id)
    newest = select(Study).order_by(col(Study.current).is_(None), col(Study.id).desc())
    study = transaction.exec(newest).first()
    if study is None:
        raise Refused(Reason.NO_STUDY, "There is no study in this database yet, so there is nothing to report.")
    return study


def _amendment(amendment: Amendment) -> AmendmentLine:
    """An amendment with what it changed, as far as the rules before are known."""
    before, after = parse_rules(amendment.old_rules), parse_rules(amendment.rules)
    try:
        changed = tuple(line.strip() for line in changes(before, after)) if before else ()
    except RecursionError:  # rules of somebody else's bundle, nested too deeply
        changed = ()
    return AmendmentLine(amendment.name, amendment.reason, amendment.at.date().isoformat(), changed)


def _participant(
    person: Participant,
    kind: Kind,
    rules: Rules,
    session: Session | None,
    choice: tuple[Chooser, tuple[EvaluationRow, ...]] | None,
    trials: slice,
    background: Background,
) -> ParticipantRow:
    left_out = person.months is None and person.described_at is not None and not background.has_months
    told_group = person.block_group if left_out and person.block_group in GROUPS else None
    return ParticipantRow(
        code=person.code,
        kind=kind,
        months=person.months,
        group=told_group if person.months is None else rules.group(person.months),
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
        months_left_out=left_out and kind == "person",
        limit_seconds=session.limit_seconds if session else None,
        extended_seconds=session.extended_seconds if session else 0.0,
        given_back_seconds=session.given_back_seconds if session else 0.0,
        arm=session.arm if session else person.arm,
        consent_hash=person.consent_hash,
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


def _runs(transaction: Transaction, study_id: int) -> Mapping[int, Sequence[Row[Any]]]:
    """The trials of each session, in the order of their numbers. The configuration is in the last 15 columns."""
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
        "suggestion",
    )
    names = (*about, *(each.name for each in HYPERPARAMETERS))
    of_study = select(*(getattr(Trial, name) for name in names)).join(Session).join(Participant)
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in transaction.exec(of_study.where(Participant.study_id == study_id).order_by(col(Trial.number))):
        found[row.session_id].append(row)
    return found


def _trials(
    transaction: Transaction,
    study_id: int,
    runs: Mapping[int, Sequence[Row[Any]]],
    ranks: Mapping[int, int],
    starts: Mapping[int, datetime],
) -> tuple[Trials, dict[int, slice]]:
    """All trials in the order of their participants, and which rows belong to which."""
    in_order = sorted((session for session in runs if session in ranks), key=ranks.__getitem__)
    rows = [row for session in in_order for row in runs[session]]
    places = {row.id: position for position, row in enumerate(rows)}
    comments = np.full((len(rows), len(HYPERPARAMETERS)), NO_COMMENT, dtype=np.int8)
    columns = {each.name: position for position, each in enumerate(HYPERPARAMETERS)}
    kinds = {comment: position for position, comment in enumerate(COMMENTS)}
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
    for position, row in enumerate(rows):
        rank = ranks[row.session_id]
        slices[rank] = slice(slices[rank].start if rank in slices else position, position + 1)
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
        suggestions=tuple(row.suggestion for row in rows),
    )
    return trials, slices


def _values(rows: Sequence[Row[Any]]) -> Floats:
    values = np.empty((len(rows), len(HYPERPARAMETERS)))
    for column, each in enumerate(HYPERPARAMETERS):
        given = [getattr(row, each.name) for row in rows]
        if each.kind == "choice":
            codes = {choice: position for position, choice in enumerate(BY_NAME[each.name].choices)}
            given = [codes[value] for value in given]
        values[:, column] = given
    return values


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _since(moments: Sequence[datetime | None], starts: Sequence[datetime]) -> Floats:
    return _floats(
        None if moment is None else float(round((moment - start).total_seconds()))
        for moment, start in zip(moments, starts, strict=True)
    )
