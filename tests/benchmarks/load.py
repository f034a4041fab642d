"""``python -m tests.benchmarks.load``: many people at once, and a start with much that is stored.

The workspace, the bot and the people are a process each. First 200 people press a button at the same moment, several
times, while two trials train: told is how long each of them waits for the acknowledgement. Then the bot starts on a
database with 1,000 open sessions and 100,000 trials: told is how long it takes to be connected, and its memory then
and a minute later.
"""

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from slack_sdk import WebClient
from sqlalchemy import insert

from bot.commands.simulated.tuning import Attempt
from bot.sandbox.client.person import Person, WorkspaceError
from bot.sandbox.client.screen import Message
from storage.database import Store
from storage.schema.states import ParticipantState, SessionState, TrialState
from storage.schema.tables import Identity, Participant, Session, Trial
from tests.bot.researcher.asking import answer, ask
from tests.reports.bulk_rows import run as run_columns
from tests.soak.books import Books
from tests.soak.bot_process import BotProcess
from tests.soak.people import NotingPerson, Part, attempt
from tests.soak.people import Participant as Simulated
from tests.soak.run import start_bot
from tests.soak.workspace import WorkspaceProcess
from training.hyperparameters import Configuration

_PATIENCE = 300.0
_VALUES = {"epochs": 1, "batch_size": 64, "loss": "cross_entropy", "optimizer": "sgd", "learning_rate": 0.01}


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    people: int = 200
    rounds: int = 5
    sessions: int = 1000
    trials: int = 100
    rest: float = 60.0


QUICK = Plan(people=20, rounds=1, sessions=20, trials=10, rest=1.0)


@dataclass(frozen=True)
class Presses:
    """Milliseconds until a press was acknowledged, and how many never were."""

    p50: float
    p99: float
    most: float
    unanswered: int


@dataclass(frozen=True)
class Start:
    """A start of the bot: seconds until it is connected, and its memory then and later, in MiB."""

    seconds: float
    memory: float
    memory_later: float


class Trainer(Simulated):
    """Lets a trial train until the end of the run."""

    def _next_attempt(self) -> Attempt:
        return attempt(self._chance, endless=True, given_up=False)


def press_at_once(workspace: WorkspaceProcess, bot: BotProcess, plan: Plan) -> Presses:
    """Let people press, while two trials train."""
    stopped, books = threading.Event(), Books()
    trainers = []
    for number in (1, 2):
        person = NotingPerson(workspace.url, workspace.join(f"Trainer {number}"), books, Random(number))
        trainers.append(
            Trainer(person, Part.FINISHES, books, Random(number), threading.Event(), stopped)  # never calm
        )
        trainers[-1].start()
    for each in trainers:
        each.person.wait_for("training, epoch", _PATIENCE)
    people = [Person(workspace.url, workspace.join(f"Presses {number}")) for number in range(plan.people)]
    buttons = [_with_button(workspace, each) for each in people]
    waits: list[float] = []
    unanswered = 0
    with ThreadPoolExecutor(plan.people) as pool:
        for _ in range(plan.rounds):
            gate = threading.Barrier(plan.people)
            for found in pool.map(_time_press, people, buttons, [gate] * plan.people):
                if found is None:
                    unanswered += 1
                else:
                    waits.append(1000 * found)
            time.sleep(5)  # until all are answered
    stopped.set()
    for each in trainers:
        each.join(_PATIENCE)
    ordered = sorted(waits)
    return Presses(statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1], unanswered)


def _with_button(workspace: WorkspaceProcess, person: Person) -> Message:
    """A message with a button of the bot, such as one that somebody else sees."""
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    button = {"type": "button", "action_id": "history_open", "value": "1", "text": {"type": "plain_text", "text": "Go"}}
    posted = client.chat_postMessage(
        channel=person.direct_channel, text="Press", blocks=[{"type": "actions", "elements": [button]}]
    )
    found = person.message(str(posted["ts"]))
    assert found is not None
    return found


def _time_press(person: Person, shown: Message, gate: threading.Barrier) -> float | None:
    gate.wait()
    begun = time.monotonic()
    try:
        person.press(shown, "Go")
    except WorkspaceError:
        return None
    return time.monotonic() - begun


