"""The results: all numbers are there, they are numbers, and the same data give the same bytes on every machine."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.compute import STEPS, compute
from reports.data.load import load
from reports.data.study_data import StudyData
from reports.results.as_json import to_json
from reports.results.measures import NotComputable, PairTest, Reading, Spread
from reports.results.rounding import rounded
from reports.results.study_results import StudyResults
from reports.statistics.inference import holm
from reports.tables import correlations
from storage.bundle import export_bundle, import_bundle
from storage.database import Store
from storage.schema.states import Background
from tests.reports.conftest import Simulated
from tests.reports.simulated_study import simulate

ROOT = Path(__file__).parents[2]

_WRITE = """
import sys
from datetime import date
from pathlib import Path

from reports.figures import style
from reports.write import write_report
from storage.database import Store

encode = style.encode
style.encode = lambda figure, kind: encode(figure, kind) if kind == "svg" else b""
write_report(Store(sys.argv[1]), Path(sys.argv[2]), written=date(2031, 5, 17))
"""

PLAIN = {
    "OPENBLAS_CORETYPE": "Prescott",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": " ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", ())),
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-FMA,-AVX2_Usable,-AVX512F_Usable,-FMA_Usable",
}
"""Linear algebra, NumPy and the C library without the instructions that only newer processors have."""


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, float) else []


def test_an_ordinary_study_computes_everything_but_what_needs_several_tasks_or_arms(
    ordinary: tuple[StudyData, StudyResults],
) -> None:
    found = set(re.findall(r'"why": "(.*)"', to_json(ordinary[1])))
    about_intervals = {each for each in found if "resampl" in each.lower()}
    assert found - about_intervals == {
        "The study has one task, so there is nothing to pool.",
        "The study has no arms.",
        "The study was not preregistered, so nothing in this report is confirmatory.",
        "Fewer than half reached it.",
        "Those who never reached it leave it open.",
    }


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


@pytest.mark.long
def test_another_machine_writes_the_same_bytes(store: Store, tmp_path: Path) -> None:
    simulate(store, participants=9, trials=60, random_settings=40, tpe=2)
    machines = {"plain": PLAIN, "as it is": {"OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _WRITE, f"sqlite:///{tmp_path / 'study.db'}", str(tmp_path / name)],
            cwd=ROOT,
            env={"PATH": "", "PYTHONPATH": str(ROOT), **environment},
            stderr=subprocess.PIPE,
        )
        for name, environment in machines.items()
    ]
    complaints = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], complaints
    assert complaints == [b"", b""]
    plain, usual = (files_in(tmp_path / name) for name in machines)
    assert len(plain) > 100
    assert [name for name in usual if plain[name] != usual[name]] == []
    assert plain.keys() == usual.keys()


def test_results_are_rounded_to_what_machines_agree_on() -> None:
    sum_of_tries = 0.1 + 0.2 + 1.95  # 2.25 and a last bit
    given = Reading(Spread(2, sum_of_tries, -1e-15), {"p": (1 / 3, 100 / 3)}, "one", "other")
    assert rounded(given) == Reading(Spread(2, 2.25, 0.0), {"p": (0.33333333, 33.333333)}, "one", "other")
    small = PairTest("a", "b", 2, 2, 1 / 3, (1, 2), 1e-12 / 3, 0.5, 0.5)
    assert rounded(small).p == 3.3333333e-13


@pytest.mark.usefixtures("quick", "drawn_codes")
def test_a_bundle_gives_the_same_bytes_but_for_codes(store: Store, simulated: Simulated, tmp_path: Path) -> None:
    data = simulated(participants=7, trials=50, random_settings=20, tpe=2, withdrawn=1)
    export_bundle(store, tmp_path / "bundle.zip", background=Background.FULL)
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    other.migrate()
    import_bundle(other, tmp_path / "bundle.zip")
    theirs, ours = (to_json(compute(each)) for each in (load(other), data))
    code = re.compile(r'"P\d{3,}"')
    assert sorted(code.findall(theirs)) != sorted(code.findall(ours))
    assert code.sub("a code", theirs) == code.sub("a code", ours)
    other.close()


def test_what_is_not_computable_is_null_with_its_reason(ordinary: tuple[StudyData, StudyResults]) -> None:
    found = json.loads(to_json(replace(ordinary[1], pooled=NotComputable("Because."))))
    assert found["pooled"] == {"value": None, "why": "Because."}


@pytest.mark.usefixtures("quick")
def test_progress_names_every_step(simulated: Simulated) -> None:
    told: list[str] = []
    compute(simulated(participants=3, trials=9), told.append)
    assert tuple(told) == STEPS


def test_correlations_are_corrected_together_but_for_another_reading(
    ordinary: tuple[StudyData, StudyResults],
) -> None:
    rows = list(correlations.correlations(ordinary[1].tasks[0]))
    assert len(rows) >= 6
    known = [(row.labels[0], row.numbers) for row in rows if not isinstance(row.numbers, NotComputable)]
    assert [of for of, each in known if each.p_holm is None] == [of for of, _ in known if "other reading" in str(of)]
    tested = [each for _, each in known if each.p_holm is not None]
    assert [each.p_holm for each in tested] == list(holm([each.found.p for each in tested]))
