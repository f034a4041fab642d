"""``python -m tests.soak --minutes 60``: nothing is lost, doubled or late, whatever happens.

A local workspace, and ``blackmagic run`` beside it, each a process of its own. Simulated people take part, and note
what was acknowledged to them. Meanwhile the bot and its workers are killed and stopped, Slack and the database fail in
every way that is known. Then the notes are compared with what was kept and what people see.
"""

import argparse
import json
import random
import sys
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from storage.schema.states import TrialState
from tests.soak.books import Answer
from tests.soak.checks import summary
from tests.soak.plan import Fault
from tests.soak.run import Outcome, soak

_REPLAYS = 60


def main() -> int:
    """Returns the exit code: 1 if anything is lost, doubled, late, or otherwise wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long faults happen; the end takes some more")
    parser.add_argument("--seed", type=int, help="of the plan of faults and of what people do; a random one if none")
    parser.add_argument("--json", type=Path, help="where to write what was found")
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Seed {seed}: the same faults come with --seed {seed}.")
    outcome = soak(60 * given.minutes, seed, replays=_REPLAYS, tell=console.print)
    numbers = {"seed": seed, "minutes": given.minutes, **_numbers(outcome)}
    _print(console, numbers, outcome)
    if given.json is not None:
        given.json.write_text(json.dumps(numbers, indent=2), encoding="utf-8")
    return 0 if outcome.found.nothing else 1


def _numbers(outcome: Outcome) -> dict[str, Any]:
    books, record, found = outcome.books, outcome.record, outcome.found
    answers = [each.answer for each in books.submissions if each.rate is not None]
    return {
        "faults": dict(summary(books)),
        "starts": len(outcome.starts),
        "median_start_seconds": round(median(outcome.starts), 2),
        "people": books.went_on,
        "forms": {str(answer): answers.count(answer) for answer in Answer},
        "trials": {str(state): sum(each.state is state for each in record.trials) for state in TrialState},
        "sessions": len(record.sessions),
        "results": len(record.results),
        "replayed": outcome.replayed,
        "lost": found.lost,
        "doubled": found.doubled,
        "late": found.late,
        "other": found.other,
    }


def _print(console: Console, numbers: dict[str, Any], outcome: Outcome) -> None:
    table = Table("what", "number", title=f"{numbers['minutes']:g} minutes, seed {numbers['seed']}")
    for fault in Fault:
        table.add_row(fault, str(numbers["faults"][fault]))
    table.add_section()
    table.add_row("starts of the bot", f"{numbers['starts']}, half of them within {numbers['median_start_seconds']} s")
    table.add_row("people who came to their end", str(numbers["people"]))
    table.add_row("forms", ", ".join(f"{count} {answer}" for answer, count in numbers["forms"].items()))
    table.add_row("trials", ", ".join(f"{count} {state}" for state, count in numbers["trials"].items() if count))
    table.add_row("sessions", str(numbers["sessions"]))
    table.add_row("results posted", str(numbers["results"]))
    table.add_row("trials trained again", str(numbers["replayed"]))
    table.add_section()
    for kind in ("lost", "doubled", "late", "other"):
        table.add_row(kind, str(len(numbers[kind])))
    console.print(table)
    for kind in ("lost", "doubled", "late", "other"):
        for sentence in numbers[kind]:
            console.print(f"{kind}: {sentence}", markup=False)
    console.print(f"The database and the bot's log: {outcome.folder}")


if __name__ == "__main__":
    sys.exit(main())
