"""The benchmark of the live feed runs, and writes what it measured. What it measures is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_benchmark_of_the_live_feed_runs(tmp_path: Path) -> None:
    output = tmp_path / "live_feed.json"

    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.live_feed", "--quick", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    measured = json.loads(output.read_text(encoding="utf-8"))
    assert measured["feed"]["refused"] == 0
    assert measured["feed"]["results"] > 0
    assert measured["drawing_cpu_ms"]["ours"] > 0
    assert "share of what is allowed" in done.stdout
