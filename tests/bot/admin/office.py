"""The report channel without the rest of the bot: a workspace, a study that a test moves through, a clock it sets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from threading import Condition
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from bot.admin.final_report import FinalReport
from bot.admin.reporter import AdminReporter
from bot.runner.report_files import MadeFile
from bot.sandbox.client.person import Person
from bot.sandbox.client.screen import Message
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.settings.settings import Settings
from bot.slack.client import PacedClient, Slack
from bot.slack.rate_limiter import RateLimiter
from storage.database import Store
from storage.schema.states import JobKind, TrialState
from storage.schema.tables import Participant, Session
from storage.transitions import choices, evaluations, jobs, participants, recovery, sessions, studies, trials
from tests.storage.databases import make_sqlite
from training.hyperparameters import Configuration

PATIENCE = 60.0
UNHURRIED = Rules(limits=None)
"""A workspace that takes any number of posts a second."""

VALUES = {"epochs": 1, "batch_size": 512, "loss": "cross_entropy", "optimizer": "sgd", "learning_rate": 0.01}


class Bells:
    """A clock that rings when a test says so."""

    def __init__(self) -> None:
        self.days: list[Callable[[datetime], None]] = []

    def every(self, seconds: float, doing: str, do: Callable[[], None]) -> None:
        """The disk of the machine that tests is nobody's affair."""

    def daily(self, at: time, zone: ZoneInfo, doing: str, do: Callable[[datetime], None]) -> None:
        self.days.append(do)

    def ring(self, moment: datetime) -> None:
        """It is the time of day, at this moment."""
        for do in self.days:
            do(moment)


