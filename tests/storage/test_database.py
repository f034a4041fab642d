import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage import events, posts
from storage.database import Store, UnknownSchema
from storage.refusals import Reason, Refused
from storage.schema.states import SessionState, StudyState, TrialState
from storage.schema.tables import Evaluation, Participant, Post, Session, Study, Table, Trial
from storage.transitions import participants, recovery
from tests.storage.reading import last_heartbeat

NINE = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)


def definitions(path: Path) -> dict[str, str]:
    """Every table and index as SQLite keeps it, without what depends on the order of writing, or on a move."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        ).fetchall()
    return {
        name: "\n".join(sorted(line.strip().rstrip(",").replace(f'"{name}"', name) for line in sql.splitlines()))
        for name, sql in rows
        if name != "alembic_version"
    }


def test_migrations_make_exactly_the_tables_of_the_code(store: Store):
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_migrations_make_the_same_checks_and_partial_indexes_as_the_code(sqlite_store: Store, tmp_path: Path):
    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    Table.metadata.create_all(fresh.engine)
    fresh.close()
    assert definitions(tmp_path / "study.db") == definitions(tmp_path / "fresh.db")


def test_migrating_twice_changes_nothing_and_keeps_what_is_there(store: Store):
    posts.remember(store, "session:1", ts="1.2")
    store.migrate()
    found = posts.find(store, "session:1")
    assert found is not None
    assert found.ts == "1.2"


def test_programs_that_start_at_once_migrate_once(tmp_path: Path):
    program = "import sys; from storage.database import Store; Store(sys.argv[1]).migrate()"
    url = f"sqlite:///{tmp_path / 'new' / 'study.db'}"
    started = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(2)]
    assert [each.wait(60) for each in started] == [0, 0]
    with sqlite3.connect(tmp_path / "new" / "study.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_a_database_of_a_newer_version_is_left_alone(own_store: Store):
    with own_store.write() as transaction:
        transaction.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnknownSchema, match=r"another version.*Nothing was changed"):
        own_store.migrate()


def test_times_come_back_aware_and_in_utc(store: Store):
    tokyo = timezone(timedelta(hours=9))
    recovery.heartbeat(store, now=NINE.astimezone(tokyo))
    last = last_heartbeat(store)
    assert last == NINE
    assert last is not None
    assert last.tzinfo is UTC


def test_a_naive_time_is_an_error(store: Store):
    with pytest.raises(ValueError, match="has no time zone"):
        recovery.heartbeat(store, now=datetime(2030, 3, 1))  # noqa: DTZ001


def test_an_exception_undoes_the_whole_transaction(store: Store):
    def fail() -> None:
        with store.write() as transaction:
            transaction.add(Study(name="x", rules="", rules_hash="h", prepared_at=NINE))
            transaction.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as transaction:
        assert transaction.get(Study, 1) is None


def test_a_reader_does_not_wait_for_a_writer_and_sees_one_moment(store: Store):
    posts.remember(store, "session:1", ts="before")
    with store.write() as transaction:
        post = transaction.get(Post, "session:1")
        assert post is not None
        post.ts = "after"
        transaction.flush()
        seen = posts.find(store, "session:1")
        assert seen is not None
        assert seen.ts == "before"


def test_what_is_deleted_while_somebody_reads_is_removed_from_the_log_when_they_have_read(sqlite_store: Store, lab_of):
    lab = lab_of(sqlite_store)
    participants.invite(sqlite_store, slack_user="UFINDME7", slack_channel="DFINDME7", now=lab.now)
    reading = sqlite_store.engine.connect()
    reading.execute(text("SELECT * FROM study")).fetchall()  # a report is being made
    participants.withdraw(sqlite_store, 1, delete_data=False, now=lab.now)
    assert not sqlite_store.scrub_again()
    lab.invite()  # nobody waits for the reader
    assert not sqlite_store.scrub_again()
    reading.close()
    assert sqlite_store.scrub_again()
    assert sqlite_store.scrub_again()
    left = Path(sqlite_store.engine.url.database or "").parent.glob("study.db*")
    assert [each.name for each in left if b"FINDME7" in each.read_bytes()] == []


def test_what_is_deleted_while_somebody_writes_is_removed_from_the_log_later(sqlite_store: Store):
    posts.remember(sqlite_store, "session:1", ts="1.2")
    with sqlite_store.write() as transaction:
        transaction.add(Post(subject="session:2", ts="2.2"))
        transaction.flush()
        assert not sqlite_store.scrub()
    assert sqlite_store.scrub_again()


def test_asking_for_what_does_not_exist_is_refused_in_words(store: Store):
    with store.read() as transaction, pytest.raises(Refused, match="There is no trial with the number 7") as refused:
        transaction.need(Trial, 7)
    assert refused.value.reason is Reason.UNKNOWN


def test_the_event_log_can_be_neither_changed_nor_shortened(lab):
    for change in ("UPDATE event SET actor = 'nobody'", "DELETE FROM event"):
        with pytest.raises(DBAPIError, match="append-only"), lab.store.write() as transaction:
            transaction.execute(text(change))
    assert [each.kind for each in events.read(lab.store)] == ["study_prepared", "study_opened"]


class TestTheSchemaItselfForbids:
    def refuses(self, lab, *rows: Table) -> None:
        with pytest.raises(IntegrityError), lab.store.write() as transaction:
            transaction.add_all(rows)

    def test_a_second_study_beside_one_that_is_not_closed(self, lab):
        self.refuses(lab, Study(name="b", state=StudyState.PAUSED, rules="", rules_hash="b", prepared_at=lab.now))

    def test_a_second_unfinished_session_of_a_participant(self, lab):
        session = lab.seated()
        self.refuses(
            lab,
            Session(
                participant_id=session.participant_id,
                task="digits",
                seed=10,
                state=SessionState.CHOOSING,
                started_at=lab.now,
                limit_seconds=1,
                deadline=lab.now,
                grace_ends_at=lab.now,
            ),
        )

    def test_a_second_unfinished_trial_of_a_session(self, lab, make_configuration):
        session = lab.seated()
        lab.submit(session)
        values = Trial.values(make_configuration())
        self.refuses(lab, Trial(session_id=session.id, number=2, submitted_at=lab.now, **values))

    def test_a_second_trial_of_the_same_number(self, lab, make_configuration):
        session = lab.seated()
        lab.tried(session, 50.0)
        values = Trial.values(make_configuration())
        self.refuses(lab, Trial(session_id=session.id, number=1, submitted_at=lab.now, **values))

    def test_a_second_evaluation_of_a_seed(self, lab):
        session = lab.seated()
        lab.tried(session, 50.0)
        choice = lab.choose(session, 1).choice
        self.refuses(lab, Evaluation(final_choice_id=choice.id, seed=0))

    def test_a_complete_trial_without_an_accuracy(self, lab, make_configuration):
        session = lab.seated()
        values = Trial.values(make_configuration())
        self.refuses(
            lab,
            Trial(session_id=session.id, number=1, submitted_at=lab.now, state=TrialState.COMPLETE, **values),
        )

    def test_a_code_twice(self, lab):
        first = lab.invite()
        self.refuses(lab, Participant(study_id=first.study_id, code=first.code, invited_at=lab.now))

    def test_a_trial_of_no_session(self, lab, make_configuration):
        self.refuses(lab, Trial(session_id=99, number=1, submitted_at=lab.now, **Trial.values(make_configuration())))


def test_opening_a_database_twice_leaves_the_locks_of_the_first_one(tmp_path):
    """Otherwise another process that closes the database deletes the log that this one writes."""
    file = tmp_path / "study.db"
    first, second = Store(f"sqlite:///{file}"), None
    try:
        first.migrate()
        second = Store(f"sqlite:///{file}")
        program = "import sqlite3, sys; b = sqlite3.connect(sys.argv[1]); b.execute('SELECT 1 FROM study'); b.close()"
        subprocess.run([sys.executable, "-c", program, str(file)], check=True)
        assert file.with_name("study.db-wal").exists()
    finally:
        for each in (first, second):
            if each is not None:
                each.close()
