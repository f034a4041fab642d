"""``blackmagic data prepare``, and the tasks that a study file defines."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings.settings import Settings, SettingsError

FLOWERS = """
[[tasks]]
name = "flowers"
folder = "flowers"
images = 90
classes = 3
image_size = 32
validation_images = 20
test_images = 20
network = "squeezenet1_0"
"""


def with_flowers(running: Any, task: str = FLOWERS) -> Path:
    """The study file with a task of its own, and its data beside it."""
    text = running.file.read_text(encoding="utf-8")
    text = text.replace('data = "data"', f'data = "{running.folder}"')
    running.file.write_text(text + task, encoding="utf-8")
    return running.file


def told(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


def test_preparing_decodes_once_with_a_progress_bar_and_says_where_the_cache_is(
    running: Any, image_folder: Path
) -> None:
    study = str(with_flowers(running))
    code, said, shown = told("data", "prepare", "--task", "flowers", "--study", study)
    assert code == 0, shown
    cache = image_folder / "cache" / "flowers-32px.images"
    assert f"The images of flowers are ready in {cache}" in said.replace("\n", "")
    assert "90/90" in shown
    before = cache.stat().st_mtime_ns
    assert told("data", "prepare", "--task", "flowers", "--study", study)[0] == 0
    assert cache.stat().st_mtime_ns == before


def test_a_task_of_the_study_file_can_be_trained(running: Any, image_folder: Path) -> None:
    study = str(with_flowers(running))
    values = ("epochs=1", "batch_size=25", "loss=mse", "optimizer=sgd")
    code, said, shown = told(
        "trial", "--task", "flowers", "--study", study, "--json", *(f"--set={each}" for each in values)
    )
    assert code == 0, shown
    assert '"state": "complete"' in said


def test_a_data_set_that_comes_with_a_package_needs_nothing(running: Any) -> None:
    code, said, _ = told("data", "prepare", "--study", str(running.file))
    assert code == 0
    assert said == "mnist-squeezenet comes with a package: there is nothing to prepare.\n"


def test_images_that_are_not_there_are_told_in_one_sentence(running: Any) -> None:
    code, said, shown = told("data", "prepare", "--task", "flowers", "--study", str(with_flowers(running)))
    assert (code, said) == (1, "")
    assert "There is no folder" in shown
    assert "Traceback" not in shown


def test_an_unknown_task_is_answered_with_those_there_are(running: Any) -> None:
    code, _, shown = told("data", "prepare", "--task", "mnist", "--study", str(with_flowers(running)))
    assert code == 2
    assert "Choose one of: digits-squeezenet, mnist-squeezenet, imagenette-squeezenet, flowers." in shown


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("images = 90", "images = 42", "42 images are too few for 20 to validate on, 20 to test on"),
        ("test_images = 20", "test_images = 2", "each split needs an image of every class"),
        ('folder = "flowers"', 'folder = "../elsewhere"', "tasks.0.folder"),
        ("image_size = 32", "image_size = 4", "tasks.0.image_size"),
    ],
)
def test_a_mistake_in_a_task_is_named(running: Any, before: str, after: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.load(with_flowers(running, FLOWERS.replace(before, after)))


def test_two_tasks_of_one_name_are_refused(running: Any) -> None:
    settings = Settings.load(with_flowers(running, FLOWERS.replace('name = "flowers"', 'name = "digits-squeezenet"')))
    with pytest.raises(SettingsError, match="Two tasks are called digits-squeezenet"):
        settings.all_tasks()


def test_only_the_studys_own_task_is_one_of_its_rules(running: Any) -> None:
    before = Settings.load(running.file).rules_hash()
    study = with_flowers(running)
    assert Settings.load(study).rules_hash() == before
    text = study.read_text(encoding="utf-8").replace('task = "mnist-squeezenet"', 'task = "flowers"')
    study.write_text(text, encoding="utf-8")
    chosen = Settings.load(study)
    (task,) = chosen.study_tasks()
    assert task.facts.training_images == 50
    study.write_text(text.replace("image_size = 32", "image_size = 64"), encoding="utf-8")
    assert Settings.load(study).rules_hash() != chosen.rules_hash()
