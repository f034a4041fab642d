"""What is still to be deleted in Slack, and secrets for buttons. Messages of those without a link are forgotten."""

from secrets import token_hex

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CLOSED = "SELECT participant.id FROM participant JOIN study ON study.id = study_id WHERE study.state = 'closed'"

_CONVERSATION = ("greeting", "session", "trial", "result", "plot")
"""How the subjects of posts in participants' conversations begin."""


def upgrade() -> None:
    """Add the table and the column, and delete the posts of participants who have no link to Slack any more."""
    op.create_table(
        "pending_deletion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_deletion")),
        sqlite_autoincrement=True,
    )
    _forget_links()
    _add_button_keys()
    _forget_posts()


def _forget_links() -> None:
    """Delete the links of closed studies: a bot of the version before may have been killed while it closed one."""
    for (participant,) in op.get_bind().execute(sa.text(_CLOSED)).fetchall():
        for table in ("notice", "identity"):
            rows = sa.table(table, sa.column("participant_id"))
            op.execute(sa.delete(rows).where(rows.c.participant_id == participant))


def _add_button_keys() -> None:
    op.add_column("identity", sa.Column("button_key", sa.String(), nullable=True))
    connection = op.get_bind()
    for (participant,) in connection.execute(sa.text("SELECT participant_id FROM identity")).fetchall():
        values = {"key": token_hex(), "participant": participant}
        connection.execute(sa.text("UPDATE identity SET button_key = :key WHERE participant_id = :participant"), values)
    with op.batch_alter_table("identity") as table:
        table.alter_column("button_key", existing_type=sa.String(), nullable=False)


def _forget_posts() -> None:
    """A post stays if its participant still has a link, or if it is in the report channel."""
    connection = op.get_bind()
    sessions = _keys("SELECT session.id FROM session JOIN identity USING (participant_id)")
    trials = _keys("""
        SELECT trial.id FROM trial JOIN session ON session_id = session.id JOIN identity USING (participant_id)
    """)
    kept = {"greeting": _keys("SELECT participant_id FROM identity"), "session": sessions}
    for (subject,) in connection.execute(sa.text("SELECT subject FROM post")).fetchall():
        family, _, key = subject.partition(":")
        if family in _CONVERSATION and key not in kept.get(family, trials):
            connection.execute(sa.text("DELETE FROM post WHERE subject = :subject"), {"subject": subject})


def _keys(query: str) -> set[str]:
    return {str(key) for (key,) in op.get_bind().execute(sa.text(query))}
