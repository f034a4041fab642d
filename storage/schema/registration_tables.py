"""The table of preregistrations."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field

from storage.schema.base import Table
from storage.schema.columns import UtcDateTime


class Preregistration(Table, table=True):
    """What was settled before a study opened; written in the transaction that opens it, and never changed.

    Attributes:
        document: :class:`storage.registration.document.Registration` as JSON.
    """

    __tablename__ = "preregistration"

    study_id: int = Field(primary_key=True, foreign_key="study.id")
    at: datetime = Field(sa_type=UtcDateTime)
    document: str = Field(sa_type=Text)
