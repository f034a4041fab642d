"""The table of what participants were assigned by the allocation sequences of a study."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.schema.base import Table


class Assignment(Table, table=True):
    """What one participant was assigned: a task or an arm. The row stays when the participant's data is deleted.

    Attributes:
        sequence: The name of the sequence (:class:`storage.allocation.Stratum`).
        number: The participant's place in the sequence, from 1.
        option: The task or the arm.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("study_id", "sequence", "number"),
        UniqueConstraint("participant_id", "sequence"),
    )

    id: int = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    participant_id: int = Field(foreign_key="participant.id")
    sequence: str
    number: int
    option: str
