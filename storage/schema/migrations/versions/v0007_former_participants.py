"""Who has left is known again until the study is closed. How much of their background a study's data tell of people."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBERED = {"sqlite_autoincrement": True}
"""Alembic does not copy this when it makes a table of SQLite anew."""


def upgrade() -> None:
    """Add the table and the column. Nobody who left before is known again: nothing is kept of whom they were."""
    op.create_table(
        "former_participant",
        sa.Column("user_hash", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("user_hash", name=op.f("pk_former_participant")),
        sqlite_with_rowid=False,
    )
    op.add_column("study", sa.Column("background", sa.String(length=32), nullable=False, server_default="full"))
    if op.get_bind().dialect.name == "sqlite":  # made anew, so that the table reads like that of a new database
        with op.batch_alter_table("study", recreate="always", table_kwargs=_NUMBERED):
            pass
