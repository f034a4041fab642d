"""``blackmagic plan``, as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from reports.planning.registered_tests import RegisteredTest
from reports.statistics import resampling
from storage.database import Store
from storage.schema.states import StudyState
from tests.reports.simulated_study import simulate


def told(*arguments: object) -> tuple[int, str, str]:
    typed = ["plan", "--studies", "200", "--most", "60", *(str(each) for each in arguments)]
    result = CliRunner().invoke(app, typed, env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "resamples", lambda _: 199)


def make(tmp_path: Path, **options: object) -> str:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    store = Store(url)
    store.migrate()
    simulate(store, **{"participants": 20, "trials": 40, "comments": False, **options})
    store.close()
    return url


def test_the_papers_design_without_options() -> None:
    code, said, _ = told()
    assert code == 0
    assert said.startswith("Spearman’s correlation of months of experience with final accuracy (two-sided, α = 0.05).")
    assert "│ 31 " in said
    for text in ("ρ = 0.6 (the paper’s)", "ρ = 0.3 (half of it)", "no effect", "for 80 %", "for 90 %", "more than 60"):
        assert text in said
    assert "200 simulated studies at each number of people, seed 0. People come as they come" in said


def test_json_holds_every_number_and_nothing_else() -> None:
    code, said, _ = told("--json", "--rho", "0.5", "--people", "40,31", "--seed", 3)
    assert code == 0
    found = json.loads(said)
    assert (found["test"], found["seed"], found["studies"], found["alpha"]) == ("spearman", 3, 200, 0.05)
    line = found["lines"][0]
    assert [power["people"] for power in line["asked"]] == [31, 40]
    assert set(line["asked"][0]["power"]) == {"value", "interval", "n"}
    assert [each["power"] for each in line["needed"]] == [0.8, 0.9]
    assert (code, said) == told("--json", "--rho", "0.5", "--people", "40,31", "--seed", 3)[:2]


def test_groups_of_ones_own_in_a_comparison() -> None:
    options = ("--test", "mann-whitney", "--groups", "with=10,without=10", "--means", "80,50", "--sds", "15,25")
    code, said, _ = told(*options)
    assert code == 0
    assert "It is found when one pair differs at least, after Holm’s correction." in said
    assert "with-without" in said
    assert "Each study has its groups (with and without) in the shares 10 : 10." in said


def test_spreads_alone_are_an_effect_of_levenes_test() -> None:
    code, said, _ = told("--test", "levene", "--sds", "35,20,5", "--pairs", "novice-expert", "--json")
    assert code == 0
    assert json.loads(said)["lines"][0]["means"] == [55.9] * 3
    assert json.loads(said)["outcome"] == "novice-expert"


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_figure_of_the_kind_that_its_name_says(tmp_path: Path, kind: str) -> None:
    code, said, _ = told("--figure", tmp_path / f"power.{kind}")
    assert code == 0
    assert f"The figure is in {tmp_path / f'power.{kind}'}." in said.replace("\n", "")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind]
    assert (tmp_path / f"power.{kind}").read_bytes().startswith(start)


def test_people_and_correlations_of_a_closed_study(tmp_path: Path) -> None:
    url = make(tmp_path)
    code, said, _ = told("--database", url)
    assert code == 0
    assert "People as in the study “Simulated”, months and accuracies." in said
    for text in ("(as observed)", "(nearer end of its interval)", "(half of it)", "│ 20 "):
        assert text in said
    bundle = tmp_path / "study.zip"
    assert CliRunner().invoke(app, ["export", "--database", url, "--out", str(bundle)]).exit_code == 0
    assert told("--bundle", bundle)[1] == said


def test_a_running_study_tells_nothing_of_its_accuracies(tmp_path: Path) -> None:
    """A correlation would be a look at the result; months are not."""
    same = []
    for rho in (0.9, -0.9):
        folder = tmp_path / f"{rho}"
        folder.mkdir()
        url = make(folder, state=StudyState.OPEN, rho=rho, months=[0.0, 1, 5, 20] * 5)
        code, said, _ = told("--database", url, "--test", "levene", "--rho", "0.5")
        assert code == 0
        assert "accuracies as in the paper" in said
        assert "as observed" not in told("--database", url)[1]
        same.append(said)
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--rho high", "--rho high: please write numbers with commas between them, such as 0.6,0.3."),
        ("--people 3.5", "--people 3.5: please write numbers with commas between them, such as 31,40."),
        ("--groups 8,twelve", "--groups 8,twelve: please write sizes, such as 8,12,11 or with=20,without=20."),
        ("--groups =8,9", "--groups =8,9: please write sizes"),
        ("--rho 0.5 --means 40,50,60 --sds 9,9,9", "Give the effect as --rho, or as --means and --sds."),
        ("--test kruskal-wallis --means 40,50,60", "--means needs --sds"),
        ("--test levene", "This test compares spreads, so give them: --sds 30,25,15"),
        ("--rho 2", "A correlation is from −1 to 1, such as 0.6."),
        (
            "--groups 20,20",
            "Leave the groups out, or give the paper's three: --groups 8,12,11.",
        ),
        ("--figure power.bmp", "power.bmp does not say which kind of figure it is. It ends in .png, .svg or .pdf."),
        ("--figure none/power.png", "There is no folder none to write power.png to."),
        ("--task digits", "Say with --study, --database or --bundle whose people are meant."),
        ("--bundle a.zip --database sqlite:///b.db", "Give one of --study, --database and --bundle."),
        ("--database sqlite:///none.db", "There is no study in sqlite:///none.db."),
    ],
)
def test_what_cannot_be_used_is_said(options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = told(*options.split())
    assert (code, out) == (2, "")
    assert said in error
    assert "Nothing was planned." not in error
    assert list(tmp_path.iterdir()) == []


def test_a_study_with_too_few_people_or_another_task(tmp_path: Path) -> None:
    url = make(tmp_path, participants=2, trials=4)
    assert told("--database", url)[2].startswith("Fewer than three people have finished this study")
    error = told("--database", url, "--task", "other")[2]
    assert error.strip() == "This study has no task “other”. It has: digits-squeezenet."


def test_one_of_several_tasks_is_named(tmp_path: Path) -> None:
    url = make(tmp_path, tasks=("digits-squeezenet", "imagenette-squeezenet"))
    error = told("--database", url)[2]
    assert error.strip() == (
        "This study has several tasks. Choose one with --task: digits-squeezenet, imagenette-squeezenet."
    )
    assert told("--database", url, "--task", "imagenette-squeezenet")[0] == 0


def test_help_has_examples_that_can_be_typed() -> None:
    said = CliRunner().invoke(app, ["plan", "--help"], env={"COLUMNS": "200"}).stdout
    examples = [line.strip() for line in said.splitlines() if line.strip().startswith("blackmagic plan")]
    assert len(examples) > 4
    for test in RegisteredTest:
        assert str(test) in said
    for example in examples:
        options = example.partition("(")[0].split()[2:]
        if not {"--bundle", "--figure"} & set(options):
            assert told(*options, "--most", "30")[0] == 0, example
