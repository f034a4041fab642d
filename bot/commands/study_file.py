"""What the commands read from ``study.toml``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.settings.settings import Settings, SettingsError
from training.tasks import BUILT_IN, Task, Tasks, UnknownTask

USAGE = 2
"""The exit code when what was typed cannot be used."""

StudyFile = Annotated[Path, typer.Option("--study", help="The rules of the study.")]

DEFAULT = Path("study.toml")


def read_settings(study: Path) -> Settings:
    """The settings in a study file.

    Raises:
        typer.Exit: They cannot be used; the reason is printed.
    """
    try:
        return Settings.load(study)
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
        typer.Exit: There is none; those there are, are printed.
    """
    try:
        return read_tasks(study)[name]
    except UnknownTask as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
