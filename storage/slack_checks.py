"""Checks of a Slack workspace: in which ways people see pictures and charts there."""

from datetime import datetime

from sqlmodel import col, select

from storage.database import Store
from storage.schema.columns import utc
from storage.schema.tables import SlackCheck


def record(
    store: Store,
    *,
    team_id: str,
    chart_by_update: bool | None,
    picture_posted: bool | None,
    picture_by_update: bool | None,
    picture_by_update_with_file_ids: bool | None,
    now: datetime,
) -> SlackCheck:
    """Keep what a researcher saw. Who it was is not kept.

    Args:
        team_id: Slack's ID of the workspace.
        chart_by_update, picture_posted, picture_by_update, picture_by_update_with_file_ids: As in
            :class:`~storage.schema.tables.SlackCheck`: seen, not seen, or ``None`` for not shown.
    """
    check = SlackCheck(
        at=utc(now),
        team_id=team_id,
        chart_by_update=chart_by_update,
        picture_posted=picture_posted,
        picture_by_update=picture_by_update,
        picture_by_update_with_file_ids=picture_by_update_with_file_ids,
    )
    with store.write() as transaction:
        transaction.add(check)
    return check


def newest(store: Store) -> SlackCheck | None:
    """The check that was made last; ``None`` before the first one."""
    with store.read() as transaction:
        return transaction.exec(select(SlackCheck).order_by(col(SlackCheck.id).desc())).first()
