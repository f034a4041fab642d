"""Knows those again who have left: a keyed hash of their Slack user, until the study is closed.

A hash is not linked to a code. Whoever has the database while the study is open can try whether a Slack user is one of
those who have left, because the keys are there too; deleting the rows destroys keys and hashes together.
"""

import hmac
from hashlib import sha256
from secrets import token_hex

from sqlalchemy import delete, insert
from sqlmodel import col, select

from storage.database import Transaction
from storage.schema.tables import FormerParticipant


def is_one(transaction: Transaction, slack_user: str) -> bool:
    """Within a transaction: whether this Slack user has left."""
    return _find(transaction, slack_user) is not None


def remember(transaction: Transaction, slack_user: str) -> None:
    """Within a transaction: know this Slack user again from now on.

    All rows are written anew in the order of their hashes. So neither the order in which a database keeps them nor the
    transaction that wrote them tells who left when, which would lead to a code.
    """
    if is_one(transaction, slack_user):
        return
    key = token_hex()
    rows = [{"user_hash": each.user_hash, "key": each.key} for each in transaction.exec(select(FormerParticipant))]
    rows.append({"user_hash": _hash(key, slack_user), "key": key})
    forget_all(transaction)
    transaction.execute(insert(FormerParticipant), sorted(rows, key=lambda row: row["user_hash"]))


def forget(transaction: Transaction, slack_user: str) -> None:
    """Within a transaction: do not know this Slack user any more."""
    found = _find(transaction, slack_user)
    if found is not None:
        transaction.execute(delete(FormerParticipant).where(col(FormerParticipant.user_hash) == found.user_hash))


def forget_all(transaction: Transaction) -> None:
    """Within a transaction: know nobody any more."""
    transaction.execute(delete(FormerParticipant).execution_options(synchronize_session="fetch"))


def _find(transaction: Transaction, slack_user: str) -> FormerParticipant | None:
    for each in transaction.exec(select(FormerParticipant)):
        if hmac.compare_digest(each.user_hash, _hash(each.key, slack_user)):
            return each
    return None


def _hash(key: str, slack_user: str) -> str:
    return hmac.new(bytes.fromhex(key), slack_user.encode(), sha256).hexdigest()
