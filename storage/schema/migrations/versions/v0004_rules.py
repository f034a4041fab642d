"""The rules of a study are JSON, not TOML: their columns are called ``rules`` and ``old_rules``."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename the columns. Their content stays as it is."""
    for table, old, new in (
        ("study", "rules_toml", "rules"),
        ("amendment", "old_rules_toml", "old_rules"),
        ("amendment", "rules_toml", "rules"),
    ):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
