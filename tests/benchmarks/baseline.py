"""``python -m tests.benchmarks.baseline``: random search beside a person, who should never wait for it.

The real bot in a local workspace trains settings that are drawn at random in all slots, while a person submits one
configuration after another through the form. Told are the accuracies of the settings, as the paper's figure 1 tells
them, and for every submission how long it took from *Submit* to the first step in a worker, beside the longest single
step that a searcher's trial took in the meantime. What passes on the way in any case (Slack, the database, the loop)
is measured with idle slots first.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.sandbox.client.person import Person
from storage.transitions import baselines
from storage.transitions.baselines import BaselineStatus
from tests.benchmarks.stepping import Step, SteppingWorkers
from tests.bot.conftest import House, opened
from tests.warm_workers import WarmWorkers
from training.tasks import DIGITS_SQUEEZENET

SLOTS = 2
_LONGEST = 3 * 3600.0

SHORT = {
    "Epochs": "1",
    "Batch size": "64",
    "Loss function": "Cross entropy",
    "Optimizer": "Adam",
    "Learning rate": "0.001",
}
"""What the person trains: a second or so."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        count: Settings drawn at random.
        most_epochs: Of each of them.
        alone: The person's submissions with idle slots.
        beside: The most of them beside the baseline.
        pause: Seconds between a result and the next submission.
    """

    count: int = 320
    most_epochs: int = 20
    alone: int = 10
    beside: int = 1000
    pause: float = 8.0


QUICK = Plan(count=8, most_epochs=1, alone=1, beside=3, pause=0.0)


@dataclass(frozen=True)
class Submission:
    """One of the person's, in seconds.

    Attributes:
        waited: From *Submit* to the first step of the trial.
        longest_step: The longest single step of a searcher's trial that ran in the meantime; 0 when none did.
    """

    waited: float
    longest_step: float


@dataclass(frozen=True)
class Found:
    """What came of it.

    Attributes:
        states: How many trials ended how.
        accuracies: Of the complete ones, in percent.
        seconds: From the start of the baseline to its end.
        steps: Of searchers' trials.
        longest_step: The longest of them.
        alone: The person's submissions with idle slots.
        beside: Those while the baseline ran in all slots.
    """

    states: dict[str, int]
    accuracies: tuple[float, ...]
    seconds: float
    steps: int
    longest_step: float
    alone: tuple[Submission, ...]
    beside: tuple[Submission, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def sd(self) -> float:
        """Of the sample, as the paper's figure 1 has it."""
        return statistics.stdev(self.accuracies)

    @property
    def usual_wait(self) -> float:
        """The median with idle slots: nothing of it is for the baseline."""
        return statistics.median(each.waited for each in self.alone)


def measure(plan: Plan, console: Console) -> Found:
    with _house() as (house, workers):
        person = house.seated("Takes part")
        house.wait_for_machines()
        alone = [_submit(house, person, plan, number) for number in range(plan.alone)]
        searchers, begun = house.running.searchers, time.monotonic()
        baseline = searchers.start_random(plan.count, "researcher-1", most_epochs=plan.most_epochs)
        house.admin.wait_until(lambda: _status(house).running == SLOTS, 60)
        beside: list[tuple[int, float]] = []
        while len(beside) < plan.beside and not _status(house).is_over:
            beside.append(_submit(house, person, plan, plan.alone + len(beside)))
            console.print(f"{_status(house).done} of {plan.count} settings, {len(beside)} submissions", highlight=False)
        house.admin.wait_until(lambda: _is_ended(house, baseline.id), _LONGEST)
        seconds = time.monotonic() - begun
        (view,) = baselines.members(house.store, baseline.id)
        house.finish(person)
        steps = workers.steps()
        drawn = {trial.subject for trial in view.trials}
        searched = [step for step in steps if step.job in drawn]
        return Found(
            states=dict(Counter(str(trial.state) for trial in view.trials)),
            accuracies=tuple(each.validation_accuracy for each in view.trials if each.validation_accuracy is not None),
            seconds=seconds,
            steps=len(searched),
            longest_step=max(step.seconds for step in searched),
            alone=tuple(_submission(steps, searched, *each) for each in alone),
            beside=tuple(_submission(steps, searched, *each) for each in beside),
        )