def fill(database: str, users: list[str], trials: int) -> None:
    """Write an open session with so many complete trials for each user."""
    store, now = Store(database), datetime.now(UTC)
    numbers = range(1, len(users) + 1)
    described = {"state": ParticipantState.DESCRIBED, "invited_at": now, "months": 6.0, "task": "few-digits"}
    session = {"task": "few-digits", "seed": 10, "state": SessionState.ACTIVE, "started_at": now}
    session |= {"limit_seconds": 7200.0, "deadline": now + timedelta(hours=2)}
    ended = run_columns(TrialState.COMPLETE, now, 2.0) | {"submitted_at": now, "validation_accuracy": 50.0}
    ended |= Trial.values(Configuration.create(_VALUES)) | {"environment": _environment()}
    with store.write() as transaction:
        rows: list[tuple[Any, list[dict[str, Any]]]] = [
            (Participant, [described | {"id": n, "study_id": 1, "code": f"P{n:03}", "answers": {}} for n in numbers]),
            (
                Identity,
                [
                    {"participant_id": n, "slack_user": user, "slack_channel": f"D{user[1:]}"}
                    for n, user in zip(numbers, users, strict=True)
                ],
            ),
            (Session, [session | {"id": n, "participant_id": n} for n in numbers]),
            (Trial, [ended | {"session_id": n, "number": m} for n in numbers for m in range(1, trials + 1)]),
        ]
        for table, values in rows:
            transaction.connection().execute(insert(table.__table__), values)
    store.close()


def _environment() -> dict[str, Any]:
    """What a trial on this machine runs on: the bot's workers are compared with it."""
    import torch

    from training.reproducibility.environment import current_environment

    torch.set_num_threads(1)
    return asdict(current_environment(torch.device("cpu")))


@contextmanager
def running(folder: Path, workspace: WorkspaceProcess) -> Iterator[BotProcess]:
    """The bot, connected."""
    with start_bot(folder, workspace, Books()) as bot:
        bot.wait_until_up()
        yield bot


def measure(plan: Plan) -> tuple[Presses, Start, Start]:
    """Everything: presses, a start with nothing stored, and one with much."""
    with tempfile.TemporaryDirectory(prefix="load-") as name, WorkspaceProcess() as workspace:
        folder = Path(name)
        with running(folder, workspace) as bot:
            researcher = Person(workspace.url, workspace.researcher)
            answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
            presses = press_at_once(workspace, bot, plan)
    with tempfile.TemporaryDirectory(prefix="load-") as name, WorkspaceProcess() as workspace:
        folder = Path(name)
        with running(folder, workspace) as bot:
            researcher = Person(workspace.url, workspace.researcher)
            answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
            small = Start(bot.starts[0], memory := _memory(bot.pid), memory)
        users = [workspace.join(f"Open {number}") for number in range(plan.sessions)]
        fill(f"sqlite:///{folder / 'study.db'}", users, plan.trials)
        with running(folder, workspace) as bot:
            seconds, memory = bot.starts[0], _memory(bot.pid)
            time.sleep(plan.rest)
            large = Start(seconds, memory, _memory(bot.pid))
    return presses, small, large


def _memory(pid: int) -> float:
    """A process's resident memory in MiB."""
    return float(os.popen(f"ps -o rss= -p {pid}").read()) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything")
    parser.add_argument("--output", type=Path, default=Path("load.json"))
    given = parser.parse_args()
    plan = QUICK if given.quick else Plan()
    presses, small, large = measure(plan)
    table = Table(title=f"{plan.people} people press at once, {plan.rounds} times; milliseconds to the acknowledgement")
    for name in ("p50", "p99", "longest", "unanswered"):
        table.add_column(name, justify="right")
    table.add_row(f"{presses.p50:.0f}", f"{presses.p99:.0f}", f"{presses.most:.0f}", str(presses.unanswered))
    starts = Table(title="Starts of the bot")
    for name in ("stored", "seconds", "MiB", f"MiB {plan.rest:g} s later"):
        starts.add_column(name, justify="right")
    for name, each in (
        ("nothing", small),
        (f"{plan.sessions:,} open sessions, {plan.sessions * plan.trials:,} trials", large),
    ):
        starts.add_row(name, f"{each.seconds:.1f}", f"{each.memory:.0f}", f"{each.memory_later:.0f}")
    Console().print(table, starts)
    found = {"plan": asdict(plan), "presses": asdict(presses), "empty": asdict(small), "full": asdict(large)}
    given.output.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
