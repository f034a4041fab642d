"""Somebody looks at test results before the study is closed: it is recorded, and the final report counts it."""

from datetime import datetime

from storage import events
from storage.database import Store
from storage.schema.columns import utc
from storage.schema.states import EventKind
from storage.schema.tables import Study


def record_look(store: Store, study_id: int, *, what: str, actor: str, now: datetime) -> bool:
    """Put a look at a study's test results on record, before they are shown.

    Args:
        what: What is shown, such as ``report`` or ``export``. It must not name anybody.
        actor: Who looks, such as ``researcher-1``.

    Returns:
        Whether it was recorded: nothing is when the study is closed, or has not opened yet.

    Raises:
        Refused: There is no such study (``UNKNOWN``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = transaction.need(Study, study_id)
        if study.state.is_finished or study.opened_at is None:
            return False
        events.record(
            transaction, at=now, actor=actor, kind=EventKind.INTERIM_LOOK, subject=f"study:{study.id}", what=what
        )
        return True