@contextmanager
def _house() -> Iterator[tuple[House, SteppingWorkers]]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with opened(folder, WarmWorkers(), start=False, slots=SLOTS, limit_minutes=600) as house:
            workers = SteppingWorkers([DIGITS_SQUEEZENET], SLOTS, folder)
            house.open(workers)
            yield house, workers


def _submit(house: House, person: Person, plan: Plan, number: int) -> tuple[int, float]:
    """Submit a configuration and wait for its result; returns the trial, and when *Submit* was pressed."""
    time.sleep(plan.pause)
    house.form(person)
    house.fill(person, SHORT)
    pressed = time.monotonic()
    assert person.submit() == {}
    house.trial(person, number + 1, "validation accuracy")
    return house.session(person).trials[number].id, pressed


def _submission(steps: Sequence[Step], searched: Sequence[Step], trial: int, pressed: float) -> Submission:
    started = next(step.began for step in steps if step.job == f"trial:{trial}")
    meanwhile = [step.seconds for step in searched if step.ended > pressed and step.began < started]
    return Submission(started - pressed, max(meanwhile, default=0.0))


def _status(house: House) -> BaselineStatus:
    (found,) = house.running.searchers.statuses()
    return found


def _is_ended(house: House, baseline: int) -> bool:
    return all(view.state.is_finished for view in baselines.members(house.store, baseline))


def report(found: Found, plan: Plan, console: Console) -> None:
    """Print what came of it."""
    console.print(f"\n{plan.count} random settings, up to {plan.most_epochs} epochs, in {found.seconds:,.0f} s")
    console.print(", ".join(f"{count} {state}" for state, count in sorted(found.states.items())))
    console.print(f"Accuracy {found.mean:.1f} ± {found.sd:.1f} % (mean ± sd of {len(found.accuracies)})")
    for low in range(0, 100, 10):
        count = sum(low <= each < low + 10 or each == 100 == low + 10 for each in found.accuracies)
        console.print(f"{low:3d}–{low + 10:3d} %  {count:3d}  {'█' * round(50 * count / len(found.accuracies))}")
    table = Table(title="A person's submissions: seconds from Submit to the first step")
    for name in ("slots", "submissions", "median", "longest", "longest step meanwhile", "for the baseline, at most"):
        table.add_column(name, justify="right")
    for slots, submissions in (("idle", found.alone), ("all busy with searchers", found.beside)):
        waits = [each.waited for each in submissions]
        table.add_row(
            slots,
            str(len(waits)),
            f"{statistics.median(waits):.3f}",
            f"{max(waits):.3f}",
            f"{max(each.longest_step for each in submissions):.3f}",
            f"{max(each.waited for each in submissions) - found.usual_wait:.3f}",
        )
    console.print(table)
    longer = sum(each.waited - found.usual_wait > each.longest_step for each in found.beside)
    console.print(
        f"Waited longer than with idle slots (median {found.usual_wait:.3f} s) by more than one step: "
        f"{longer} of {len(found.beside)}. The longest of {found.steps:,} steps took {found.longest_step:.3f} s."
    )


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.baseline", description=__doc__)
    options.add_argument("--count", type=int, help="settings drawn at random")
    options.add_argument("--epochs", type=int, help="of each of them at most")
    options.add_argument("--quick", action="store_true", help="only see whether it runs")
    options.add_argument("--output", type=Path, default=Path("baseline.json"), help="the file of JSON")
    given = options.parse_args()
    usual = QUICK if given.quick else Plan()
    plan = replace(usual, count=given.count or usual.count, most_epochs=given.epochs or usual.most_epochs)
    console, load_before = Console(width=110), os.getloadavg()[0]
    found = measure(plan, console)
    report(found, plan, console)
    result = {
        "plan": asdict(plan),
        "load_average": {"before": load_before, "after": os.getloadavg()[0]},
        "mean": found.mean,
        "sd": found.sd,
        **asdict(found),
    }
    given.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"Written to {given.output}; the load average was {load_before:.1f} before.")


if __name__ == "__main__":
    main()
