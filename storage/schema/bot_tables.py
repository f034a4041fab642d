"""The tables about the bot itself: what broke, what it still has to tell, and when it was last alive."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, Text, text
from sqlmodel import Field

from storage.schema.base import NEVER_AGAIN, Table
from storage.schema.columns import UtcDateTime, choice
from storage.schema.states import NoticeKind


class Alert(Table, table=True):
    """Something that broke, for the admins. If it happens again before somebody acknowledges it, it is only counted.

    Attributes:
        kind: What broke, such as ``worker_lost``.
        latest: One sentence about the last time.
        count: How often it happened.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "one_unacknowledged_alert",
            "kind",
            unique=True,
            sqlite_where=text("acknowledged_at IS NULL"),
            postgresql_where=text("acknowledged_at IS NULL"),
        ),
        CheckConstraint("count >= 1", name="count"),
    )

    id: int = Field(default=None, primary_key=True)
    kind: str
    latest: str = Field(sa_type=Text)
    count: int = 1
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = None

    @property
    def subject(self) -> str:
        """Its name for the event log and the posts: ``alert:5``."""
        return f"alert:{self.id}"


class Notice(Table, table=True):
    """Something that a participant is still to be told. It is written by the transition that it follows from.

    The row is deleted when the message is posted, or together with the participant's link to Slack.
    """

    __tablename__ = "notice"
    __table_args__ = (NEVER_AGAIN,)

    id: int = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: NoticeKind = Field(sa_type=choice(NoticeKind))
    participant_id: int = Field(foreign_key="participant.id", index=True)
    session_id: int | None = Field(default=None, foreign_key="session.id")
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Heartbeat(Table, table=True):
    """When the bot was last alive; one row."""

    __tablename__ = "heartbeat"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = Field(default=1, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
