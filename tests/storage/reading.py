"""Rows that tests look at and the program never reads by themselves."""

from datetime import datetime

from sqlmodel import col, select

from storage.database import Store
from storage.schema.states import SessionState
from storage.schema.tables import Amendment, Evaluation, FinalChoice, Heartbeat, Participant, Session


def evaluations_of(store: Store, final_choice_id: int) -> list[Evaluation]:
    """The evaluations of a final choice, in the order of their seeds."""
    with store.read() as transaction:
        query = select(Evaluation).where(Evaluation.final_choice_id == final_choice_id).order_by(col(Evaluation.id))
        return list(transaction.exec(query).all())


def final_choice_of(store: Store, session_id: int) -> FinalChoice | None:
    """What a session ended with; ``None`` without a final choice."""
    with store.read() as transaction:
        return transaction.exec(select(FinalChoice).where(FinalChoice.session_id == session_id)).first()


def amendments_of(store: Store, study_id: int) -> list[Amendment]:
    """The amendments of a study, in their order."""
    with store.read() as transaction:
        query = select(Amendment).where(Amendment.study_id == study_id).order_by(col(Amendment.id))
        return list(transaction.exec(query).all())


def unfinished_sessions(store: Store) -> list[Session]:
    """The sessions of people that are not finished. The one whose time is up first comes first."""
    with store.read() as transaction:
        people = select(Session).join(Participant).where(col(Participant.baseline_id).is_(None))
        found = transaction.exec(people.where(Session.state != SessionState.FINISHED)).all()
        return sorted(found, key=lambda session: session.grace_ends_at or session.deadline)


def last_heartbeat(store: Store) -> datetime | None:
    """When the bot was last alive; ``None`` if it never ran."""
    with store.read() as transaction:
        row = transaction.get(Heartbeat, 1)
        return None if row is None else row.at
