"""Notices, and the warnings that a session was given. The table of alarms goes: deadlines are columns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBERED = {"sqlite_autoincrement": True}
"""Alembic does not copy this when it makes a table of SQLite anew."""


def upgrade() -> None:
    """Add the table of notices and the column ``warned_until``; drop the table of alarms."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_notice_participant_id_participant")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_notice_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notice_participant_id"), "notice", ["participant_id"], unique=False)
    op.add_column("session", sa.Column("warned_until", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":  # made anew, so that the table reads like that of a new database
        with op.batch_alter_table("session", recreate="always", table_kwargs=_NUMBERED):
            pass
    # The scheduler made this table when it ran for the first time, so it may not be there.
    op.execute("DROP TABLE IF EXISTS alarm")
