"""A study without Slack: its database, participants who tune, and real workers that train."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.runner.dispatcher import Dispatcher
from bot.runner.running_jobs import RunningJobs
from storage.database import Store
from storage.schema.states import TrialState
from storage.schema.tables import Session, Trial
from storage.transitions import choices, participants, sessions, studies, trials
from storage.transitions.jobs import Job
from tests.storage.databases import make_sqlite
from tests.warm_workers import TASKS, BorrowedWorkers, WarmWorkers, kill
from training.hyperparameters import Configuration
from training.tasks import DIGITS_SQUEEZENET, Task
from training.workers import Failed, LocalWorkers, Workers

ROOT = Path(__file__).parents[3]


class Watching:
    """Remembers what the dispatcher tells.

    Attributes:
        workers: Where the jobs run.
        on_moved: Is called at every step of a job, on the dispatcher's thread.
        others_at_end: The epochs of the other running jobs in the moment when a job ended, by its key and theirs.
    """

    def __init__(self, workers: LocalWorkers | BorrowedWorkers, jobs: RunningJobs) -> None:
        self.workers = workers
        self._jobs = jobs
        self.on_moved: Callable[[Job], None] = lambda job: None
        self.others_at_end: dict[str, dict[str, int]] = {}
        self.ended: list[str] = []
        self.lost: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.slots: list[tuple[int, str]] = []
        self.errors: list[Exception] = []

    def job_moved(self, job: Job) -> None:
        self.on_moved(job)

    def job_ended(self, job: Job) -> None:
        others = {each.job.key: each.epoch for each in self._jobs.all() if each.job.key != job.key}
        self.others_at_end[job.key] = others
        self.ended.append(job.key)

    def job_lost(self, job: Job) -> None:
        self.lost.append(job.key)

    def job_failed(self, job: Job, failed: Failed) -> None:
        self.failed.append((job.key, failed.detail))

    def slot_failed(self, slot: int, reason: str) -> None:
        self.slots.append((slot, reason))

    def loop_failed(self, error: Exception) -> None:
        self.errors.append(error)


def kill_once_it_trains(jobs: RunningJobs, watching: Watching) -> Callable[[Job], None]:
    """For :attr:`Watching.on_moved`: kill the worker of slot 0 when it has told its first losses, and never again."""
    killed: list[str] = []

    def look(job: Job) -> None:
        progress = jobs.progress(job.key)
        if not killed and progress is not None and progress.batch_losses:
            killed.append(job.key)
            kill(watching.workers, 0)

    return look


class Running:
    """A study file, its database, and participants who tune without Slack."""

    def __init__(self, folder: Path, warm_workers: WarmWorkers) -> None:
        self.folder = folder
        self._warm_workers = warm_workers
        text = (ROOT / "study.toml").read_text(encoding="utf-8")
        database = f"sqlite:///{folder / 'study.db'}"
        self.file = folder / "study.toml"
        self.file.write_text(text.replace("sqlite:///blackmagic.db", database), encoding="utf-8")
        (folder / "consent.md").write_text("Please agree.", encoding="utf-8")
        make_sqlite(folder / "study.db")
        self.store = Store(database)
        studies.prepare_study(self.store, name="Black Magic", rules="", rules_hash="a" * 64, now=now())
        studies.open_study(self.store, actor="researcher-1", now=now())
        self._people = itertools.count(1)

    def seated(self, task: str = "digits-squeezenet") -> Session:
        """A new participant's session."""
        name = f"{next(self._people):04}"
        person = participants.invite(self.store, slack_user=f"U{name}", slack_channel=f"D{name}", now=now())
        participants.consent(self.store, person.id, consent_hash="c", now=now())
        participants.describe(
            self.store,
            person.id,
            months=6,
            education="doctorate",
            answers={},
            tasks=[task],
            group="medium",
            block_seed=1,
            now=now(),
        )
        return sessions.begin(self.store, person.id, task=task, limit=timedelta(hours=2), seats=9, now=now())

    def submit(self, session: Session, wanted: Configuration) -> Trial:
        return trials.submit(self.store, session.id, configuration=wanted, comments={}, now=now())

    def choose(self, session: Session, wanted: Configuration, seeds: Sequence[int]) -> int:
        """Make the final choice; returns its number."""
        chosen = choices.choose(self.store, session.id, choice=wanted, seeds=seeds, training_images=1437, now=now())
        return chosen.choice.id

    @contextmanager
    def jobs(
        self,
        *tasks: Task,
        slots: int = 1,
        mixed_devices: bool = False,
        warming: float = 300,
        around: Callable[[Workers], Workers] = lambda workers: workers,
    ) -> Iterator[tuple[RunningJobs, Watching]]:
        """Real workers, or something around them, and the dispatcher that feeds them.

        The workers are borrowed, unless a task is none of theirs.
        """
        tasks = tasks or (DIGITS_SQUEEZENET,)
        borrowed = all(each in TASKS for each in tasks)
        real = self._warm_workers.borrow(slots) if borrowed else LocalWorkers(tasks, slots, warming=warming)
        workers = around(real)
        jobs = RunningJobs(workers)
        watching = Watching(real, jobs)
        dispatcher = Dispatcher(self.store, workers, jobs, watching, mixed_devices=mixed_devices)
        dispatcher.start()
        try:
            yield jobs, watching
        finally:
            dispatcher.close()

    def state(self, trial: Trial) -> TrialState:
        return trials.get(self.store, trial.id).state


def now() -> datetime:
    return datetime.now(UTC)
