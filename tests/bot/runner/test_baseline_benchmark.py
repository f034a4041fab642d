"""The benchmark of a baseline beside a person runs to its end. What it measures is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(900)
def test_some_random_settings_are_trained_beside_a_person(tmp_path: Path) -> None:
    output = tmp_path / "baseline.json"

    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.baseline", "--quick", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text(encoding="utf-8"))
    assert sum(found["states"].values()) == 8
    assert found["states"].keys() <= {"complete", "diverged"}
    assert len(found["accuracies"]) == found["states"]["complete"]
    assert f"Accuracy {found['mean']:.1f} ± {found['sd']:.1f} %" in done.stdout
    assert 1 <= len(found["beside"]) <= 3
    assert all(each["waited"] > 0 for each in found["beside"])
    assert found["steps"] > 8
