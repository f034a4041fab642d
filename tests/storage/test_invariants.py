"""Whatever is called, in whatever order, the study's books balance: random sequences of transitions."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlmodel import select

from storage import choices, events, jobs, participants, recovery, sessions, studies, trials
from storage.database import Store
from storage.jobs import Ending, Job
from storage.refusal import Refused
from storage.states import EventKind, ParticipantState, SessionState, TrialState
from storage.tables import Epoch, Evaluation, FinalChoice, Identity, Participant, Session, Trial
from training.hyperparameters import Configuration

SEATS = 2
SEEDS = (1, 2)
CONFIGURATION = Configuration.create({"epochs": 1, "batch_size": 8, "loss": "nll", "optimizer": "sgd"})
PEOPLE = st.integers(1, 4)
ENDINGS = st.sampled_from(
    [
        Ending(TrialState.COMPLETE, accuracy=50.0),
        Ending(TrialState.CANCELLED),
        Ending(TrialState.DIVERGED),
        Ending(TrialState.FAILED, reason="broken", our_fault=True),
    ]
)


@contextmanager
def maybe_refused() -> Iterator[None]:
    """A refusal is an answer, and must have a sentence; anything else is a fault."""
    sentence = "."
    try:
        yield
    except Refused as refused:
        sentence = str(refused)
    assert sentence.endswith((".", "!"))


class Study(RuleBasedStateMachine):
    """Participants, clocks and workers that do anything at any time, also with claims that are long void."""

    def __init__(self, migrated: Path) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        shutil.copy(migrated, Path(self.folder.name) / "study.db")
        self.store = Store(f"sqlite:///{self.folder.name}/study.db")
        self.now = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
        self.claims: list[Job] = []
        studies.open_study(self.store, name="s", rules_toml="", rules_hash="h", now=self.now)
        for number in range(1, 5):
            each = participants.invite(self.store, slack_user=f"U{number}", slack_channel="D", now=self.now)
            participants.consent(self.store, each.id, consent_hash="c", now=self.now)
            participants.describe(self.store, each.id, months=number, education="", answers={}, now=self.now)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(minutes=st.sampled_from([1, 20, 61]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(person=PEOPLE)
    def start(self, person: int) -> None:
        with maybe_refused():
            sessions.begin(self.store, person, task="t", limit=timedelta(hours=1), seats=SEATS, now=self.now)

    @rule(person=PEOPLE)
    def line_up(self, person: int) -> None:
        with maybe_refused():
            participants.line_up(self.store, person, now=self.now)

    @rule()
    def call(self) -> None:
        first = participants.next_in_line(self.store, seats=SEATS, now=self.now)
        if first is not None:
            participants.mark_called(self.store, first.id, now=self.now)

    @rule(session=PEOPLE)
    def submit(self, session: int) -> None:
        with maybe_refused():
            trials.submit(self.store, session, configuration=CONFIGURATION, comments={}, now=self.now)

    @rule(trial=st.integers(1, 8))
    def cancel(self, trial: int) -> None:
        with maybe_refused():
            trials.cancel(self.store, trial, now=self.now)

    @rule(slot=st.integers(0, 1))
    def claim(self, slot: int) -> None:
        job = jobs.claim(self.store, now=self.now, slot=slot)
        if job is not None:
            self.claims.append(job)

    @rule(which=st.integers(0, 5), epoch=st.integers(1, 2))
    def record(self, which: int, epoch: int) -> None:
        if which < len(self.claims):
            jobs.record_epoch(
                self.store,
                self.claims[-1 - which],
                epoch=epoch,
                batch_losses=[1.0],
                training_loss=1.0,
                validation_accuracy=None,
                seconds=1.0,
            )

    @rule(which=st.integers(0, 5), ending=ENDINGS)
    def finish(self, which: int, ending: Ending) -> None:
        if which < len(self.claims):
            with maybe_refused():
                jobs.finish(self.store, self.claims[-1 - which], ending, now=self.now)

    @rule(which=st.integers(0, 5))
    def lose(self, which: int) -> None:
        if which < len(self.claims):
            with maybe_refused():
                jobs.lost(self.store, self.claims[-1 - which], now=self.now)

    @rule(session=PEOPLE)
    def expire(self, session: int) -> None:
        with maybe_refused():
            sessions.expire(self.store, session, grace=timedelta(minutes=10), now=self.now)

    @rule(session=PEOPLE, choice=st.sampled_from([1, 2, CONFIGURATION]))
    def choose(self, session: int, choice: int | Configuration) -> None:
        with maybe_refused():
            choices.choose(self.store, session, choice=choice, seeds=SEEDS, training_images=100, now=self.now)

    @rule(session=PEOPLE)
    def choose_by_clock(self, session: int) -> None:
        with maybe_refused():
            choices.choose_by_clock(self.store, session, seeds=SEEDS, now=self.now)

    @rule(person=PEOPLE)
    def withdraw(self, person: int) -> None:
        with maybe_refused():
            participants.withdraw(self.store, person, now=self.now)

    @rule()
    def beat(self) -> None:
        recovery.heartbeat(self.store, now=self.now)

    @rule()
    def restart(self) -> None:
        recovery.reconcile(self.store, now=self.now)

    @invariant()
    def books_balance(self) -> None:
        with self.store.read() as transaction:
            people = transaction.exec(select(Participant)).all()
            all_sessions = transaction.exec(select(Session)).all()
            all_trials = transaction.exec(select(Trial).order_by(Trial.id)).all()
            evaluations = transaction.exec(select(Evaluation)).all()
            epochs = transaction.exec(select(Epoch)).all()
            final = transaction.exec(select(FinalChoice)).all()
            linked = {each.participant_id for each in transaction.exec(select(Identity)).all()}
        log = events.read(self.store)
        kinds = Counter(each.kind for each in log)
        by_id = {each.id: each for each in all_sessions}
        finished_runs = sum(each.state.is_finished for each in [*all_trials, *evaluations])

        assert max(Counter(each.participant_id for each in all_sessions).values(), default=0) <= 1
        assert sum(each.state is SessionState.ACTIVE for each in all_sessions) <= SEATS
        unfinished = [each for each in all_trials if not each.state.is_finished]
        assert max(Counter(each.session_id for each in unfinished).values(), default=0) <= 1
        for trial in unfinished:
            if by_id[trial.session_id].state is not SessionState.ACTIVE:
                assert trial.state is TrialState.RUNNING
                assert trial.cancel_requested_at is not None
        for session in all_sessions:
            numbers = [each.number for each in all_trials if each.session_id == session.id]
            assert numbers == list(range(1, len(numbers) + 1))
            lasts = timedelta(seconds=session.limit_seconds + session.given_back_seconds)
            assert session.deadline == session.started_at + lasts
        assert len({each.session_id for each in final}) == len(final)
        assert all(by_id[each.session_id].state.is_finished for each in final)
        planned = Counter(each.final_choice_id for each in evaluations)
        assert planned == {each.id: len(SEEDS) for each in final}
        waiting = {each.subject for each in [*all_trials, *evaluations] if each.state is TrialState.WAITING}
        owners = {f"trial:{each.trial_id}" if each.trial_id else f"evaluation:{each.evaluation_id}" for each in epochs}
        assert not waiting & owners
        gone = {each.id for each in people if each.state is ParticipantState.WITHDRAWN}
        assert linked == {each.id for each in people} - gone

        assert kinds[EventKind.SESSION_BEGUN] == len(all_sessions)
        assert kinds[EventKind.SESSION_FINISHED] == sum(each.state.is_finished for each in all_sessions)
        assert kinds[EventKind.TRIAL_SUBMITTED] == len(all_trials)
        assert kinds[EventKind.ENDED] == finished_runs
        assert kinds[EventKind.CLAIMED] == sum(each.attempts for each in [*all_trials, *evaluations])
        given = sum(
            each.details["seconds"]
            for each in log
            if each.kind is EventKind.TIME_GIVEN_BACK and each.details["during"] == "active"
        )
        assert given == pytest.approx(sum(each.given_back_seconds for each in all_sessions))
        assert [each.at for each in log] == sorted(each.at for each in log)


@pytest.fixture
def machine(migrated: Path) -> Callable[[], Study]:
    return lambda: Study(migrated)


def test_no_sequence_of_calls_breaks_the_study(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
