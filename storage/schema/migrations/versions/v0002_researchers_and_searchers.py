"""Studies that are prepared before they open, amendments, several tasks, searchers, researchers and alerts.

On SQLite the changed tables are made anew, so their keys count up from now on (AUTOINCREMENT), as PostgreSQL's always
did: what a participant had deleted leaves no number behind that another trial could be taken for.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBERED = {"sqlite_autoincrement": True}
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the tables of the first version to the second."""
    _make_new_tables()
    _change_study()
    _change_participant()
    _change_session()
    _change_trial()
    for table in ("final_choice", "evaluation"):
        if op.get_bind().dialect.name == "sqlite":
            with op.batch_alter_table(table, recreate="always", table_kwargs=_NUMBERED):
                pass


def _make_new_tables() -> None:
    op.create_table(
        "amendment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("old_rules_hash", sa.String(), nullable=False),
        sa.Column("old_rules_toml", sa.Text(), nullable=False),
        sa.Column("rules_hash", sa.String(), nullable=False),
        sa.Column("rules_toml", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_amendment_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_amendment_study_id_name")),
    )
    op.create_table(
        "baseline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("searcher", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("stopped_at", _MOMENT, nullable=True),
        sa.CheckConstraint("wanted >= 1", name=op.f("ck_baseline_wanted")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_baseline_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_baseline")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_baseline_study_id_code")),
    )
    op.create_table(
        "researcher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slack_user", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_researcher")),
        sa.UniqueConstraint("slack_user", name=op.f("uq_researcher_slack_user")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("latest", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", _MOMENT, nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("acknowledged_at", _MOMENT, nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.CheckConstraint("count >= 1", name=op.f("ck_alert_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(
        "one_unacknowledged_alert",
        "alert",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )


def _change_study() -> None:
    with op.batch_alter_table("study", table_kwargs=_NUMBERED) as study:
        study.add_column(sa.Column("prepared_at", _MOMENT, nullable=True))
    op.execute("UPDATE study SET prepared_at = opened_at")
    with op.batch_alter_table("study", table_kwargs=_NUMBERED) as study:
        study.alter_column("prepared_at", existing_type=_MOMENT, nullable=False)
        study.alter_column("opened_at", existing_type=_MOMENT, nullable=True)


def _change_participant() -> None:
    with op.batch_alter_table("participant") as participant:
        participant.add_column(sa.Column("task", sa.String(), nullable=True))
        participant.add_column(sa.Column("block_group", sa.String(), nullable=True))
        participant.add_column(sa.Column("baseline_id", sa.Integer(), nullable=True))
        participant.create_foreign_key(op.f("fk_participant_baseline_id_baseline"), "baseline", ["baseline_id"], ["id"])
        participant.create_index(op.f("ix_participant_baseline_id"), ["baseline_id"], unique=False)
    op.execute(
        "UPDATE participant SET task = (SELECT max(session.task) FROM session "
        "WHERE session.participant_id = participant.id)"
    )


def _change_session() -> None:
    op.add_column("session", sa.Column("ended_as", sa.String(length=32), nullable=True))
    op.add_column("session", sa.Column("extended_seconds", sa.Float(), nullable=True))
    op.execute("UPDATE session SET extended_seconds = 0")
    for ended_as, which in {
        "empty": "TRUE",
        "chosen": "id IN (SELECT session_id FROM final_choice)",
        "clock": "id IN (SELECT session_id FROM final_choice WHERE chosen_by = 'clock')",
        # Whoever withdrew within a session left it without a final choice.
        "withdrawn": "id NOT IN (SELECT session_id FROM final_choice) "
        "AND participant_id IN (SELECT id FROM participant WHERE state = 'withdrawn' "
        "AND participant.withdrawn_at = session.finished_at)",
    }.items():
        op.execute(f"UPDATE session SET ended_as = '{ended_as}' WHERE state = 'finished' AND {which}")  # noqa: S608
    with op.batch_alter_table("session", table_kwargs=_NUMBERED) as session:
        session.alter_column("extended_seconds", existing_type=sa.Float(), nullable=False)
        session.create_check_constraint(op.f("ck_session_ended_as"), "(state = 'finished') = (ended_as IS NOT NULL)")


def _change_trial() -> None:
    op.drop_index("one_unfinished_trial", "trial")
    op.add_column("trial", sa.Column("drawn", sa.Boolean(), nullable=True))
    op.execute("UPDATE trial SET drawn = FALSE")
    with op.batch_alter_table("trial", table_kwargs=_NUMBERED) as trial:
        trial.alter_column("drawn", existing_type=sa.Boolean(), nullable=False)
    rows = sa.text("state NOT IN ('complete', 'cancelled', 'diverged', 'failed') AND NOT drawn")
    op.create_index(
        "one_unfinished_trial", "trial", ["session_id"], unique=True, sqlite_where=rows, postgresql_where=rows
    )
