"""Deletes what a participant told and did. The event log stays: it has codes only.

What Slack has of it is written down as pending deletions in the same transaction. :func:`pending` reads them, and
:func:`done` deletes one.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select

from storage import posts
from storage.database import Store, Transaction
from storage.schema.tables import (
    Epoch,
    Evaluation,
    FinalChoice,
    Participant,
    PendingDeletion,
    Post,
    Session,
    Table,
    Trial,
    TrialComment,
)


def pending(store: Store) -> Sequence[PendingDeletion]:
    """The messages that are still to be deleted in Slack, in the order in which they are to be."""
    with store.read() as transaction:
        return transaction.exec(select(PendingDeletion).order_by(col(PendingDeletion.id))).all()


def done(store: Store, deletion_id: int) -> None:
    """A message is deleted in Slack: forget it. A second call changes nothing."""
    with store.write() as transaction:
        transaction.execute(delete(PendingDeletion).where(col(PendingDeletion.id) == deletion_id))
    store.scrub()


def take_back(store: Store, subject: str, channel: str, ts: str) -> int:
    """Forget a post whose subject was deleted while it was posted. Returns the number of its pending deletion."""
    with store.write() as transaction:
        transaction.execute(delete(Post).where(col(Post.subject) == subject))
        late = PendingDeletion(channel=channel, ts=ts)
        transaction.add(late)
        transaction.flush()
        return late.id


def delete_in_slack(transaction: Transaction, channel: str, found: Iterable[Post]) -> None:
    """Within a transaction: write down that these messages are to be deleted. Those only reserved are left out."""
    transaction.add_all(PendingDeletion(channel=channel, ts=post.ts, file_id=post.file_id) for post in found if post.ts)


def forget_posts(transaction: Transaction, participant: Participant) -> tuple[Post, ...]:
    """Within a transaction: forget which messages in their conversation are about a participant's session and trials.

    Returns:
        These messages: replies before the root of their thread.
    """
    sessions = select(Session.id).where(Session.participant_id == participant.id)
    trials = select(Trial.id).where(col(Trial.session_id).in_(sessions))
    subjects = [f"greeting:{participant.id}"]
    subjects += [f"session:{key}" for key in transaction.exec(sessions)]
    for key in transaction.exec(trials):
        subjects += [f"trial:{key}", posts.result_of(key), posts.plot_of(key)]
    found = _posts(transaction, subjects)
    for post in found:
        transaction.delete(post)
    return tuple(sorted(found, key=lambda post: (not post.subject.startswith(posts.ABOUT_TRIALS), post.subject)))


def forget_reports(transaction: Transaction, participant: Participant) -> tuple[Post, ...]:
    """Within a transaction: the posts in the report channel that show a participant's results.

    Digests stay noted: they show others, too.
    """
    sessions = transaction.exec(select(Session).where(Session.participant_id == participant.id)).all()
    reports = _posts(transaction, [f"report:{session.id}" for session in sessions])
    for post in reports:
        transaction.delete(post)
    ended = [session.finished_at for session in sessions if session.finished_at is not None]
    query = select(Post).where(col(Post.subject).startswith(posts.DIGEST, autoescape=True)).order_by(Post.subject)
    digests = [post for post in transaction.exec(query) if ended and posts.digest_until(post) >= min(ended)]
    return (*reports, *digests)


def delete_data_of(transaction: Transaction, participant: Participant) -> None:
    """Within a transaction: delete the participant's sessions with everything in them.

    The columns with what they told of themselves are emptied. Their row stays, so that nobody else gets their code or
    their position in a block.
    """
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


def _posts(transaction: Transaction, subjects: list[str]) -> Sequence[Post]:
    return transaction.exec(select(Post).where(col(Post.subject).in_(subjects)).order_by(Post.subject)).all()
