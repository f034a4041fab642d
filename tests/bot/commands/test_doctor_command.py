"""``blackmagic doctor`` and the benchmarks: they run, and say what they found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app

ROOT = Path(__file__).parents[3]


def test_the_doctor_trains_with_every_optimizer_in_every_slot_and_compares_the_bits(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.doctor._BATCH_SIZES", (700,))
    result = CliRunner().invoke(app, ["doctor", "--determinism", "--study", str(running.file)])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("same bits") == 6
    assert "The bits agree." in result.stdout
    assert result.stdout.count("│ cpu") == 2


def test_slots_of_a_device_that_is_not_there_are_told(running: Any) -> None:
    text = running.file.read_text(encoding="utf-8").replace("devices = []", 'devices = ["cuda:63"]')
    running.file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["doctor", "--study", str(running.file)])
    assert result.exit_code == 1
    assert "cannot start: " in result.stderr


def test_the_benchmarks_run_and_write_what_they_measured(tmp_path: Path) -> None:
    output = tmp_path / "found.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "images per second" in done.stdout
    found = json.loads(output.read_text(encoding="utf-8"))
    cell = found["images_per_second"][0]
    assert (cell["size"], cell["batch_size"]) == (32, 32)
    assert min(cell["original"], cell["original_at_best"], cell["ours"], cell["limit"]) > 0
    assert found["decoding"]["cache"] > 0
    assert found["environment"]["threads"] == 1