@dataclass
class Office:
    """The report channel of a study that is kept in a file."""

    study_file: Path
    workspace: LocalWorkspace
    now: datetime
    store: Store = field(init=False)
    settings: Settings = field(init=False)
    admins: AdminReporter = field(init=False)
    bells: Bells = field(init=False)
    newcomers: int = 0
    passes: int = 0
    _told: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        self.settings = Settings.load(self.study_file)
        path = Path(str(make_url(self.settings.machine.database).database))
        if not path.exists():
            make_sqlite(path)
        self.store = Store(self.settings.machine.database)
        rules = {"rules": self.settings.rules(), "rules_hash": self.settings.rules_hash()}
        studies.prepare_study(self.store, name=self.settings.study.name, **rules, now=self.now)

    # The report channel

    def open(self, *, recover: bool = False) -> None:
        """Start to tell; with ``recover`` after the recovery from the last stop, as the bot does it."""
        self.limiter = RateLimiter(per_channel=None)
        client = PacedClient(self.workspace.bot_token, self.workspace.api_url, self.limiter)
        client.timeout = 5
        self.admins = AdminReporter(self.settings, self.store, Slack(client), lambda: self.now)
        self.limiter.on_limited = self.admins.slack_limits
        self.bells = Bells()
        self._count_passes()
        self.admins.begin()
        if recover:
            recovery.reconcile(self.store, now=self.now)
        self.admins.start(self.bells)

    def _count_passes(self) -> None:
        tell = self.admins._digests.tell  # what is told last

        def counted() -> None:
            tell()
            with self._told:
                self.passes += 1
                self._told.notify_all()

        self.admins._digests.tell = counted

    def close(self) -> None:
        """Tell no more."""
        self.admins.close()
        self.limiter.close()

    def restart(self, *, recover: bool = False) -> None:
        self.close()
        self.open(recover=recover)

    def go_offline(self) -> tuple[int, Rules]:
        """Stop the workspace. Returns what is needed to start it again."""
        port, rules = int(self.workspace.url.rpartition(":")[2]), self.workspace.rules
        self.workspace.stop()
        return port, rules

    def come_back(self, port: int, rules: Rules) -> None:
        """Slack can be reached again; it has forgotten everything but who is there."""
        self.workspace = LocalWorkspace(port, rules=rules)
        self.workspace.start()

    @property
    def admin(self) -> Person:
        return self.workspace.person("Admin")

    @property
    def channel(self) -> str:
        return self.workspace.channel_id("study-reports")

    @property
    def posts(self) -> list[Message]:
        """The posts in the report channel, except for the one that the bot has started."""
        found = self.admin.messages(self.channel)
        return [each for each in found if not each.deleted and not each.text.startswith("I have started")]

    def told(self, words: str, *, gone: str | None = None) -> Message:
        """Wait for a post with these words, and without those."""

        def look() -> Message | None:
            self.admins.wake()
            for each in reversed(self.admin.messages(self.channel)):
                said = each.text_of_everything
                if words in said and (gone is None or gone not in said) and not each.deleted:
                    return each
            return None

        return self.admin.wait_until(
            look, PATIENCE, lambda: f"“{words}”; there is {[each.text for each in self.posts]}"
        )

    def quiet(self) -> list[Message]:
        """The posts, once everything was told that was due until now."""
        self._wait_for_pass()  # may have begun before
        self._wait_for_pass()
        return self.posts

    def _wait_for_pass(self) -> None:
        with self._told:
            enough = self.passes + 1
            self.admins.wake()
            assert self._told.wait_for(lambda: self.passes >= enough, PATIENCE), "nothing is told any more"

    # The study

    def later(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now

    def described(self, months: float = 6) -> Participant:
        """Somebody who may begin."""
        self.newcomers += 1
        user, channel = f"U{self.newcomers:07}X", f"D{self.newcomers:07}X"
        person = participants.invite(self.store, slack_user=user, slack_channel=channel, now=self.now)
        participants.consent(self.store, person.id, consent_hash="c", now=self.now)
        told = {"months": months, "education": "doctorate", "answers": {}}
        group, tasks = self.settings.groups.group(months), self.settings.study.task
        given = {"tasks": tasks, "group": group, "block_seed": 1}
        return participants.describe(self.store, person.id, **told, **given, now=self.now)

    def seated(self, months: float = 6) -> Session:
        """Somebody whose time runs."""
        person = self.described(months)
        task, limit = self.settings.study.task[0], timedelta(minutes=self.settings.time.limit_minutes)
        return sessions.begin(self.store, person.id, task=task, limit=limit, seats=999, now=self.now)

    def tried(self, session: Session, accuracy: float = 50.0) -> None:
        """A trial of a session, trained to its end."""
        configuration = Configuration.create(VALUES)
        trials.submit(self.store, session.id, configuration=configuration, comments={}, now=self.now)
        self.run(JobKind.TRIAL, TrialState.COMPLETE, accuracy)

    def chosen(self, session: Session) -> None:
        """A session ends with its first trial; the evaluations wait."""
        seeds = self.settings.training.evaluation_seeds
        chosen = {"choice": 1, "seeds": seeds, "training_images": 1437}
        choices.choose(self.store, session.id, **chosen, now=self.now)

    def run(self, kind: JobKind, state: TrialState, accuracy: float | None = None) -> jobs.Job:
        """The next job that waits comes to its end."""
        job = jobs.claim(self.store, now=self.now, slot=0)
        assert job is not None
        assert job.kind is kind
        reason = None if accuracy is not None else "No."
        jobs.finish(self.store, job, jobs.Ending(state, accuracy=accuracy, reason=reason, seconds=1.0), now=self.now)
        return job

    def evaluated(self, *accuracies: float) -> None:
        """So many evaluations are run, with these test accuracies."""
        for each in accuracies:
            job = self.run(JobKind.EVALUATION, TrialState.COMPLETE, each)
            self.admins.evaluated(job.session_id)

    def finished(self, months: float, accuracy: float) -> Session:
        """Somebody comes, tries once, finishes, and is evaluated."""
        session = self.seated(months)
        self.tried(session)
        self.chosen(session)
        due = len(evaluations.due(self.store))
        self.evaluated(*[accuracy] * due)
        return session


def small_report(database: str, study_id: int, folder: Path, name: str) -> FinalReport:
    """As quick as a report can be."""
    page = folder / "report.html"
    page.write_text("<p>A page.</p>", encoding="utf-8")
    return FinalReport(f"Study {study_id}", (f"Of {Path(database).name}: {name}.",), (MadeFile(page),))


def broken_report(*_: object) -> FinalReport:
    """Fails, with a name in its text."""
    raise RuntimeError("Somebody's statistics")
