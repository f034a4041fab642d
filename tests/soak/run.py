"""One run: people take part while faults happen; then everybody comes to an end, and the books are compared."""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.client.person import Person
from bot.settings.settings import Settings
from storage.database import Store
from storage.queries import history
from storage.schema.states import JobKind, TrialState
from tests.bot.few_digits import TASK, write_digits
from tests.bot.researcher.asking import answer, ask
from tests.bot.study_file import write_study
from tests.soak import record
from tests.soak.books import Books
from tests.soak.bot_process import BotProcess
from tests.soak.checks import Found, check
from tests.soak.faults import Saboteur
from tests.soak.people import Chair
from tests.soak.plan import Fault, plan
from tests.soak.record import Record
from tests.soak.workspace import WorkspaceProcess

SLOTS = 2
CHAIRS = 4
SEEDS = (1, 2)
LIMIT_MINUTES, GRACE_MINUTES = 3.0, 0.75

_SETTLE_SECONDS = 420.0
_CLOSING_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        replayed, different: How many complete trials were trained again, and what differed.
        starts: How long each start of the bot took, in seconds.
        folder: Where the database and the log are.
    """

    books: Books
    record: Record
    found: Found
    replayed: int
    starts: list[float]
    folder: Path


def soak(seconds: float, seed: int, *, replays: int, tell: Callable[[str], None]) -> Outcome:
    """Do it.

    Args:
        seconds: How long faults happen.
        seed: Of the plan, and of what people do.
        replays: How many complete trials are trained again at most.
        tell: Is told in a line how far it is.
    """
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    tell(f"The database and the log are in {folder}.")
    books, calm, stopped = Books(), threading.Event(), threading.Event()
    with WorkspaceProcess() as workspace, start_bot(folder, workspace, books) as bot:
        bot.wait_until_up()
        researcher = Person(workspace.url, workspace.researcher)
        answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
        tell(f"The study is open. The bot needed {bot.starts[0]:.1f} s to start.")
        chairs = [
            Chair(number, workspace.url, workspace.join, books, seed, calm, stopped) for number in range(1, CHAIRS + 1)
        ]
        for each in chairs:
            each.start()
        saboteur = Saboteur(bot, workspace, folder / "study.db", books)
        progress = threading.Thread(target=_report, args=(books, stopped, tell), daemon=True)
        progress.start()
        saboteur.run(plan(seconds, seed), stopped)
        saboteur.close()
        calm.set()
        bot.wait_until_up()
        tell("No more faults. Everybody submits once more, and finishes.")
        deadline = time.monotonic() + _SETTLE_SECONDS
        for each in chairs:
            each.join(max(0.0, deadline - time.monotonic()))
        stopped.set()
        for each in chairs:
            each.join(_CLOSING_SECONDS)
            if each.is_alive() and each.now is not None:
                books.failed(f"{each.now.person.id} {each.now.doing}: not within {_SETTLE_SECONDS:g} s")
        people = [Person(workspace.url, user) for each in chairs for user in each.people]
        database = f"sqlite:///{folder / 'study.db'}"
        _wait_until_done(database, deadline)
        found_record = record.read(database, people, folder / "bot.log")
        if bot.stop() != 0:
            books.failed("the bot did not stop in order")
    for code in bot.exits:
        books.failed(f"the bot ended by itself with exit code {code}")
    for error in saboteur.errors:
        books.failed(f"the harness met an error: {error!r}")
    found = check(books, found_record, SEEDS)
    replayed, different = _replay(Settings.load(folder / "study.toml"), found_record, replays)
    found.other += different
    return Outcome(books, found_record, found, replayed, bot.starts, folder)


def start_bot(folder: Path, workspace: WorkspaceProcess, books: Books) -> BotProcess:
    """Start a bot whose study, database and log are in a folder; the study is written there if it is not."""
    tokens = {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
    }
    study = folder / "study.toml"
    return BotProcess(
        study if study.exists() else _write_study(folder, workspace),
        tokens,
        folder / "bot.log",
        lambda: workspace.connections() > 0,
        lambda begun, ended: books.out(Fault.KILL_BOT, begun, ended),
    )


def _write_study(folder: Path, workspace: WorkspaceProcess) -> Path:
    study = write_study(
        folder,
        task="few-digits",
        data="images",
        database=f"sqlite:///{folder / 'study.db'}",
        report_channel=workspace.reports,
        researchers=[workspace.researcher],
        slots=SLOTS,
        limit_minutes=LIMIT_MINUTES,
        warnings_minutes=[1],
        grace_minutes=GRACE_MINUTES,
        evaluation_seeds=list(SEEDS),
    )
    write_digits(folder / "images" / "digits")
    study.write_text(study.read_text(encoding="utf-8") + TASK, encoding="utf-8")
    return study


def _report(books: Books, stopped: threading.Event, tell: Callable[[str], None]) -> None:
    begun = time.monotonic()
    while not stopped.wait(30):
        kills = f"{books.counts.get(Fault.KILL_BOT, 0)} + {books.counts.get(Fault.KILL_WORKER, 0)} kills"
        tell(
            f"{time.monotonic() - begun:5.0f} s: {kills}, {len(books.submissions)} forms sent, "
            f"{books.went_on} people came to their end."
        )


def _wait_until_done(database: str, deadline: float) -> None:
    """Wait until every evaluation has ended and every notice is posted, or until the time is over."""
    store = Store(database)
    try:
        while time.monotonic() < deadline + _CLOSING_SECONDS:
            if record.is_quiet(store):
                return
            time.sleep(0.5)
    finally:
        store.close()


def _replay(settings: Settings, found: Record, most: int) -> tuple[int, list[str]]:
    """Train complete trials again, evenly chosen, and compare them with the record bit for bit."""
    import torch  # here, since it takes seconds and memory that the bot can use until then

    from training.images.data import load
    from training.loop import train
    from training.reproducibility.environment import prepare
    from training.reproducibility.replay import RecordedEpoch, compare
    from training.trial import TrialRequest

    complete = [each for each in found.trials if each.state is TrialState.COMPLETE]
    chosen = complete[:: max(1, -(-len(complete) // most))] if most else []
    prepare(torch.device("cpu"), settings.training.threads_per_slot)
    task = settings.all_tasks()["few-digits"]
    data = load(task, torch.device("cpu"))
    store = Store(settings.machine.database)
    different = []
    try:
        for each in chosen:
            view = history.trial_view(store, each.id)
            epochs = [
                RecordedEpoch(epoch.number, epoch.batch_losses, epoch.validation_accuracy)
                for epoch in history.epochs_of(store, JobKind.TRIAL, each.id)
            ]
            request = TrialRequest(task.name, view.configuration, settings.training.seed)
            last = list(compare(epochs, train(request, data)))[-1]
            if last.difference is not None or len(epochs) != view.configuration.epochs:
                different.append(f"trial {each.id} is not the same when it is trained again: {last.difference}")
    finally:
        store.close()
    return len(chosen), different
