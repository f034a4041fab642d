"""A database of an earlier version becomes one of this version: nothing is lost, and the study goes on."""

import csv
import io
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage import events, slack_checks
from storage.bundle import export_bundle
from storage.database import Store, UnknownSchema
from storage.queries import history, people
from storage.queries.button_values import find_session
from storage.queries.due import due
from storage.queries.results import hides_results, preregistration
from storage.schema.states import JobKind, SessionEnd, StudyState, TrialState
from storage.schema.tables import Participant, Session, Trial
from storage.transitions import assignment, deletion, jobs, notices, participants, sessions, studies, trials
from tests.storage.databases import BOTH
from tests.storage.postgresql import PostgreSQL
from tests.storage.reading import amendments_of
from tests.storage.schema.first_version import ELEVEN, NINE, ROWS, RULES, Rows, participant

RENAMED = {
    ("study", "rules_toml"): "rules",
    ("amendment", "rules_toml"): "rules",
    ("amendment", "old_rules_toml"): "old_rules",
}
"""Columns that have another name now."""


def reflected(store: Store) -> MetaData:
    tables = MetaData()
    tables.reflect(store.engine)
    return tables


def content(store: Store, columns: dict[str, list[str]]) -> Rows:
    """What is in these columns of all tables."""
    tables = reflected(store)
    with store.engine.connect() as connection:
        return {
            name: [
                dict(row._mapping)
                for row in connection.execute(
                    select(*[tables.tables[name].c[each] for each in names]).order_by(tables.tables[name].c[names[0]])
                )
            ]
            for name, names in columns.items()
        }


def fill(store: Store, rows: Rows) -> None:
    tables = reflected(store)
    with store.engine.begin() as connection:
        for name, new in rows.items():
            for row in new:
                connection.execute(tables.tables[name].insert().values(row))
            if not store.is_sqlite and "id" in new[0] and name not in {"heartbeat", "alarm"}:
                connection.execute(text(f"SELECT setval('{name}_id_seq', {max(row['id'] for row in new)})"))


def make_first_version(url: str) -> None:
    """A database of the first version, with everything in it."""
    store = Store(url)
    store.migrate("0001")
    fill(store, ROWS)
    store.scrub()
    store.close()


