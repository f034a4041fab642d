"""What all tables share."""

from typing import ClassVar

from sqlalchemy import MetaData
from sqlmodel import SQLModel

NEVER_AGAIN = {"sqlite_autoincrement": True}
"""The key of a deleted row is not used again: a late message about it must not be taken for one about another row."""


class Table(SQLModel):
    """What all tables share: one metadata, in which constraints have the same names on every database."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
