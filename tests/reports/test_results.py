"""``results.json``: all numbers, the same bytes for the same data, and nothing that is no number."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.compute import STEPS, compute
from reports.data import StudyData, load
from reports.results.everything import StudyResults, to_json
from reports.results.measures import NotComputable
from storage.bundle import export_bundle, import_bundle
from storage.database import Store
from tests.reports.conftest import Simulated

ROOT = Path(__file__).parents[2]

_COMPUTE = """
import sys
import pytest

from reports.compute import compute
from reports.data import load
from reports.results.everything import to_json
from storage.database import Store
sys.stdout.write(to_json(compute(load(Store(sys.argv[1])))))
"""


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, float) else []


def test_an_ordinary_study_computes_everything_but_what_needs_several_tasks(
    ordinary: tuple[StudyData, StudyResults],
) -> None:
    found = set(re.findall(r'"why": "(.*)"', to_json(ordinary[1])))
    about_intervals = {each for each in found if "resampl" in each.lower()}
    assert found - about_intervals == {"The study has one task, so there is nothing to pool."}


def test_every_number_is_finite(ordinary: tuple[StudyData, StudyResults]) -> None:
    found = json.loads(to_json(ordinary[1]), parse_constant=lambda name: math.nan)
    assert len(numbers(found)) > 2000
    assert all(math.isfinite(each) for each in numbers(found))


def test_the_counts_add_up(ordinary: tuple[StudyData, StudyResults]) -> None:
    counts = ordinary[1].counts
    assert counts.invited == 36
    assert counts.analysed == 31 == sum(counts.by_group.values())
    assert (counts.withdrawn, counts.unfinished, counts.empty, counts.cancelled) == (2, 1, 1, 1)
    assert counts.submitted == 463 == sum(counts.trials.values())
    assert counts.evaluations["complete"] == 310
    assert sum(counts.searcher_trials["random"].values()) == 120
    assert counts.artificial_participants == {"random": 1, "tpe": 6}


def test_another_process_writes_the_same_bytes(simulated: Simulated, tmp_path: Path) -> None:
    data = simulated(participants=9, trials=60, random_settings=40, tpe=2)
    here = to_json(compute(data))
    there = subprocess.run(
        [sys.executable, "-W", "error", "-c", _COMPUTE, f"sqlite:///{tmp_path / 'study.db'}"],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7", "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert there.stdout == here.encode()
    assert there.stderr == b""


@pytest.mark.usefixtures("quick")
def test_a_bundle_of_a_study_gives_the_same_bytes(store: Store, simulated: Simulated, tmp_path: Path) -> None:
    data = simulated(participants=7, trials=50, random_settings=20, tpe=2, withdrawn=1, unfinished=1)
    export_bundle(store, tmp_path / "bundle.zip")
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    other.migrate()
    import_bundle(other, tmp_path / "bundle.zip")
    assert to_json(compute(load(other))) == to_json(compute(data))
    other.close()


def test_what_is_not_computable_is_null_with_its_reason(ordinary: tuple[StudyData, StudyResults]) -> None:
    found = json.loads(to_json(replace(ordinary[1], pooled=NotComputable("Because."))))
    assert found["pooled"] == {"value": None, "why": "Because."}


@pytest.mark.usefixtures("quick")
def test_progress_names_every_step(simulated: Simulated) -> None:
    told: list[str] = []
    compute(simulated(participants=3, trials=9), told.append)
    assert tuple(told) == STEPS
