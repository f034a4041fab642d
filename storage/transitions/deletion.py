"""Deletes what a participant told and did. The event log stays: it has codes only."""

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select

from storage import posts
from storage.database import Transaction
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Participant, Post, Session, Table, Trial, TrialComment


def posts_about(transaction: Transaction, participant: Participant) -> tuple[Post, ...]:
    """Within a transaction: where the messages about a participant, their session and their trials are."""
    sessions = select(Session.id).where(Session.participant_id == participant.id)
    trials = select(Trial.id).where(col(Trial.session_id).in_(sessions))
    subjects = [f"greeting:{participant.id}"]
    for key in transaction.exec(sessions):
        subjects += [f"session:{key}", f"report:{key}"]
    for key in transaction.exec(trials):
        subjects += [f"trial:{key}", posts.result_of(key), posts.plot_of(key)]
    query = select(Post).where(col(Post.subject).in_(subjects)).order_by(Post.subject)
    return tuple(transaction.exec(query).all())


def delete_data_of(transaction: Transaction, participant: Participant) -> None:
    """Within a transaction: delete the participant's sessions with everything in them, and the posts about them.

    The columns with what they told of themselves are emptied. Their row stays, so that nobody else gets their code or
    their position in a block.
    """
    transaction.flush()
    for post in posts_about(transaction, participant):
        transaction.delete(post)
    transaction.flush()
    sessions = select(Session.id).where(Session.participant_id == participant.id)
    trials = select(Trial.id).where(col(Trial.session_id).in_(sessions))
    choices = select(FinalChoice.id).where(col(FinalChoice.session_id).in_(sessions))
    evaluations = select(Evaluation.id).where(col(Evaluation.final_choice_id).in_(choices))
    doomed: list[tuple[type[Table], ColumnElement[bool]]] = [
        (Epoch, col(Epoch.evaluation_id).in_(evaluations)),
        (Epoch, col(Epoch.trial_id).in_(trials)),
        (TrialComment, col(TrialComment.trial_id).in_(trials)),
        (Evaluation, col(Evaluation.final_choice_id).in_(choices)),
        (FinalChoice, col(FinalChoice.session_id).in_(sessions)),
        (Trial, col(Trial.session_id).in_(sessions)),
        (Session, col(Session.participant_id) == participant.id),
    ]
    for table, which in doomed:
        # The rows in memory stay readable: they say what has to be stopped.
        transaction.execute(delete(table).where(which).execution_options(synchronize_session=False))
    participant.months = participant.education = None
    participant.answers = {}
