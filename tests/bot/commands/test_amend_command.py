"""Rules of a study that has opened change by an amendment, with a name and a reason, or not at all."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings.settings import Settings, SettingsError
from storage import events
from storage.database import Store
from storage.locks import locked
from storage.schema.states import EventKind
from storage.schema.tables import Study
from storage.transitions import participants, studies
from tests.storage.reading import amendments_of

LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def opened(tmp_path, study_file):
    """A study that was opened with the rules of a file, and the database it is in."""

    def rules(**changes):
        path = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}", **changes)
        return path, Settings.load(path)

    path, settings = rules()
    store = Store(settings.machine.database)
    store.migrate()
    given = {"name": "Black Magic", "rules": settings.rules(), "rules_hash": settings.rules_hash()}
    studies.prepare_study(store, **given, now=LONG_AGO)
    studies.open_study(store, actor="researcher-1", now=LONG_AGO)
    yield store, path, rules
    store.close()


def amend(path, *options, name="Less time", because="The first three were bored.", **given):
    return CliRunner().invoke(app, ["amend", name, "--because", because, "--study", str(path), *options], **given)


def test_wider_bounds_for_a_study_of_an_earlier_version_are_an_amendment(opened):
    store, path, rules = opened
    wide = path.read_text(encoding="utf-8")
    before = Settings.load(rules(bounds="narrow")[0]).rules()
    with store.write() as transaction:
        transaction.need(Study, 1).rules = before
        transaction.need(Study, 1).rules_hash = "of the version before"
    unsaid = wide.replace('bounds = "optimizer"', "")
    path.write_text(unsaid.replace("limit_minutes = 120", "limit_minutes = 90"), encoding="utf-8")
    assert amend(path, "--yes").stdout.splitlines()[:-1] == ["  time.limit_minutes: 120.0 → 90.0"]
    path.write_text(wide.replace("limit_minutes = 120", "limit_minutes = 90"), encoding="utf-8")
    ran = amend(path, "--yes", name="As in the paper")
    assert ran.stdout.splitlines()[:-1] == ['+ form.bounds: "optimizer"', "+ form.most_steps: 1000000"]


def test_a_change_is_shown_asked_about_and_put_on_record(opened):
    store, path, rules = opened
    before = studies.study_named(store, "Black Magic")
    _, after = rules(limit_minutes=90, thresholds=[25, 50, 75])
    ran = amend(path, input="y\n")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.splitlines()[:2] == [
        "  analysis.thresholds: [25.0, 50.0] → [25.0, 50.0, 75.0]",
        "  time.limit_minutes: 120.0 → 90.0",
    ]
    assert "Amendment “Less time” is on record" in ran.stdout
    study = studies.study_named(store, "Black Magic")
    assert (study.rules_hash, json.loads(study.rules)) == (after.rules_hash(), json.loads(after.rules()))
    (kept,) = amendments_of(store, study.id)
    assert (kept.name, kept.reason) == ("Less time", "The first three were bored.")
    assert (kept.old_rules_hash, kept.rules_hash) == (before.rules_hash, study.rules_hash)
    assert len(events.read(store, kind=EventKind.STUDY_AMENDED)) == 1


def test_an_answer_of_no_changes_nothing(opened):
    store, path, rules = opened
    rules(limit_minutes=90)
    ran = amend(path, input="n\n")
    assert ran.exit_code == 1
    assert "Nothing was changed." in ran.stderr
    assert not amendments_of(store, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "These are the rules of the study “Black Magic” already"),
        ({"slots": 7, "time_zone": "Asia/Tokyo"}, "These are the rules of the study “Black Magic” already"),
        ({"name": "Grey Magic", "limit_minutes": 90}, "has no study “Grey Magic”. Check study.name"),
        ({"withdrawn_data": "delete"}, "study.withdrawn_data cannot be amended: participants have agreed to what"),
        (
            {"task": "imagenette-squeezenet"},
            "participants were given digits-squeezenet, so it must stay among the tasks",
        ),
        ({"task": ["digits-squeezenet", "cats"]}, "There is no task 'cats'"),
    ],
)
def test_an_amendment_of_fixed_rules_is_refused(opened, changes, said):
    store, path, rules = opened
    person = participants.invite(store, slack_user="U1", slack_channel="D1", now=LONG_AGO)
    participants.consent(store, person.id, consent_hash="c", now=LONG_AGO)
    told = {"months": 1.0, "education": "master", "answers": {}, "group": "medium", "block_seed": 1}
    participants.describe(store, person.id, **told, tasks=["digits-squeezenet"], now=LONG_AGO)
    before = studies.study_named(store, "Black Magic").rules_hash
    rules(**changes)
    ran = amend(path, "--yes")
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert studies.study_named(store, "Black Magic").rules_hash == before


def test_a_task_is_added(opened):
    _, path, rules = opened
    rules(task=["digits-squeezenet", "imagenette-squeezenet"])
    ran = amend(path, "--yes")
    assert ran.exit_code == 0, ran.stderr
    assert '  study.task: "digits-squeezenet" → ["digits-squeezenet", "imagenette-squeezenet"]' in ran.stdout


ARMS = """
[[arms]]
name = "control"
[[arms]]
name = "short"
minutes = 60
"""


def test_no_arm_is_added_renamed_or_taken_away_but_its_rules_change(tmp_path, study_file):
    def rules(arms):
        path = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
        path.write_text(path.read_text(encoding="utf-8").replace("\n[slack]", f"{arms}\n[slack]"), encoding="utf-8")
        return path, Settings.load(path)

    _, settings = rules(ARMS)
    store = Store(settings.machine.database)
    store.migrate()
    given = {"name": "Black Magic", "rules": settings.rules(), "rules_hash": settings.rules_hash()}
    studies.prepare_study(store, **given, now=LONG_AGO)
    studies.open_study(store, actor="researcher-1", now=LONG_AGO)
    more = f'{ARMS}[[arms]]\nname = "bare"\npresets = false\n'
    for changed in ("", more, ARMS.replace("short", "hasty")):
        ran = amend(rules(changed)[0], "--yes")
        assert ran.exit_code == 2
        assert "arms: people are assigned to them from the first one on" in ran.stderr
        assert "Let them be control, short, in this order." in ran.stderr
    ran = amend(rules(ARMS.replace("60", "45"))[0], "--yes")
    assert ran.exit_code == 0, ran.stderr
    assert "  arms.short.minutes: 60.0 → 45.0" in ran.stdout
    store.close()


def test_questions_are_named_in_what_changes(opened):
    _, path, rules = opened
    rules(label="Years that you have programmed")
    ran = amend(path, "--yes")
    assert '  questions.programming_years.label: "Years of programming experience" → "Years that' in ran.stdout


def test_a_name_is_used_once(opened):
    _, path, rules = opened
    rules(limit_minutes=90)
    assert amend(path, "--yes").exit_code == 0
    rules(limit_minutes=60)
    ran = amend(path, "--yes")
    assert ran.exit_code == 2
    assert "There is an amendment “Less time” already" in ran.stderr
    assert amend(path, "--yes", name="Still less").exit_code == 0


@pytest.mark.parametrize("missing", [{"name": " "}, {"because": ""}])
def test_an_amendment_has_a_name_and_a_reason(opened, missing):
    _, path, rules = opened
    rules(limit_minutes=90)
    ran = amend(path, "--yes", **missing)
    assert ran.exit_code == 2
    assert "An amendment needs a name, and a reason" in ran.stderr


def test_a_study_that_has_not_opened_needs_no_amendment(tmp_path, study_file):
    path = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    settings = Settings.load(path)
    store = Store(settings.machine.database)
    store.migrate()
    studies.prepare_study(store, name="Black Magic", rules="{}", rules_hash="0", now=LONG_AGO)
    ran = amend(path, "--yes")
    store.close()
    assert ran.exit_code == 2
    assert "has not opened yet, so its rules need no amendment" in ran.stderr


def test_a_bot_that_runs_is_to_be_stopped_first(opened):
    store, path, rules = opened
    _, after = rules(limit_minutes=90)
    with locked(after.machine.database):
        ran = amend(path, "--yes")
    assert ran.exit_code == 2
    assert f"The bot runs on this database (process {os.getpid()} on" in ran.stderr
    assert not amendments_of(store, 1)
    assert amend(path, "--yes").exit_code == 0


@pytest.mark.long
def test_other_rules_are_refused_at_the_start_and_taken_once_they_are_amended(open_house, study_file):
    house = open_house()
    house.close()
    kept = Settings.load(house.study)
    given = {"report_channel": kept.slack.report_channel, "researchers": list(kept.slack.researchers)}
    given |= {"database": kept.machine.database, "evaluation_seeds": [1]}
    study_file(house.study.parent, **given, limit_minutes=90)
    with pytest.raises(SettingsError, match="blackmagic amend"):
        house.open()
    house.bot = None
    assert amend(house.study, "--yes").exit_code == 0
    house.open()
    study_file(house.study.parent, **given, limit_minutes=90, slots=1, time_zone="Asia/Tokyo")
    house.close()
    house.open()  # where it runs may change at any time
    person = house.described("Has ninety minutes")
    assert "You have 90 minutes" in person.wait_for("Your task").text_of_everything
