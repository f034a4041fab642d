"""``blackmagic doctor --determinism``: every optimizer in every slot, and the bits compared."""

from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app


def test_the_doctor_trains_with_every_optimizer_in_every_slot_and_compares_the_bits(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.doctor._BATCH_SIZES", (700,))
    result = CliRunner().invoke(app, ["doctor", "--determinism", "--study", str(running.file)])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("same bits") == 6
    assert "The bits agree." in result.stdout
    assert result.stdout.count("│ cpu") == 2
