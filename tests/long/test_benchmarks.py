"""The benchmarks run, and write what they measured. What they measure is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(900)


def measured(name: str, output: Path) -> tuple[str, Any]:
    """What a benchmark's quick run prints, and what it writes."""
    done = subprocess.run(
        [sys.executable, "-m", name, "--quick", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(output.read_text(encoding="utf-8"))


def test_training_is_compared_with_the_originals_loop_and_with_bare_steps(tmp_path: Path) -> None:
    printed, found = measured("tests.benchmarks", tmp_path / "found.json")
    assert "images per second" in printed
    cell = found["images_per_second"][0]
    assert (cell["size"], cell["batch_size"]) == (32, 32)
    assert min(cell["original"], cell["original_at_best"], cell["ours"], cell["limit"]) > 0
    assert found["decoding"]["cache"] > 0
    assert found["environment"]["threads"] == 1


def test_the_live_feed_is_measured_within_slacks_limits(tmp_path: Path) -> None:
    printed, found = measured("tests.benchmarks.live_feed", tmp_path / "live_feed.json")
    for feed in found["feed"].values():
        assert feed["refused"] == 0
        assert feed["results"] > 0
    assert found["feed"]["chart"]["counters"]["pictures"] == 0
    assert found["drawing_cpu_ms"]["ours"] > 0
    assert "share of what is allowed" in printed


def test_some_random_settings_are_trained_beside_a_person(tmp_path: Path) -> None:
    printed, found = measured("tests.benchmarks.baseline", tmp_path / "baseline.json")
    assert sum(found["states"].values()) == 8
    assert found["states"].keys() <= {"complete", "diverged"}
    assert len(found["accuracies"]) == found["states"]["complete"]
    assert f"Accuracy {found['mean']:.1f} ± {found['sd']:.1f} %" in printed
    assert 1 <= len(found["beside"]) <= 3
    assert all(each["waited"] > 0 for each in found["beside"])
    assert found["steps"] > 8
