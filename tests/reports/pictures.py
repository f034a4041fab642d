"""Makes the README's figures: ``python -m tests.reports.pictures --to docs``.

The study is simulated, and each figure says so.
"""

import argparse
import tempfile
from pathlib import Path

from reports.compute import compute
from reports.data.load import load
from reports.figures import style
from reports.figures.catalogue import plates
from reports.figures.colours import INK
from storage.database import Store
from tests.reports.simulated_study import simulate

ROOT = Path(__file__).parents[2]

SHOWN = {
    "figure-4": "report-experience.png",
    "figure-7": "report-tries.png",
    "machines-tries": "report-machines.png",
}
"""The figures, and what their files are called."""


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description="Makes the README's figures from a simulated study.")
    parser.add_argument("--to", type=Path, default=ROOT / "docs", help="the folder they are written to")
    make(parser.parse_args().to)


def make(folder: Path) -> None:
    """Simulate a study of the paper's size, and draw its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        store = Store(f"sqlite:///{place}/study.db")
        store.migrate()
        study = simulate(store, participants=31, trials=463, rho=0.6, random_settings=320, tpe=20, seed=3)
        drawn = plates(compute(load(store, study)))
        store.close()
    for name, file in SHOWN.items():
        figure = drawn[name].figure()
        figure.supxlabel("simulated people, not a study’s result", fontsize=7, color=INK)
        (folder / file).write_bytes(style.encode(figure, "png"))


if __name__ == "__main__":
    main()
