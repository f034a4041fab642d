"""``blackmagic export`` and ``blackmagic import``, as they are typed."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from storage.database import Store
from tests.reports.simulated_study import simulate


def told(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A database with a simulated study."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    store = Store(url)
    store.migrate()
    simulate(store, participants=4, trials=30)
    store.close()
    return url


def test_a_study_goes_out_and_comes_in_again(tmp_path: Path, database: str) -> None:
    first, second, copy = tmp_path / "first.zip", tmp_path / "second.zip", f"sqlite:///{tmp_path / 'copy.db'}"
    code, said, _ = told("export", "--database", database, "--out", first)
    assert code == 0
    assert said.startswith(f"The study “Simulated” is in {first} (")
    assert "4 participants, 30 trials, 40 evaluations, 0 epochs." in said
    assert "Look through what people typed" in said
    assert "Of people's background it has: months, education in bands." in said
    assert "• months, education and all other answers: k = 1, 4 of 4 unique" in said
    code, said, _ = told("import", first, "--database", copy)
    assert (code, said) == (
        0,
        f"The study “Simulated” is in {copy}: 4 participants, 30 trials, 40 evaluations, 0 epochs.\n",
    )
    assert told("export", "--database", copy, "--name", "Simulated", "--out", second, "--no-batch-losses")[0] == 0
    assert second.read_bytes() == first.read_bytes()
    code, _, said = told("import", first, "--database", copy)
    assert (code, "has a study “Simulated” already" in said) == (1, True)


def test_background_can_be_chosen_and_only_from_what_there_is(tmp_path: Path, database: str) -> None:
    code, said, _ = told("export", "--database", database, "--out", tmp_path / "all.zip", "--background", "full")
    assert (code, "it has: months, education and all other answers." in said) == (0, True)
    code, said, _ = told("export", "--database", database, "--out", tmp_path / "none.zip", "--background", "none")
    assert (code, "Of people's background it has nothing." in said) == (0, True)
    assert told("export", "--database", database, "--out", tmp_path / "x.zip", "--background", "some")[0] == 2
    assert not (tmp_path / "x.zip").exists()


def test_the_study_of_a_study_file(tmp_path: Path, study_file: Callable[..., Path]) -> None:
    file = study_file(tmp_path)
    code, _, said = told("export", "--study", file, "--out", tmp_path / "x.zip")
    assert (code, "There is no study in sqlite:///" in said) == (2, True)


def test_what_is_wrong_is_said_and_no_data_base_is_left(tmp_path: Path) -> None:
    bundle, made = tmp_path / "theirs.zip", tmp_path / "new" / "study.db"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("participants.csv", "code,months\nP1,ten\n")
        archive.writestr("trials.csv", "participant,number,epochs,batch_size,loss,optimizer,validation_accuracy\n")
        archive.writestr("evaluations.csv", "participant,seed,test_accuracy\n")
    code, said, wrong = told("import", bundle, "--database", f"sqlite:///{made}")
    assert (code, said) == (1, "")
    assert wrong == "participants.csv, row 2, column months: “ten” is not a number.\nNothing was imported.\n"
    assert not made.exists()
    assert list(made.parent.iterdir()) == []


def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, database: str) -> None:
    out = tmp_path / "x.zip"
    for arguments, sentence in (
        (
            ("export", "--out", out, "--database", f"sqlite:///{tmp_path / 'none.db'}"),
            "There is no study in sqlite:///",
        ),
        (("export", "--out", out, "--database", "nonsense"), "“nonsense” is not the URL of a database"),
        (
            ("export", "--out", out, "--database", database, "--study", "study.toml"),
            "Give --study or --database, not both",
        ),
        (("export", "--out", tmp_path / "study.db", "--database", database), "is there already and is no zip file"),
        (("export", "--out", tmp_path / "none" / "x.zip", "--database", database), "There is no folder"),
        (("import", tmp_path / "none.zip", "--database", f"sqlite:///{out}"), "none.zip cannot be used: No such file"),
    ):
        code, said, wrong = told(*arguments)
        assert (code, said) == (2, "")
        assert sentence in wrong
        assert len(wrong.splitlines()) == 1
        assert not out.exists()
    assert not (tmp_path / "none.db").exists()
    code, _, wrong = told("export", "--out", out, "--database", database, "--name", "Another")
    assert (code, wrong) == (1, "There is no study “Another” in this database.\n")
