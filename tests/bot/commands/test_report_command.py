"""``blackmagic report``, as it is typed."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from bot.cli import app
from reports.analysis import follow_up, importance
from reports.figures import style
from reports.statistics import resampling
from storage import events
from storage.database import Store
from storage.schema.states import EventKind, StudyState
from tests.reports.simulated_study import simulate


def told(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["report", *(str(each) for each in arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is resampled, and nothing is drawn: this is about what is typed."""
    monkeypatch.setattr(style, "encode", lambda _figure, kind: b'<svg width="1pt" height="1pt"></svg>')
    monkeypatch.setattr(resampling, "resamples", lambda _: 199)
    monkeypatch.setattr(follow_up, "STUDIES", 50)
    monkeypatch.setattr(importance, "TREES", 4)


def make(url: str, **options: object) -> None:
    store = Store(url)
    store.migrate()
    simulate(store, **options)
    store.close()


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A database with a simulated study."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    make(url, participants=4, trials=30)
    return url


def test_a_report_of_a_data_base(tmp_path: Path, database: str) -> None:
    code, said, _ = told("--database", database, "--out", tmp_path / "report")
    assert code == 0
    assert f"The report of the study “Simulated” is in {tmp_path / 'report'}: open report.html there." in said
    assert (tmp_path / "report" / "report.html").exists()
    assert "tables (CSV), and results.json with every number." in said


def test_a_report_of_a_bundle_has_the_same_numbers(tmp_path: Path, database: str) -> None:
    bundle = tmp_path / "study.zip"
    exported = CliRunner().invoke(app, ["export", "--database", database, "--out", str(bundle), "--background", "full"])
    assert exported.exit_code == 0, exported.output
    assert told("--bundle", bundle, "--out", tmp_path / "one")[0] == 0
    assert told("--database", database, "--out", tmp_path / "other")[0] == 0
    for path in (tmp_path / "one").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "other" / path.relative_to(tmp_path / "one")).read_bytes(), path


def test_the_study_of_a_study_file(tmp_path: Path, study_file: Callable[..., Path]) -> None:
    file = study_file(tmp_path)
    code, _, said = told("--study", file, "--out", tmp_path / "report")
    assert (code, "There is no study in sqlite:///" in said) == (2, True)


def test_one_figure_is_named_and_its_files_are_told(tmp_path: Path, database: str) -> None:
    code, said, _ = told("--database", database, "--only", "figure-3", "--out", tmp_path)
    assert code == 0
    assert said.split() == [
        *(str(tmp_path / "figures" / f"figure-3.{kind}") for kind in ("png", "svg", "pdf")),
        str(tmp_path / "tables" / "figure-3.csv"),
    ]
    code, _, said = told("--database", database, "--only", "figure-2", "--out", tmp_path)
    assert code == 2
    assert said.strip().startswith("The report has no “figure-2”. It has ")


def test_one_study_of_several_by_its_name(tmp_path: Path, database: str) -> None:
    make(database, participants=2, trials=9, name="Second")
    for name in ("Simulated", "Second"):
        code, said, _ = told("--database", database, "--name", name, "--out", tmp_path / name)
        assert (code, f"The report of the study “{name}”" in said) == (0, True)
    code, _, said = told("--database", database, "--name", "Third", "--out", tmp_path / "third")
    assert (code, said.strip()) == (2, f"There is no study “Third” in {database}.")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--database", "sqlite:///{folder}/none/study.db"), "There is no study in sqlite:///{folder}/none/study.db."),
        (("--database", "study.db"), "“study.db” is not the URL of a database. Write it like sqlite:///study.db."),
        (("--bundle", "{folder}/none.zip"), "none.zip cannot be used: No such file or directory."),
        (("--bundle", "{folder}/a file"), "a file is not a zip file"),
        (("--bundle", "a.zip", "--database", "sqlite:///b.db"), "Give one of --study, --database and --bundle."),
        (("--bundle", "a.zip", "--name", "Skill"), "A bundle holds one study, so --name says nothing beside --bundle."),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_made(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "a file").write_text("text")
    given = [option.format(folder=tmp_path) for option in options]
    code, out, error = told(*given, "--out", tmp_path / "report")
    assert code in (1, 2)
    assert out == ""
    assert said.format(folder=tmp_path) in error
    assert {path.name for path in tmp_path.iterdir()} == {"a file"}


def test_a_file_is_no_folder(tmp_path: Path, database: str) -> None:
    file = tmp_path / "report.html"
    file.write_text("mine")
    code, _, said = told("--database", database, "--out", file)
    assert (code, said.strip()) == (2, f"{file} is a file, so no report can be written into it. Choose a folder.")
    assert file.read_text() == "mine"


@pytest.fixture
def running(tmp_path: Path) -> str:
    """A database with a study that is not closed; its results are hidden."""
    url = f"sqlite:///{tmp_path / 'running.db'}"
    make(url, participants=4, trials=30, state=StudyState.OPEN)
    return url


def looks(url: str) -> list[tuple[str, str]]:
    store = Store(url)
    found = [(each.actor, str(each.details["what"])) for each in events.read(store, kind=EventKind.INTERIM_LOOK)]
    store.close()
    return found


def test_a_study_that_goes_on_has_no_report_but_an_interim_one_which_is_recorded(tmp_path: Path, running: str) -> None:
    code, said, wrong = told("--database", running, "--only", "figure-3", "--out", tmp_path / "report")
    assert (code, said) == (1, "")
    assert wrong.startswith("The study “Simulated” is not closed, and its results are hidden until then. Nothing was")
    assert not (tmp_path / "report").exists()
    assert looks(running) == []
    code, _, _ = told("--database", running, "--only", "figure-3", "--interim", "--out", tmp_path / "report")
    assert code == 0
    assert looks(running) == [("researcher", "report figure-3")]


def test_where_results_are_shown_a_look_is_recorded_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shown.db'}"
    rules = {"analysis": {"thresholds": [25.0, 50.0], "interim": "shown"}}
    make(url, participants=2, trials=9, state=StudyState.OPEN, rules=rules)
    assert told("--database", url, "--only", "figure-3", "--out", tmp_path)[0] == 0
    assert looks(url) == [("researcher", "report figure-3")]


def test_an_export_of_a_study_that_goes_on_has_no_test_results_unless_they_are_asked_for(
    tmp_path: Path, running: str
) -> None:
    def rows(*options: str) -> tuple[int, str]:
        path = tmp_path / "study.zip"
        result = CliRunner().invoke(app, ["export", "--database", running, "--out", str(path), *options])
        assert result.exit_code == 0, result.output
        with ZipFile(path) as bundle:
            return len(bundle.read("evaluations.csv").splitlines()) - 1, result.stdout

    count, said = rows()
    assert (count, "test results are not in it. --interim includes them" in said) == (0, True)
    assert looks(running) == []
    count, said = rows("--interim")
    assert (count, "test results are not in it" in said) == (40, False)
    assert looks(running) == [("researcher", "export")]
