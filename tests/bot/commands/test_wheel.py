"""The wheel runs anywhere: it brings all files that the commands need, and ``init`` writes those of a new study."""

import json
from pathlib import Path

import pytest

from bot.commands.study_file import TEMPLATES
from tests.bot.commands.wheel import ROOT, Installed

pytestmark = pytest.mark.long

TEMPLATE_NAMES = ("study.toml", "consent.md", "manifest.yml")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"))


def files_under(folder: str) -> set[str]:
    """The files of the repository in this folder that are no Python."""
    found = (ROOT / folder).rglob("*")
    return {
        str(path.relative_to(ROOT))
        for path in found
        if path.is_file() and path.suffix not in {".py", ".pyc"} and "__pycache__" not in path.parts
    }


def test_every_file_that_is_no_python_is_in_the_wheel(installed):
    wanted = files_under("bot") | files_under("reports") | files_under("storage") | files_under("training")
    assert "bot/sandbox/page/js/blocks/chart.js" in wanted
    assert wanted <= installed.names()


def test_every_module_and_every_migration_is_in_the_wheel(installed):
    modules = {
        str(path.relative_to(ROOT))
        for part in ("bot", "training", "storage", "reports")
        for path in (ROOT / part).rglob("*.py")
    }
    assert any("migrations/versions/" in name for name in modules)
    assert modules <= installed.names()


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_a_template_is_the_repositorys_own_file(installed, name):
    own = (ROOT / name).read_bytes()
    assert (TEMPLATES / name).samefile(ROOT / name)
    assert (installed.target / "bot" / "templates" / name).read_bytes() == own


def test_init_writes_what_a_study_starts_from_and_overwrites_nothing(installed, tmp_path):
    folder = tmp_path / "lab" / "study"
    done = installed.run("init", str(folder), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in folder.iterdir()} == set(TEMPLATE_NAMES)
    assert all((folder / name).read_bytes() == (ROOT / name).read_bytes() for name in TEMPLATE_NAMES)

    (folder / "consent.md").write_text("Our own words.", encoding="utf-8")
    (folder / "manifest.yml").unlink()
    again = installed.run("init", ".", folder=folder)
    assert again.returncode == 0
    assert "Kept consent.md" in again.stdout
    assert "move study.toml and consent.md away" in again.stdout
    assert "Wrote manifest.yml" in again.stdout
    assert (folder / "consent.md").read_text(encoding="utf-8") == "Our own words."


def test_init_says_when_it_cannot_write(installed, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    done = installed.run("init", "taken", folder=tmp_path)
    assert done.returncode == 2
    assert "taken cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_without_a_study_file_says_how_to_get_one(installed, tmp_path):
    done = installed.run("run", folder=tmp_path)
    assert done.returncode == 2
    assert "“blackmagic init FOLDER” writes the files" in done.stderr


def test_the_demonstration_needs_no_files(installed, tmp_path):
    done = installed.run("demo", "--exit", "--participants", "0", "--port", "0", folder=tmp_path, seconds=250)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["participants"] == 0
    assert [path.name for path in tmp_path.iterdir() if Path(path).name.startswith("black-magic-")]
