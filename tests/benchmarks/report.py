"""``python -m tests.benchmarks.report``: how long a report takes, and how much memory, from a database to all files.

Each study is simulated first; then a process of its own, as ``blackmagic report`` is, reads, computes, draws, writes.
Seconds are from its start to its end.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Size:
    """A study: people and their trials, and the seconds that its report may take (None: none are promised)."""

    people: int
    trials: int
    promised: float | None


@dataclass(frozen=True)
class Found:
    """What one process needed.

    Attributes:
        seconds: From its start to its end; ``computed`` until the numbers were known, from the start too.
        of_processor: Seconds of processor time, which other programs beside it lengthen less.
        memory: The most that was resident, in MiB; ``at_start`` when everything was imported and nothing read.
        files, written: How many files, and their size in MiB.
    """

    seconds: float
    computed: float
    of_processor: float
    memory: float
    at_start: float
    files: int
    written: float


FULL = (Size(31, 500, 15), Size(250, 3_750, None), Size(1_000, 15_000, 60))
QUICK = (Size(4, 40, None),)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.report", description=__doc__)
    options.add_argument("--quick", action="store_true", help="only see whether it runs; the figures mean nothing")
    options.add_argument("--measure", nargs=3, metavar=("DATABASE", "FOLDER", "START"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        database, folder, start = given.measure
        print(json.dumps(asdict(measure(database, Path(folder), float(start)))))
        return
    console = Console(width=120)
    before = os.getloadavg()[0]
    found = {size: run(size) for size in (QUICK if given.quick else FULL)}
    console.print(as_table(found))
    console.print(f"The load average was {before:.1f} before and {os.getloadavg()[0]:.1f} after.", highlight=False)


def run(size: Size) -> Found:
    """Simulate a study, and measure its report in a process of its own."""
    from storage.database import Store
    from tests.reports.simulated_study import simulate

    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{place}/study.db"
        store = Store(url)
        store.migrate()
        simulate(store, participants=size.people, trials=size.trials, random_settings=320, tpe=20)
        store.close()
        command = [sys.executable, "-m", "tests.benchmarks.report", "--measure", url, f"{place}/report"]
        started = time.time()
        done = subprocess.run([*command, repr(started)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        whole = json.loads(done.stdout) | {"seconds": time.time() - started}
        return Found(**whole)


def measure(database: str, folder: Path, started: float) -> Found:
    """Write the report here and now."""
    from reports.write import write_report
    from storage.database import Store

    at_start = _peak()
    computed: list[float] = []

    def note(_: float, what: str) -> None:
        if what.startswith("drawing") and not computed:
            computed.append(time.time() - started)

    store = Store(database)
    report = write_report(store, folder, progress=note)
    store.close()
    size = sum(each.path.stat().st_size for each in report.files)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Found(0.0, computed[0], used.ru_utime + used.ru_stime, _peak(), at_start, len(report.files), size / 2**20)


def as_table(found: dict[Size, Found]) -> Table:
    """The result."""
    table = Table(title="A report, from the database to all files, in a process of its own")
    for name in (
        "people",
        "trials",
        "seconds",
        "promised",
        "until computed",
        "processor",
        "peak MiB",
        "of it imports",
        "files",
        "MiB",
    ):
        table.add_column(name, justify="right")
    for size, each in found.items():
        table.add_row(
            f"{size.people:,}",
            f"{size.trials:,}",
            f"{each.seconds:.1f}",
            "" if size.promised is None else f"{size.promised:g}",
            f"{each.computed:.1f}",
            f"{each.of_processor:.1f}",
            f"{each.memory:.0f}",
            f"{each.at_start:.0f}",
            str(each.files),
            f"{each.written:.1f}",
        )
    return table


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
