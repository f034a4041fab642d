"""Researchers, as the event log knows them: ``researcher-1``, ``researcher-2``, … One table has their Slack IDs."""

from datetime import datetime

from sqlmodel import select

from storage import events
from storage.columns import utc
from storage.database import Store
from storage.states import EventKind
from storage.tables import Researcher


def actor_of(store: Store, slack_user: str) -> str:
    """What the event log calls a Slack user who acts as a researcher; the same name ever after."""
    query = select(Researcher).where(Researcher.slack_user == slack_user)
    with store.read() as transaction:
        known = transaction.exec(query).first()
    if known is not None:
        return known.actor
    with store.write() as transaction:
        researcher = transaction.exec(query).first()
        if researcher is None:
            researcher = Researcher(slack_user=slack_user)
            transaction.add(researcher)
            transaction.flush()
        return researcher.actor


def note_command(store: Store, *, actor: str, text: str, now: datetime) -> None:
    """Keep in the event log what a researcher asked for.

    Args:
        actor: As :func:`actor_of` names them.
        text: What they typed or pressed, without anything that tells a Slack user.
    """
    now = utc(now)
    with store.write() as transaction:
        events.record(transaction, at=now, actor=actor, kind=EventKind.COMMANDED, subject="study", text=text)
