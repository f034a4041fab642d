"""What the commands read from ``study.toml``, and the files that a study starts from."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.settings.settings import Settings, SettingsError
from training.tasks import BUILT_IN, Task, Tasks, UnknownTask

USAGE = 2
"""The exit code when what was typed cannot be used."""

StudyFile = Annotated[Path, typer.Option("--study", metavar="STUDY.TOML", help="The rules of the study.")]

STUDY, CONSENT, MANIFEST = "study.toml", "consent.md", "manifest.yml"
"""The files that a study starts from."""

DEMONSTRATION_CONSENT = "demonstration-consent.md"
"""What people agree to in a demonstration, where the study's own text is not finished."""

TEMPLATES = Path(__file__).parents[1] / "templates"
"""The folder with these files. In the repository they are links to those at its top."""

DEFAULT = Path(STUDY)


def here_or_template(name: str) -> Path:
    """The file of this name in the current folder; where there is none, the one to start from."""
    return Path(name) if Path(name).exists() else TEMPLATES / name


def load_settings(study: Path) -> Settings:
    """The settings in a study file.

    Raises:
        SettingsError: They cannot be used, or there is no such file.
    """
    if not study.exists():
        raise SettingsError(
            f"Cannot read {study}: there is no such file. “blackmagic init FOLDER” writes the files that a study "
            "starts from; --study names a study file that is elsewhere."
        )
    return Settings.load(study)


def read_settings(study: Path) -> Settings:
    """The same for a command.

    Raises:
        typer.Exit: They cannot be used; the reason is printed.
    """
    try:
        return load_settings(study)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None


def read_tasks(study: Path) -> Tasks:
    """The built-in tasks, and those of the study file where there is one.

    Raises:
        typer.Exit: The file cannot be used; the reason is printed.
    """
    if study == DEFAULT and not study.exists():
        return BUILT_IN
    try:
        return read_settings(study).all_tasks()
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None


def find_task(study: Path, name: str) -> Task:
    """A task by its name.

    Raises:
        typer.Exit: No task has this name; the names that there are, are printed.
    """
    try:
        return read_tasks(study)[name]
    except UnknownTask as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
