"""``blackmagic doctor`` says what keeps this machine from training."""

from typing import Any

from typer.testing import CliRunner

from bot.cli import app


def test_slots_of_a_device_that_is_not_there_are_told(running: Any) -> None:
    text = running.file.read_text(encoding="utf-8").replace("devices = []", 'devices = ["cuda:63"]')
    running.file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["doctor", "--study", str(running.file)])
    assert result.exit_code == 1
    assert "cannot start: " in result.stderr
