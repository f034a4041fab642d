"""What the buttons of a session and its trials carry. Without the participant's link, it leads back to nobody.

A value follows from the key in ``Identity`` and from what the button is about. So an old message tells nothing about
the rows of the database once the link is deleted.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

from sqlmodel import col, select

from storage.database import Store, Transaction
from storage.schema.tables import Identity, Session, Trial

About = TypeVar("About", Session, Trial)

_CHARACTERS = 32
"""Of the hexadecimal digest: 128 bits."""


def value_of(key: str, subject: str) -> str:
    """The value of a button about ``session:3`` or ``trial:17``, from its participant's key."""
    return hmac.new(bytes.fromhex(key), subject.encode(), sha256).hexdigest()[:_CHARACTERS]


def keys_of(transaction: Transaction, session_ids: set[int]) -> dict[int, str]:
    """Within a transaction: the keys of the participants of these sessions. Those without a link have none."""
    query = select(Session.id, Identity.button_key).join(
        Identity, col(Identity.participant_id) == col(Session.participant_id)
    )
    return dict(transaction.exec(query.where(col(Session.id).in_(session_ids))).all())


def find_session(store: Store, participant_id: int, value: str) -> Session | None:
    """The participant's session that a button is about; ``None`` if it is about none of theirs."""
    with store.read() as transaction:
        query = select(Session).where(Session.participant_id == participant_id)
        return _matching(transaction, participant_id, transaction.exec(query).all(), value)


def find_trial(store: Store, participant_id: int, value: str) -> Trial | None:
    """The participant's trial that a button is about; ``None`` if it is about none of theirs."""
    with store.read() as transaction:
        query = select(Trial).join(Session).where(Session.participant_id == participant_id)
        return _matching(transaction, participant_id, transaction.exec(query).all(), value)


def _matching(transaction: Transaction, participant_id: int, rows: Sequence[About], value: str) -> About | None:
    identity = transaction.get(Identity, participant_id)
    if identity is None:
        return None
    values = {value_of(identity.button_key, row.subject): row for row in rows}
    return values.get(value)
