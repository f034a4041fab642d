"""``python -m tests.benchmarks``: how fast training is, beside the original's loop and the limit of the hardware.

Everything runs on the CPU with one thread, as a slot does, in turn, and medians are shown. The result is a table, and
a file of JSON.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path


def main() -> None:
    """Measure, print and write."""
    # Imported here: processes that decode images import this file once more, and need none of it.
    from rich.console import Console

    from tests.benchmarks.measure import CPU, FULL, QUICK, Cell, Latency, decoding, load_average, speeds
    from tests.benchmarks.tables import decoding_table, latencies_table, speeds_table
    from training.reproducibility.environment import prepare

    options = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    options.add_argument("--quick", action="store_true", help="only see whether it runs; the figures mean nothing")
    options.add_argument("--output", type=Path, default=Path("benchmarks.json"), help="the file of JSON")
    given = options.parse_args()
    plan = QUICK if given.quick else FULL
    console = Console(width=120)
    environment, load_before = prepare(CPU, threads=1), load_average()

    def report(cell: Cell, latency: Latency) -> None:
        console.print(f"{cell.size} px, batches of {cell.batch_size}: {cell.ours:,.0f} images/s", highlight=False)

    cells, latencies = speeds(plan, report)
    files = decoding(plan)
    console.print(speeds_table(cells), latencies_table(latencies), decoding_table(files))
    result = {
        "environment": asdict(environment),
        "load_average": {"before": load_before, "after": load_average()},
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "images_per_second": [asdict(each) for each in cells],
        "latencies": [asdict(each) for each in latencies],
        "decoding": asdict(files),
    }
    given.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    console.print(
        f"Written to {given.output}; the load average was {load_before:.1f} before and {load_average():.1f} after."
    )


if __name__ == "__main__":
    main()
