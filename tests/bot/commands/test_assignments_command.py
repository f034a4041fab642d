"""``blackmagic assignments``: everybody can compute the assignments again from the secret, and see a change."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from storage.bundle import export_bundle
from storage.database import Store
from storage.schema.tables import Assignment
from storage.transitions import participants, studies
from tests.storage.conftest import Lab
from tests.storage.databases import make_sqlite

RULES = '{"study": {"task": ["digits", "flowers"]}, "arms": [{"name": "control"}, {"name": "short", "minutes": 60}]}'


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Twelve people in an open study of two tasks and two arms."""
    make_sqlite(tmp_path / "study.db")
    lab = Lab(Store(f"sqlite:///{tmp_path / 'study.db'}"))
    lab.tasks, lab.arms = ("digits", "flowers"), ("control", "short")
    studies.prepare_study(lab.store, name="skill", rules=RULES, rules_hash="a" * 64, now=lab.now)
    studies.open_study(lab.store, actor="researcher-1", now=lab.now)
    for number in range(12):
        lab.described(group="novice" if number % 3 else "expert", months=float(number % 3))
    return lab


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["assignments", *map(str, arguments)])


def close(lab: Lab) -> str:
    return studies.close_study(lab.store, actor="researcher-1", now=lab.now).assignment_secret


def test_nothing_is_told_before_the_study_is_closed(lab, tmp_path):
    ran = run("--database", lab.store.engine.url)
    assert ran.exit_code == 1
    assert "is not closed, so its secret is not published yet" in ran.stderr
    secret = studies.current_study(lab.store).assignment_secret
    assert secret not in ran.output
    export_bundle(lab.store, tmp_path / "open.zip")
    assert secret.encode() not in (tmp_path / "open.zip").read_bytes()


def test_a_closed_study_agrees_with_its_secret_and_its_list_can_be_checked_by_anybody(lab, tmp_path):
    secret = close(lab)
    ran = run("--database", lab.store.engine.url, "--out", tmp_path / "list.csv")
    assert ran.exit_code == 0, ran.output
    assert f"Secret: {secret}" in ran.stdout
    assert "The 24 assignments are those of the secret." in ran.stdout
    assert run("--list", tmp_path / "list.csv", "--secret", secret).exit_code == 0
    assert run("--list", tmp_path / "list.csv", "--secret", "0" * 64).exit_code == 1
    with (tmp_path / "list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["option"] for row in rows} == {"digits", "flowers", "control", "short"}
    assert "P0" not in (tmp_path / "list.csv").read_text()


def test_a_change_is_found(lab):
    close(lab)
    with lab.store.write() as transaction:
        one = transaction.get(Assignment, 2)
        one.option = "short" if one.option == "control" else "control"
    ran = run("--database", lab.store.engine.url)
    assert ran.exit_code == 1
    assert "and the secret gives" in ran.stderr


def test_a_bundle_is_checked_as_far_as_it_tells(lab, tmp_path):
    somebody = lab.described(group="expert")
    participants.withdraw(lab.store, somebody.id, delete_data=True, now=lab.now)
    close(lab)
    export_bundle(lab.store, tmp_path / "bundle.zip")
    ran = run("--bundle", tmp_path / "bundle.zip")
    assert ran.exit_code == 0, ran.output
    assert "follows from the secret (24 assignments)" in ran.stdout


def test_a_study_in_which_nothing_was_assigned_has_nothing_to_check(tmp_path):
    make_sqlite(tmp_path / "study.db")
    lab = Lab(Store(f"sqlite:///{tmp_path / 'study.db'}"))
    lab.open()
    close(lab)
    ran = run("--database", lab.store.engine.url)
    assert ran.exit_code == 1
    assert "nothing was assigned by a secret" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--list", "list.csv"], "Give --list and --secret together."),
        (["--list", "list.csv", "--secret", "x"], "A secret has 64 hexadecimal digits"),
        (["--list", "list.csv", "--secret", "0" * 64], "list.csv is no list of assignments"),
    ],
)
def test_a_mistake_in_what_was_typed_is_told(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text("who,what\nme,this\n")
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert said in ran.stderr
