"""Alerts tell the admins what broke. Those of one kind are counted until somebody acknowledges them."""

from datetime import datetime

from sqlmodel import col, select

from storage import events
from storage.database import Store
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import EventKind
from storage.schema.tables import Alert


def raise_alert(store: Store, *, kind: str, text: str, now: datetime) -> Alert:
    """Raise an alert, or count one more of the same kind that nobody has acknowledged.

    Args:
        kind: What broke, such as ``worker_lost``.
        text: One sentence about this time. It must not name a Slack user.

    Returns:
        The alert. Its ``count`` is 1 if it is new.
    """
    now = utc(now)
    with store.write() as transaction:
        query = select(Alert).where(Alert.kind == kind, col(Alert.acknowledged_at).is_(None))
        alert = transaction.exec(query).first()
        if alert is None:
            alert = Alert(kind=kind, latest=text, first_at=now, last_at=now)
            transaction.add(alert)
            transaction.flush()
        else:
            alert.latest, alert.count, alert.last_at = text, alert.count + 1, max(alert.last_at, now)
        return alert


def acknowledge(store: Store, alert_id: int, *, actor: str, now: datetime) -> Alert:
    """Note that somebody has seen an alert. The next of its kind is a new alert.

    Raises:
        Refused: Somebody has acknowledged it before (``ALREADY_ACKNOWLEDGED``), or there is no such alert
            (``UNKNOWN``).
    """
    now = utc(now)
    with store.write() as transaction:
        alert = transaction.need(Alert, alert_id)
        if alert.acknowledged_at is not None:
            raise Refused(
                Reason.ALREADY_ACKNOWLEDGED,
                f"{alert.acknowledged_by} has acknowledged this already. There is nothing left to do.",
            )
        alert.acknowledged_at, alert.acknowledged_by = now, actor
        events.record(
            transaction,
            at=now,
            actor=actor,
            kind=EventKind.ALERT_ACKNOWLEDGED,
            subject=alert.subject,
            alert=alert.kind,
            count=alert.count,
        )
        return alert


def get(store: Store, alert_id: int) -> Alert:
    """The alert as of now.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return transaction.need(Alert, alert_id)


def unacknowledged(store: Store) -> list[Alert]:
    """The alerts that nobody has acknowledged yet, in the order in which they were raised first."""
    with store.read() as transaction:
        query = select(Alert).where(col(Alert.acknowledged_at).is_(None)).order_by(col(Alert.id))
        return list(transaction.exec(query).all())
