"""The tables about Slack: which messages are there, which are still to be deleted, and what people see."""

from datetime import datetime

from sqlmodel import Field

from storage.schema.base import NEVER_AGAIN, Table
from storage.schema.columns import UtcDateTime


class Post(Table, table=True):
    """The Slack message about a subject: its ts, and the file of its picture. Its channel is in ``Identity``.

    The rows about a participant's messages go together with their link to Slack: with the time of a message, it could
    be found again in whose conversation it is.
    """

    __tablename__ = "post"

    subject: str = Field(primary_key=True)
    ts: str
    file_id: str | None = None


class PendingDeletion(Table, table=True):
    """A message in Slack that is still to be deleted, with the file that it shows.

    It is written in the transaction that deletes somebody's data, and goes when Slack has deleted the message. Like
    ``Identity`` it names a conversation; nothing in it says whose code that was.
    """

    __tablename__ = "pending_deletion"
    __table_args__ = (NEVER_AGAIN,)

    id: int = Field(default=None, primary_key=True)
    channel: str
    ts: str
    file_id: str | None = None


class SlackCheck(Table, table=True):
    """What a researcher saw in a Slack workspace when pictures were shown there in different ways.

    A number was shown in each of four ways. A column is true if the researcher read it, false if not, and NULL if it
    could not be shown for a reason that passes, such as a lost connection.

    Attributes:
        team_id: Slack's ID of the workspace.
        chart_by_update: A line chart that an update brought into a message.
        picture_posted: A picture in a message that was posted.
        picture_by_update: A picture that an update brought into a message.
        picture_by_update_with_file_ids: The same, with the file also named in the update's ``file_ids``.
    """

    __tablename__ = "slack_check"

    id: int = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    team_id: str
    chart_by_update: bool | None = None
    picture_posted: bool | None = None
    picture_by_update: bool | None = None
    picture_by_update_with_file_ids: bool | None = None
