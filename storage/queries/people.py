"""The people of a study for researchers: a person is found by their code, and how far each of them is."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import case, func
from sqlmodel import col, select

from storage.database import Store
from storage.queries.current import find_newest
from storage.schema.codes import spellings
from storage.schema.states import NoticeKind, ParticipantState, SessionState, TrialState
from storage.schema.tables import Evaluation, FinalChoice, Notice, Participant, Session, Trial


@dataclass(frozen=True)
class ParticipantLine:
    """One person in an overview of a study.

    Attributes:
        id, code: The participant.
        greeted: Whether the bot has written to them; false while they were only invited.
        months: Deep-learning experience; ``None`` before they told it, and after it was deleted.
        group_name: The group in which they were assigned a task; ``None`` before that.
        task: The task that they were assigned; ``None`` before that.
        session_id, session_state: Their session; ``None`` before it begins.
        tries: How many trials they submitted.
        best_validation_accuracy: In percent; ``None`` without a complete trial.
        final_chosen: Whether there is a final choice.
        evaluations_done, evaluations_total: How many evaluations of it have ended, and how many there are.
        mean_test_accuracy: The mean of the complete ones in percent; ``None`` without any.
    """

    id: int
    code: str
    state: ParticipantState
    greeted: bool
    months: float | None
    group_name: str | None
    task: str | None
    session_id: int | None
    session_state: SessionState | None
    tries: int
    best_validation_accuracy: float | None
    final_chosen: bool
    evaluations_done: int
    evaluations_total: int
    mean_test_accuracy: float | None


def find_by_code(store: Store, code: str) -> Participant | None:
    """The participant with this code in the current study, or in the newest if all are closed.

    The code may be written in other ways: ``p7`` is P0007, and ``t1-01`` is the artificial participant T1-01.
    """
    with store.read() as transaction:
        study = find_newest(transaction)
        if study is None:
            return None
        query = select(Participant).where(Participant.study_id == study.id, col(Participant.code).in_(spellings(code)))
        as_written = col(Participant.code) != code.strip().upper()  # an imported study may have P007 and P0007
        return transaction.exec(query.order_by(as_written, col(Participant.code))).first()


def people(store: Store, study_id: int) -> list[ParticipantLine]:
    """All people of a study, in the order of their codes, which tells nothing. Searchers are left out."""
    done = col(Evaluation.state).in_([each for each in TrialState if each.is_finished])
    tried = (
        sa.select(
            col(Trial.session_id),
            func.count().label("tries"),
            func.max(col(Trial.validation_accuracy)).label("best"),
        )
        .group_by(col(Trial.session_id))
        .subquery()
    )
    chosen = (
        sa.select(
            col(FinalChoice.session_id),
            func.count(col(Evaluation.id)).label("total"),
            func.sum(case((done, 1), else_=0)).label("done"),
            func.avg(col(Evaluation.test_accuracy)).label("mean"),
        )
        .join(Evaluation, isouter=True)
        .group_by(col(FinalChoice.session_id))
        .subquery()
    )
    greeting = sa.select(col(Notice.id)).where(
        col(Notice.participant_id) == col(Participant.id), col(Notice.kind) == NoticeKind.GREETING
    )
    query = (
        sa.select(Participant, sa.exists(greeting), col(Session.id), col(Session.state), tried, chosen)
        .select_from(Participant)
        .join(Session, isouter=True)
        .join(tried, tried.c.session_id == Session.id, isouter=True)
        .join(chosen, chosen.c.session_id == Session.id, isouter=True)
        .where(col(Participant.study_id) == study_id, col(Participant.baseline_id).is_(None))
        .order_by(col(Participant.code))
    )
    with store.read() as transaction:
        rows = transaction.execute(query).all()
    return [
        ParticipantLine(
            id=person.id,
            code=person.code,
            state=person.state,
            greeted=not ungreeted,
            months=person.months,
            group_name=person.block_group,
            task=person.task,
            session_id=session_id,
            session_state=session_state,
            tries=tries or 0,
            best_validation_accuracy=best,
            final_chosen=choice_of is not None,
            evaluations_done=int(ended or 0),
            evaluations_total=total or 0,
            mean_test_accuracy=mean,
        )
        for person, ungreeted, session_id, session_state, _, tries, best, choice_of, total, ended, mean in rows
    ]
