"""Random sequences of transitions: after each, what is in the database adds up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import col, select

from storage import alerts
from storage.database import Store
from storage.queries.due import due
from storage.refusals import Refused
from storage.schema.comments import Comment, Remark
from storage.schema.states import JobKind, NoticeKind, SessionState, TrialState
from storage.schema.tables import Participant, Session
from storage.transitions import (
    baselines,
    choices,
    evaluations,
    jobs,
    notices,
    participants,
    queue,
    recovery,
    sessions,
    studies,
    trials,
)
from storage.transitions.jobs import Ending, Job
from tests.storage.books import Books
from training.hyperparameters import Configuration

SEATS = 2
SEEDS = (1, 2)
GRACE = timedelta(minutes=10)
WARNINGS = (timedelta(minutes=30), timedelta(minutes=10))
CONFIGURATION = Configuration.create({"epochs": 1, "batch_size": 8, "loss": "nll", "optimizer": "sgd"})
COMMENTS = {"epochs": Remark(Comment.GUESS)}
PEOPLE = st.integers(1, 4)
ENDED_WELL = Ending(TrialState.COMPLETE, accuracy=50.0)
ENDINGS = st.sampled_from(
    [
        ENDED_WELL,
        Ending(TrialState.CANCELLED),
        Ending(TrialState.DIVERGED),
        Ending(TrialState.FAILED, reason="broken", our_fault=True),
    ]
)


@contextmanager
def maybe_refused() -> Iterator[None]:
    """A refusal is an answer and has a sentence; any other exception is a fault."""
    sentence = "."
    try:
        yield
    except Refused as refused:
        sentence = str(refused)
    assert sentence.endswith((".", "!"))


WHICH = st.integers(0, 3)
RESEARCHER = "researcher-1"


class Study(RuleBasedStateMachine):
    """Participants, researchers, searchers, clocks and workers do anything at any time, also with old claims."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.now = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
        self.claims: list[Job] = []
        self.deleted: set[int] = set()
        self.posted: list[tuple[int, NoticeKind]] = []
        self.amended = 0
        studies.prepare_study(self.store, name="s", rules="", rules_hash="h", now=self.now)

    def teardown(self) -> None:
        self.store.close()

    @initialize()
    def begins(self) -> None:
        """People tune, and searchers search: what follows starts in the middle."""
        studies.open_study(self.store, actor=RESEARCHER, now=self.now)
        for number in range(1, 5):
            each = participants.invite(self.store, slack_user=f"U{number}", slack_channel="D", now=self.now)
            participants.consent(self.store, each.id, consent_hash="c", now=self.now)
            participants.describe(
                self.store,
                each.id,
                months=number,
                education="",
                answers={},
                tasks=["t", "u"],
                group="medium",
                block_seed=1,
                now=self.now,
            )
        for person in (1, 2):
            self.start(person)
            self.submit(person - 1)
            self.work(1, ENDED_WELL)
        self.search_at_random(2)
        self.search_by_tpe()
        self.next_member()

    # A rule mostly acts on something that is there and goes on, so that it is not always refused.

    def unfinished(self, which: int, *, searchers: bool) -> int:
        with self.store.read() as transaction:
            whose = col(Participant.baseline_id)
            query = select(Session.id).join(Participant).where(Session.state != SessionState.FINISHED)
            query = query.where(whose.is_not(None) if searchers else whose.is_(None)).order_by(col(Session.id))
            found = transaction.exec(query).all()
        return found[which] if which < len(found) else which + 1

    def claimed(self, which: int) -> Job | None:
        return self.claims[-1 - which] if which < len(self.claims) else None

    # The study

    @rule(deed=st.sampled_from(["resume"] * 4 + ["open", "prepare", "amend", "pause", "close"]))
    def researchers_run_it(self, deed: str) -> None:
        with maybe_refused():
            match deed:
                case "open":
                    studies.open_study(self.store, actor=RESEARCHER, now=self.now)
                case "pause":
                    studies.pause_study(self.store, actor=RESEARCHER, now=self.now)
                case "resume":
                    studies.resume_study(self.store, actor=RESEARCHER, now=self.now)
                case "close":
                    studies.close_study(self.store, actor=RESEARCHER, now=self.now)
                case "amend":
                    self.amend()
                case "prepare":
                    study = studies.newest_study(self.store)
                    assert study is not None
                    rules = study.rules_hash
                    studies.prepare_study(self.store, name="s", rules="", rules_hash=rules, now=self.now)

    def amend(self) -> None:
        studies.amend_study(
            self.store,
            name=f"amendment {self.amended}",
            reason="why not",
            rules="",
            rules_hash=f"h{self.amended + 1}",
            actor=RESEARCHER,
            now=self.now,
        )
        self.amended += 1

    # People

    @rule(minutes=st.sampled_from([1, 1, 20, 61]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(person=PEOPLE)
    def start(self, person: int) -> None:
        with maybe_refused():
            sessions.begin(self.store, person, task="t", limit=timedelta(hours=1), seats=SEATS, now=self.now)

    @rule(person=PEOPLE)
    def join(self, person: int) -> None:
        with maybe_refused():
            queue.join(self.store, person, now=self.now)

    @rule()
    def call(self) -> None:
        queue.call_next(self.store, seats=SEATS, now=self.now)

    @rule(which=WHICH)
    def submit(self, which: int) -> None:
        session = self.unfinished(which, searchers=False)
        with maybe_refused():
            trials.submit(self.store, session, configuration=CONFIGURATION, comments=COMMENTS, now=self.now)

    @rule(trial=st.integers(1, 12))
    def cancel(self, trial: int) -> None:
        with maybe_refused():
            trials.cancel(self.store, trial, now=self.now)

    @rule(which=WHICH)
    def expire(self, which: int) -> None:
        session = self.unfinished(which, searchers=False)
        with maybe_refused():
            sessions.expire(self.store, session, grace=GRACE, now=self.now)

    @rule(which=WHICH, choice=st.sampled_from([1, 2, CONFIGURATION]))
    def choose(self, which: int, choice: int | Configuration) -> None:
        session = self.unfinished(which, searchers=False)
        with maybe_refused():
            choices.choose(self.store, session, choice=choice, seeds=SEEDS, training_images=100, now=self.now)

    @rule(which=WHICH)
    def choose_by_clock(self, which: int) -> None:
        session = self.unfinished(which, searchers=False)
        with maybe_refused():
            choices.choose_by_clock(self.store, session, seeds=SEEDS, now=self.now)

    @rule(
        person=st.sampled_from([0] * 6 + [1, 2, 3, 4, 5]),
        delete_data=st.booleans(),
        actor=st.sampled_from([None, RESEARCHER]),
    )
    def withdraw(self, person: int, delete_data: bool, actor: str | None) -> None:
        with maybe_refused():
            participants.withdraw(self.store, person, delete_data=delete_data, actor=actor, now=self.now)
            self.deleted |= {person} if delete_data else set()

    # Researchers

    @rule(which=WHICH, deed=st.sampled_from([timedelta(minutes=1), timedelta(minutes=30), "cancel"]))
    def researchers_intervene(self, which: int, deed: timedelta | str) -> None:
        session = self.unfinished(which, searchers=which == 3)
        with maybe_refused():
            if isinstance(deed, timedelta):
                sessions.extend_by_researcher(self.store, session, deed, actor=RESEARCHER, now=self.now)
            else:
                sessions.cancel_session(self.store, session, actor=RESEARCHER, now=self.now)

    @rule()
    def evaluate(self) -> None:
        evaluations.retry_failed(self.store, actor=RESEARCHER, now=self.now)
        assert evaluations.ensure(self.store, seeds=SEEDS, now=self.now) == 0

    @rule(kind=st.sampled_from(["worker_lost", "disk_full"]), seen=st.integers(1, 3))
    def break_and_acknowledge(self, kind: str, seen: int) -> None:
        alerts.raise_alert(self.store, kind=kind, text="It broke.", now=self.now)
        with maybe_refused():
            alerts.acknowledge(self.store, seen, actor=RESEARCHER, now=self.now)

    # Searchers

    @rule(count=st.integers(1, 3))
    def search_at_random(self, count: int) -> None:
        with maybe_refused():
            baselines.start_random(
                self.store,
                task="t",
                configurations=[CONFIGURATION] * count,
                seed=1,
                training_seed=10,
                actor=RESEARCHER,
                now=self.now,
            )

    @rule()
    def search_by_tpe(self) -> None:
        with maybe_refused():
            baselines.start_tpe(
                self.store, task="t", wanted=2, tries=2, seconds=None, seed=1, actor=RESEARCHER, now=self.now
            )

    @rule()
    def next_member(self) -> None:
        for baseline in baselines.running(self.store):
            with maybe_refused():
                baselines.next_member(self.store, baseline.id, training_seed=10, now=self.now)

    @rule(which=WHICH)
    def search(self, which: int) -> None:
        session = self.unfinished(which, searchers=True)
        with maybe_refused():
            baselines.submit(self.store, session, CONFIGURATION, now=self.now)

    @rule(which=WHICH)
    def searcher_ends(self, which: int) -> None:
        session = self.unfinished(which, searchers=True)
        with maybe_refused():
            baselines.choose(self.store, session, seeds=SEEDS, now=self.now)
        with maybe_refused():
            baselines.end_random(self.store, session, now=self.now)

    @rule(really=st.sampled_from([False, False, False, True]))
    def stop_baselines(self, really: bool) -> None:
        if really:
            with maybe_refused():
                baselines.stop(self.store, actor=RESEARCHER, now=self.now)

    # Workers, and the bot itself

    @rule(slot=st.integers(0, 1), kinds=st.sampled_from([tuple(JobKind), tuple(JobKind), (JobKind.TRIAL,)]))
    def claim(self, slot: int, kinds: tuple[JobKind, ...]) -> None:
        job = jobs.claim(self.store, now=self.now, slot=slot, kinds=kinds)
        if job is not None:
            assert len(kinds) > 1 or not job.of_searcher
            self.claims.append(job)

    @rule(count=st.integers(1, 3), ending=st.one_of(st.just(ENDED_WELL), ENDINGS))
    def work(self, count: int, ending: Ending) -> None:
        """A slot takes what is next, and brings it to its end."""
        for _ in range(count):
            self.claim(2, tuple(JobKind))
            job = self.claimed(0)
            if job is not None:
                self.record(0, 1)
                self.finish(0, ending)

    @rule(which=st.integers(0, 5), epoch=st.integers(1, 2))
    def record(self, which: int, epoch: int) -> None:
        job = self.claimed(which)
        if job is not None:
            jobs.record_epoch(
                self.store,
                job,
                epoch=epoch,
                batch_losses=[1.0],
                training_loss=1.0,
                validation_accuracy=None,
                seconds=1.0,
            )

    @rule(which=st.integers(0, 5), ending=ENDINGS)
    def finish(self, which: int, ending: Ending) -> None:
        job = self.claimed(which)
        if job is not None:
            with maybe_refused():
                jobs.finish(self.store, job, ending, now=self.now)

    @rule(which=st.integers(0, 5))
    def lose(self, which: int) -> None:
        job = self.claimed(which)
        if job is not None:
            with maybe_refused():
                jobs.lost(self.store, job, now=self.now)

    @rule()
    def sweep(self) -> None:
        """What is due is done, and then nothing is due."""
        found = due(self.store, warnings=WARNINGS, now=self.now)
        for session in found.warnings:
            sessions.warn(self.store, session, warnings=WARNINGS, now=self.now)
        for session in found.expired:
            sessions.expire(self.store, session, grace=GRACE, now=self.now)
        for session in found.unanswered:
            choices.choose_by_clock(self.store, session, seeds=SEEDS, now=self.now)
        after = due(self.store, warnings=WARNINGS, now=self.now)
        assert (after.warnings, after.expired, after.unanswered) == ((), (), ())
        assert after.next_at is None or after.next_at > self.now

    @rule(count=st.integers(1, 5))
    def post(self, count: int) -> None:
        """The messages of the first notices are posted."""
        for notice in notices.pending(self.store)[:count]:
            self.posted.append((notice.participant_id, notice.kind))
            notices.done(self.store, notice.id)

    @rule()
    def beat(self) -> None:
        recovery.heartbeat(self.store, now=self.now)

    @rule()
    def restart(self) -> None:
        recovery.reconcile(self.store, now=self.now)

    @invariant()
    def books_balance(self) -> None:
        books = Books(self.store, self.deleted, self.posted, seats=SEATS, seeds=SEEDS, comments=len(COMMENTS))
        books.balance()


@pytest.fixture
def begin_on(make_url: Callable[[str], str], request: pytest.FixtureRequest) -> Callable[[str], Study]:
    """Begins a sequence with a database of a kind, which has nothing in it."""

    def begin(kind: str) -> Study:
        if kind == "sqlite":
            return Study(Store(make_url("sqlite")))
        return Study(Store(request.getfixturevalue("postgresql").emptied()))

    return begin


_SEQUENCES = [
    ("sqlite", 4),
    pytest.param("sqlite", 24, marks=pytest.mark.long),
    pytest.param("postgresql", 8, marks=pytest.mark.long),
]


@pytest.fixture(autouse=True)
def known_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same calls give the same assignments, so that a sequence that breaks something can be repeated."""
    monkeypatch.setattr("storage.allocation.token_hex", lambda size: "5a" * size)


@pytest.mark.parametrize(("kind", "sequences"), _SEQUENCES)
def test_no_sequence_of_calls_breaks_the_study(begin_on, kind, sequences):
    run_state_machine_as_test(
        lambda: begin_on(kind),
        settings=settings(
            max_examples=sequences,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