@pytest.fixture(scope="module")
def first_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of the first version, to be copied."""
    path = tmp_path_factory.mktemp("first") / "study.db"
    make_first_version(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def first_template(postgresql: PostgreSQL) -> str:
    """The name of a PostgreSQL database of the first version, to be copied."""
    make_first_version(postgresql.new("template0", "first_version"))
    return "first_version"


@pytest.fixture
def old_file(first_file: Path, tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{shutil.copy(first_file, tmp_path / 'study.db')}")
    yield store
    store.close()


@pytest.fixture(params=BOTH)
def old(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "sqlite":
        yield request.getfixturevalue("old_file")
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.new(request.getfixturevalue("first_template"))
    store = Store(url)
    yield store
    store.close()
    server.drop(url)


@pytest.fixture
def migrated_store(old: Store) -> Store:
    old.migrate()
    return old


def now_called(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    return {table: [RENAMED.get((table, name), name) for name in names] for table, names in columns.items()}


def renamed(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED.get((table, name), name): value for name, value in row.items()}


def test_nothing_that_was_there_is_lost_or_changed(old):
    columns = {
        name: [each.name for each in table.columns]
        for name, table in reflected(old).tables.items()
        if name != "alembic_version"
    }
    before = content(old, columns)
    old.migrate()
    after = content(old, now_called(columns))
    assert after == {name: [renamed(name, row) for row in rows] for name, rows in before.items()}
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in ROWS.items()}


def test_an_open_study_was_prepared_when_it_opened(migrated_store):
    study = studies.current_study(migrated_store)
    assert (study.state, study.prepared_at, study.opened_at) == (StudyState.PAUSED, NINE, NINE)
    assert studies.study_named(migrated_store, "earlier").prepared_at == NINE - timedelta(days=9)


def test_every_session_gets_to_know_how_it_ended(migrated_store):
    with migrated_store.read() as transaction:
        ended = {each.id: each.ended_as for each in transaction.exec(select(Session)).scalars()}
        assert {each.extended_seconds for each in transaction.exec(select(Session)).scalars()} == {0.0}
    assert ended == {
        1: SessionEnd.CHOSEN,
        2: SessionEnd.CLOCK,
        3: SessionEnd.EMPTY,
        4: SessionEnd.WITHDRAWN,
        5: None,
        7: SessionEnd.CHOSEN,
        8: SessionEnd.EMPTY,
    }


def test_everybody_is_a_person_with_the_task_they_had(migrated_store):
    with migrated_store.read() as transaction:
        found = transaction.exec(select(Participant).order_by(Participant.id)).scalars().all()
        assert [each.task for each in found] == ["digits"] * 5 + [None] + ["digits"] * 2
        assert {each.baseline_id for each in found} == {None}
        assert not any(each.drawn for each in transaction.exec(select(Trial)).scalars())
    assert len(people.people(migrated_store, 1)) == 8


def test_the_study_goes_on(migrated_store):
    store, now = migrated_store, NINE + timedelta(hours=1)
    view = history.session_of_participant(store, 5)
    assert (view.running.number, view.trials[0].configuration.learning_rate) == (1, 0.25)
    assert len(history.epochs_of(store, JobKind.EVALUATION, 1)) == 1
    trials.cancel(store, view.running.id, now=now)
    job = jobs.Job(
        JobKind.TRIAL, 4, "digits", view.running.configuration, 10, attempts=1, slot=0, session_id=5, number=1,
        participant="P005",
    )  # fmt: skip
    jobs.finish(store, job, jobs.Ending(TrialState.CANCELLED), now=now)
    second = trials.submit(store, 5, configuration=view.trials[0].configuration, comments={}, now=now)
    assert (second.id, second.number) == (6, 2)
    assert jobs.claim(store, now=now, slot=0).key == "trial:6"
    studies.resume_study(store, actor="researcher-1", now=now)
    assert sessions.begin(store, 6, task="digits", limit=timedelta(hours=1), seats=9, now=now).task == "digits"
    participants.withdraw(store, 1, delete_data=True, now=now)


def test_the_event_log_is_as_append_only_as_before(migrated_store):
    for change in ("UPDATE event SET actor = 'nobody'", "DELETE FROM event"):
        with pytest.raises(DBAPIError, match="append-only"), migrated_store.write() as transaction:
            transaction.execute(text(change))
    assert len(events.read(migrated_store)) == 2


def test_the_constraints_hold_after_the_move(migrated_store):
    for forbidden in (
        "UPDATE trial SET state = 'waiting', number = 7, session_id = 5 WHERE id = 1",  # beside one that runs
        "UPDATE session SET ended_as = NULL WHERE id = 1",
        "UPDATE session SET ended_as = 'chosen' WHERE id = 5",
        "UPDATE trial SET validation_accuracy = NULL WHERE id = 1",
        "UPDATE evaluation SET final_choice_id = 99 WHERE id = 1",
        "UPDATE participant SET baseline_id = 99 WHERE id = 1",
        "UPDATE study SET current = NULL WHERE id = 1",
        "DELETE FROM trial WHERE id = 1",
    ):
        with pytest.raises(IntegrityError), migrated_store.write() as transaction:
            transaction.execute(text(forbidden))


SECOND: Rows = {
    "amendment": [
        {
            "id": 1,
            "study_id": 1,
            "name": "longer",
            "reason": "the trials take longer than we thought",
            "at": ELEVEN,
            "old_rules_hash": "0" * 64,
            "old_rules_toml": '{"study": {"name": "old"}}',
            "rules_hash": "a" * 64,
            "rules_toml": RULES,
        }
    ],
}
"""What a database of the second version may have besides."""

ALARM = "CREATE TABLE alarm (id VARCHAR(191) PRIMARY KEY, next_run_time FLOAT, job_state {bytes} NOT NULL)"


@pytest.fixture
def second(old: Store) -> Store:
    """A database of the second version. The bot has never run with it, so it has no alarms."""
    old.migrate("0002")
    fill(old, SECOND)
    return old


def add_alarms(store: Store) -> None:
    """The table that the scheduler made when it ran for the first time."""
    with store.engine.begin() as connection:
        connection.execute(text(ALARM.format(bytes="BLOB" if store.is_sqlite else "BYTEA")))
        connection.execute(text("INSERT INTO alarm VALUES ('deadline:5', 1.5, '')"))


class TestTheSecondVersion:
    @pytest.mark.parametrize("alarms", [True, False])
    def test_it_keeps_everything_but_the_alarms(self, second, alarms):
        if alarms:
            add_alarms(second)
        columns = {
            name: [each.name for each in table.columns]
            for name, table in reflected(second).tables.items()
            if name not in {"alembic_version", "alarm"}
        }
        before = content(second, columns)
        second.migrate()
        assert content(second, now_called(columns)) == {
            name: [renamed(name, row) for row in rows] for name, rows in before.items()
        }
        assert "alarm" not in reflected(second).tables
        assert notices.pending(second) == []

    def test_rules_and_amendments_are_read_under_their_new_names(self, second):
        second.migrate()
        assert studies.current_study(second).rules == RULES
        (amendment,) = amendments_of(second, 1)
        assert (amendment.old_rules, amendment.rules) == ('{"study": {"name": "old"}}', RULES)

    def test_its_bundle_has_the_rules_where_they_always_were(self, second, tmp_path):
        second.migrate()
        export_bundle(second, tmp_path / "skill.zip", name="skill")
        study, amendments = (read_table(tmp_path / "skill.zip", name) for name in ("study.csv", "amendments.csv"))
        assert [row["rules"] for row in study] == [RULES]
        assert [(row["old_rules"], row["rules"]) for row in amendments] == [('{"study": {"name": "old"}}', RULES)]

    def test_a_session_that_runs_is_warned_of_what_is_still_to_come(self, second):
        second.migrate()
        warnings = [timedelta(minutes=minutes) for minutes in (30, 10)]
        assert sessions.get(second, 5).warned_until is None
        now = ELEVEN - timedelta(minutes=5)  # both are past: one is given
        assert due(second, warnings=warnings, now=now).warnings == (5,)
        assert sessions.warn(second, 5, warnings=warnings, now=now).before == timedelta(minutes=10)
        assert due(second, warnings=warnings, now=now).warnings == ()
        (notice,) = notices.pending(second)
        assert (notice.participant_id, notice.session_id, notice.details) == (5, 5, {"minutes": 10.0})

    def test_a_session_whose_time_was_up_expires(self, second):
        second.migrate()
        assert due(second, warnings=[], now=ELEVEN).expired == (5,)
        assert sessions.expire(second, 5, grace=timedelta(minutes=10), now=ELEVEN).stopped.number == 1


class TestTheFourthVersion:
    def test_it_keeps_everything_and_takes_checks_of_slack(self, old):
        old.migrate("0004")
        columns = {
            name: [each.name for each in table.columns]
            for name, table in reflected(old).tables.items()
            if name != "alembic_version"
        }
        before = content(old, columns)
        old.migrate()
        assert content(old, columns) == before
        assert slack_checks.newest(old) is None
        seen = dict.fromkeys(("chart_by_update", "picture_posted"), True)
        seen |= dict.fromkeys(("picture_by_update", "picture_by_update_with_file_ids"), False)
        recorded = slack_checks.record(old, team_id="T1", **seen, now=ELEVEN)
        assert slack_checks.newest(old).id == recorded.id


FIFTH: Rows = {
    "participant": [{**participant(9), "study_id": 2}],
    "identity": [{"participant_id": 9, "slack_user": "U9", "slack_channel": "D9"}],
    "notice": [{"id": 1, "at": NINE, "kind": "greeting", "participant_id": 9, "details": {}}],
    "post": [
        {"subject": subject, "ts": "1.2", "file_id": None}
        for subject in (
            *("greeting:5", "trial:4", "result:4", "plot:4"),  # of somebody who has a link
            *("report:1", "report:study:2", "alert:1", "digest:2030-03-01T18:00:00+00:00"),
            *("greeting:1", "session:1", "trial:1", "result:1", "plot:1", "session:99", "trial:99"),
        )
    ],
}
"""What a database of the fifth version may have besides: a link that a study kept which was closed."""


class TestTheFifthVersion:
    @pytest.fixture
    def fifth(self, old):
        old.migrate("0005")
        fill(old, FIFTH)
        old.migrate()
        return old

    def test_messages_of_those_without_a_link_and_links_of_closed_studies_are_forgotten(self, fifth):
        found = content(fifth, {"post": ["subject"], "identity": ["slack_user"], "notice": ["id"]})
        assert [row["subject"] for row in found["post"]] == sorted(
            [
                *("session:5", "greeting:5", "trial:4", "result:4", "plot:4"),
                *("report:1", "report:study:2", "alert:1", "digest:2030-03-01T18:00:00+00:00"),
            ]
        )
        assert found["identity"] == [{"slack_user": "U5"}]
        assert found["notice"] == []

    def test_buttons_get_values_and_what_is_deleted_is_written_down(self, fifth):
        view = history.session_view(fifth, 5)
        assert find_session(fifth, 5, view.button_value).id == 5
        participants.withdraw(fifth, 5, delete_data=True, now=ELEVEN)
        assert {each.channel for each in deletion.pending(fifth)} == {"D5"}


class TestTheVersionBeforePreregistrations:
    """The version before preregistrations, arms, and assignments that follow from a secret."""

    def test_it_keeps_everything_and_its_study_is_not_registered_and_goes_on_without_a_secret(self, old):
        old.migrate("0006")
        columns = {
            name: [each.name for each in table.columns]
            for name, table in reflected(old).tables.items()
            if name != "alembic_version"
        }
        before = content(old, columns)
        old.migrate()
        assert content(old, columns) == before
        assert preregistration(old, 1) is None
        assert hides_results(studies.current_study(old))
        study = studies.current_study(old)
        assert study.assignment_secret is None
        assert assignment.assignments(old, study.id) == []
        studies.resume_study(old, actor="researcher-1", now=ELEVEN)
        newcomer = participants.invite(old, slack_user="U77", slack_channel="D77", now=ELEVEN)
        participants.consent(old, newcomer.id, consent_hash="c", now=ELEVEN)
        told = {"months": 6.0, "education": "", "answers": {}, "group": "medium", "tasks": ("digits", "birds")}
        assert participants.describe(old, newcomer.id, **told, block_seed=10, now=ELEVEN).task in told["tasks"]


def read_table(bundle: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(bundle) as archive:
        (member,) = [each for each in archive.namelist() if each.endswith(name)]
        return list(csv.DictReader(io.StringIO(archive.read(member).decode())))


def test_a_damaged_file_is_refused_and_left_as_it_was(old_file):
    raw = old_file.engine.raw_connection()
    raw.cursor().execute("PRAGMA foreign_keys = OFF")
    raw.cursor().execute("UPDATE trial SET session_id = 99 WHERE id = 3")
    raw.cursor().execute("PRAGMA foreign_keys = ON")
    raw.close()
    with pytest.raises(UnknownSchema, match=r"damaged: 1 rows, such as one of the table trial.*was changed"):
        old_file.migrate()
    assert "amendment" not in reflected(old_file).tables
