"""What participants are still to be told.

A transition writes a notice in its own transaction. The notice is there until its message is posted, whatever fails
before. :func:`pending` reads them, :func:`done` deletes one.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.schema.states import NoticeKind
from storage.schema.tables import Identity, Notice


def pending(store: Store, participant_id: int | None = None) -> Sequence[Notice]:
    """The notices that are not posted yet, of one participant or of all, in the order in which they were written."""
    query = select(Notice).order_by(col(Notice.id))
    if participant_id is not None:
        query = query.where(Notice.participant_id == participant_id)
    with store.read() as transaction:
        return transaction.exec(query).all()


def awaits(store: Store, participant_id: int, kind: NoticeKind) -> bool:
    """Whether a participant is still to be told this."""
    with store.read() as transaction:
        query = select(Notice).where(Notice.participant_id == participant_id, Notice.kind == kind)
        return transaction.exec(query).first() is not None


def awaits_result(store: Store, participant_id: int, trial_id: int) -> bool:
    """Whether a participant is still to be told the result of a trial."""
    with store.read() as transaction:
        query = select(Notice).where(Notice.participant_id == participant_id, Notice.kind == NoticeKind.TRIAL_ENDED)
        return any(notice.details["trial"] == trial_id for notice in transaction.exec(query))


def done(store: Store, notice_id: int) -> None:
    """Delete a notice: its message is posted, or cannot be posted any more. A second call changes nothing."""
    with store.write() as transaction:
        transaction.execute(delete(Notice).where(col(Notice.id) == notice_id))


def add(
    transaction: Transaction,
    kind: NoticeKind,
    participant_id: int,
    *,
    now: datetime,
    session_id: int | None = None,
    **details: events.Detail,
) -> None:
    """Within a transaction: write a notice. A participant without a link to Slack, such as a searcher's, gets none."""
    if transaction.get(Identity, participant_id) is not None:
        transaction.add(
            Notice(at=now, kind=kind, participant_id=participant_id, session_id=session_id, details=dict(details))
        )


def drop_all(transaction: Transaction, participant_id: int) -> None:
    """Within a transaction: delete the notices of a participant whose link to Slack is deleted."""
    transaction.execute(delete(Notice).where(col(Notice.participant_id) == participant_id))
