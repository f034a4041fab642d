"""People who run the study: the event log calls them ``researcher-1``, ``admin-2``, … One table has their Slack IDs."""

from datetime import datetime

from sqlmodel import select

from storage import events
from storage.database import Store
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind
from storage.schema.tables import Researcher


def actor_of(store: Store, slack_user: str, acting_as: Actor = Actor.RESEARCHER) -> str:
    """The name of a Slack user who runs the study for the event log: their role, and a number that is theirs.

    Args:
        acting_as: The role in which they act now: ``RESEARCHER`` or ``ADMIN``.
    """
    query = select(Researcher).where(Researcher.slack_user == slack_user)
    with store.read() as transaction:
        known = transaction.exec(query).first()
    if known is not None:
        return f"{acting_as}-{known.id}"
    with store.write() as transaction:
        researcher = transaction.exec(query).first()
        if researcher is None:
            researcher = Researcher(slack_user=slack_user)
            transaction.add(researcher)
            transaction.flush()
        return f"{acting_as}-{researcher.id}"


def note_command(store: Store, *, actor: str, text: str, now: datetime) -> None:
    """Write into the event log what a researcher asked for.

    Args:
        actor: Their name from :func:`actor_of`.
        text: What they typed or pressed. It must not name a Slack user.
    """
    now = utc(now)
    with store.write() as transaction:
        events.record(transaction, at=now, actor=actor, kind=EventKind.COMMANDED, subject="study", text=text)
