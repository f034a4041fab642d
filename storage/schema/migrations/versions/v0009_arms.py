"""Arms, the secret that assignments follow from, the list of assignments, and whether a suggestion was shown."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBERED = {table: {"sqlite_autoincrement": True} for table in ("study", "session", "trial")}
"""Tables whose keys are not used again. Alembic does not copy this when it makes a table of SQLite anew."""


def upgrade() -> None:
    """Add the table and the columns. A study that has opened has no secret, and goes on as it began."""
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("option", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_assignment_participant_id_participant")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_assignment_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("participant_id", "sequence", name=op.f("uq_assignment_participant_id_sequence")),
        sa.UniqueConstraint("study_id", "sequence", "number", name=op.f("uq_assignment_study_id_sequence_number")),
    )
    for table, column in (
        ("study", sa.Column("assignment_secret", sa.String(), nullable=True)),
        ("participant", sa.Column("arm", sa.String(), nullable=True)),
        ("session", sa.Column("arm", sa.String(), nullable=True)),
        ("trial", sa.Column("suggestion", sa.String(length=32), nullable=True)),
    ):
        op.add_column(table, column)
        if op.get_bind().dialect.name == "sqlite":  # made anew, so that it reads like that of a new database
            with op.batch_alter_table(table, recreate="always", table_kwargs=_NUMBERED.get(table, {})):
                pass
