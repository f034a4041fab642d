"""``blackmagic doctor`` says what keeps this machine from training."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from bot.cli import app
from bot.settings.settings import Settings


@pytest.mark.long
def test_a_database_that_others_may_read_is_told_before_anything_else(running: Any) -> None:
    text = running.file.read_text(encoding="utf-8").replace("devices = []", 'devices = ["cuda:63"]')
    running.file.write_text(text, encoding="utf-8")
    database = Path(make_url(Settings.load(running.file).machine.database).database or "")
    database.chmod(0o644)
    result = CliRunner().invoke(app, ["doctor", "--study", str(running.file)])
    assert result.exit_code == 1
    assert f"chmod 600 {database}" in result.stderr.splitlines()[0]


@pytest.mark.long
def test_slots_of_a_device_that_is_not_there_are_told(running: Any) -> None:
    text = running.file.read_text(encoding="utf-8").replace("devices = []", 'devices = ["cuda:63"]')
    running.file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["doctor", "--study", str(running.file)])
    assert result.exit_code == 1
    assert "cannot start: " in result.stderr
