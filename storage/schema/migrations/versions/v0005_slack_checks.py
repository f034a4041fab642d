"""What researchers saw of pictures and charts in their Slack workspace."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of these checks."""
    op.create_table(
        "slack_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("chart_by_update", sa.Boolean(), nullable=True),
        sa.Column("picture_posted", sa.Boolean(), nullable=True),
        sa.Column("picture_by_update", sa.Boolean(), nullable=True),
        sa.Column("picture_by_update_with_file_ids", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_check")),
    )
