"""Everything in the database at one moment, and what must always be true of it."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set, Sized
from datetime import timedelta

import pytest
from sqlmodel import select

from storage import events
from storage.allocation import MOST_OF_EACH
from storage.database import Store
from storage.queries import history
from storage.schema.states import (
    Chooser,
    EventKind,
    NoticeKind,
    ParticipantState,
    Searcher,
    SessionEnd,
    SessionState,
    StudyState,
    TrialState,
)
from storage.schema.tables import (
    Alert,
    Amendment,
    Baseline,
    Epoch,
    Evaluation,
    FinalChoice,
    Identity,
    Participant,
    Session,
    Trial,
    TrialComment,
)
from storage.transitions import baselines, notices, studies

TOLD: Mapping[NoticeKind, EventKind] = {
    NoticeKind.GREETING: EventKind.INVITED,
    NoticeKind.BACKGROUND: EventKind.CONSENTED,
    NoticeKind.BRIEFING: EventKind.DESCRIBED,
    NoticeKind.CALLED: EventKind.CALLED,
    NoticeKind.WARNING: EventKind.SESSION_WARNED,
    NoticeKind.TIME_IS_UP: EventKind.SESSION_EXPIRED,
    NoticeKind.THANKS: EventKind.SESSION_FINISHED,
    NoticeKind.TIME_GIVEN_BACK: EventKind.TIME_GIVEN_BACK,
    NoticeKind.TIME_EXTENDED: EventKind.TIME_EXTENDED,
    NoticeKind.SESSION_CANCELLED: EventKind.SESSION_CANCELLED,
}
"""There is one notice for each of these events."""


class Books:
    """All that is stored at one moment.

    Args:
        store: Where.
        deleted: The participants who had their data deleted.
        posted: The notices that were done: to whom, and what.
        seats: How many people can tune at once.
        seeds: The evaluations of a final choice.
        comments: How many comments people gave with each trial.
    """

    def __init__(
        self,
        store: Store,
        deleted: Set[int],
        posted: Sequence[tuple[int, NoticeKind]],
        *,
        seats: int,
        seeds: Sized,
        comments: int,
    ) -> None:
        self.seats, self.seeds, self.comments_of_each = seats, len(seeds), comments
        with store.read() as transaction:
            self.people = {each.id: each for each in transaction.exec(select(Participant)).all()}
            self.sessions = {each.id: each for each in transaction.exec(select(Session)).all()}
            self.trials = transaction.exec(select(Trial).order_by(Trial.id)).all()
            self.comments = transaction.exec(select(TrialComment)).all()
            self.evaluations = transaction.exec(select(Evaluation)).all()
            self.epochs = transaction.exec(select(Epoch)).all()
            self.final = transaction.exec(select(FinalChoice)).all()
            self.baselines = {each.id: each for each in transaction.exec(select(Baseline)).all()}
            self.amendments = transaction.exec(select(Amendment)).all()
            self.alerts = transaction.exec(select(Alert)).all()
            self.linked = {each.participant_id for each in transaction.exec(select(Identity)).all()}
        self.posted, self.pending = posted, notices.pending(store)
        self.log = events.read(store)
        self.kinds = Counter(each.kind for each in self.log)
        self.deleted = deleted
        self.current = studies.newest_study(store)
        self.status = history.status(store, now=self.log[-1].at)
        self.running = {each.id for each in baselines.running(store)}

    def balance(self) -> None:
        """Check everything."""
        self.people_and_sessions()
        self.trials_and_epochs()
        self.choices_and_evaluations()
        self.searchers()
        self.study()
        self.notices()
        self.log_tells_all()

    def is_searchers(self, session: Session) -> bool:
        return self.people[session.participant_id].baseline_id is not None

    def people_and_sessions(self) -> None:
        assert max(Counter(each.participant_id for each in self.sessions.values()).values(), default=0) <= 1
        seated = [each for each in self.sessions.values() if each.state is SessionState.ACTIVE]
        assert sum(not self.is_searchers(each) for each in seated) <= self.seats
        for session in self.sessions.values():
            lasts = session.limit_seconds + session.given_back_seconds + session.extended_seconds
            assert session.deadline == session.started_at + timedelta(seconds=lasts)
            assert (session.ended_as is not None) == session.state.is_finished
            person = self.people[session.participant_id]
            assert session.task == person.task
            if self.is_searchers(session):
                assert (session.given_back_seconds, session.extended_seconds) == (0, 0)
                assert session.state is not SessionState.CHOOSING
        gone = {each.id for each in self.people.values() if each.state is ParticipantState.WITHDRAWN}
        persons = {each.id for each in self.people.values() if each.baseline_id is None}
        is_closed = self.current is not None and self.current.state.is_finished
        assert self.linked == (set() if is_closed else persons - gone), "closing deletes all links"
        numbers = range(1, len(persons) + 1)
        assert [self.people[each].code for each in sorted(persons)] == [f"P{number:03}" for number in numbers]
        for group in {self.people[each].block_group for each in persons}:
            of_group = [self.people[each].task for each in persons if self.people[each].block_group == group]
            shares = [of_group.count(task) for task in set(of_group)]
            assert max(shares) - min(shares, default=0) <= MOST_OF_EACH, "a block has each task three times at most"
        for each in self.deleted:
            assert (self.people[each].months, self.people[each].answers) == (None, {})
            assert each not in {session.participant_id for session in self.sessions.values()}

    def trials_and_epochs(self) -> None:
        unfinished = [each for each in self.trials if not each.state.is_finished]
        assert max(Counter(each.session_id for each in unfinished if not each.drawn).values(), default=0) <= 1
        for trial in unfinished:
            if self.sessions[trial.session_id].state is not SessionState.ACTIVE:
                assert trial.state is TrialState.RUNNING
                assert trial.cancel_requested_at is not None
        for session in self.sessions.values():
            numbers = [each.number for each in self.trials if each.session_id == session.id]
            assert numbers == list(range(1, len(numbers) + 1))
        waiting = {each.subject for each in [*self.trials, *self.evaluations] if each.state is TrialState.WAITING}
        owners = {
            f"trial:{each.trial_id}" if each.trial_id else f"evaluation:{each.evaluation_id}" for each in self.epochs
        }
        assert not waiting & owners
        of_people = [each.id for each in self.trials if not self.is_searchers(self.sessions[each.session_id])]
        assert Counter(each.trial_id for each in self.comments) == dict.fromkeys(of_people, self.comments_of_each)

    def choices_and_evaluations(self) -> None:
        assert len({each.session_id for each in self.final}) == len(self.final)
        by_session = {each.session_id: each for each in self.final}
        for session in self.sessions.values():
            choice = by_session.get(session.id)
            assert (choice is not None) == (session.ended_as in {SessionEnd.CHOSEN, SessionEnd.CLOCK})
            if choice is not None:
                assert (choice.chosen_by is Chooser.CLOCK) == (session.ended_as is SessionEnd.CLOCK)
                assert (choice.chosen_by is Chooser.SEARCHER) == self.is_searchers(session)
        planned = Counter(each.final_choice_id for each in self.evaluations)
        assert planned == {each.id: self.seeds for each in self.final}
        for choice in self.final:
            person = self.people[self.sessions[choice.session_id].participant_id]
            if person.state is ParticipantState.WITHDRAWN:
                ended = [each.state.is_finished for each in self.evaluations if each.final_choice_id == choice.id]
                assert all(ended)

    def searchers(self) -> None:
        for baseline in self.baselines.values():
            members = [each.id for each in self.people.values() if each.baseline_id == baseline.id]
            theirs = [each for each in self.sessions.values() if each.participant_id in members]
            assert len(theirs) == len(members)
            open_ended = any(not each.state.is_finished for each in theirs)
            if baseline.stopped_at is not None or baseline.id not in self.running:
                assert not open_ended
            if baseline.searcher is Searcher.RANDOM:
                assert len(members) == 1
                drawn = [each for each in self.trials if each.session_id == theirs[0].id]
                assert len(drawn) == baseline.wanted
                assert all(each.drawn for each in drawn)
            else:
                assert len(members) <= baseline.wanted
        assert len({self.baselines[each].searcher for each in self.running}) == len(self.running)

    def study(self) -> None:
        study = self.current
        assert study is not None
        assert (study.opened_at is None) == (study.state is StudyState.PREPARED)
        assert not self.amendments or study.rules_hash == self.amendments[-1].rules_hash
        if study.state is StudyState.CLOSED:
            assert all(each.state.is_finished for each in self.sessions.values())
            assert not self.running
        assert sum(self.status.trials.values()) == sum(
            not self.is_searchers(self.sessions[each.session_id]) for each in self.trials
        )
        assert sum(self.status.evaluations.values()) == len(self.evaluations)
        open_alerts = [each.kind for each in self.alerts if each.acknowledged_at is None]
        assert len(set(open_alerts)) == len(open_alerts)

    def notices(self) -> None:
        """Everybody with a link was told, or will be, what happened to them; nobody else has anything pending."""
        for notice in self.pending:
            assert notice.participant_id in self.linked
            session = self.sessions.get(notice.session_id) if notice.session_id is not None else None
            assert session is None or session.participant_id == notice.participant_id
            assert (notice.session_id is None) == (session is None)
        told = Counter([*self.posted, *((each.participant_id, each.kind) for each in self.pending)])
        happened = Counter((each.participant, each.kind) for each in self.log)
        for key in self.linked:
            code = self.people[key].code
            for notice_kind, event_kind in TOLD.items():
                assert told[key, notice_kind] == happened[code, event_kind], (code, notice_kind)
            assert told[key, NoticeKind.IN_QUEUE] >= happened[code, EventKind.LINED_UP]

    def log_tells_all(self) -> None:
        """The log keeps what was deleted elsewhere, so only what happened to the others is counted."""
        kept = [each for each in self.log if each.participant not in {self.people[one].code for one in self.deleted}]
        kinds = Counter(each.kind for each in kept)
        runs = [*self.trials, *self.evaluations]
        ended = [each.state.is_finished for each in self.sessions.values()]
        assert kinds[EventKind.SESSION_BEGUN] == len(self.sessions)
        assert kinds[EventKind.SESSION_FINISHED] + kinds[EventKind.SESSION_CANCELLED] == sum(ended)
        assert kinds[EventKind.SESSION_CANCELLED] == sum(
            each.ended_as is SessionEnd.CANCELLED for each in self.sessions.values()
        )
        assert kinds[EventKind.TRIAL_SUBMITTED] == len(self.trials)
        assert kinds[EventKind.ENDED] == sum(each.state.is_finished for each in runs) + kinds[EventKind.RETRIED]
        assert kinds[EventKind.CLAIMED] == sum(each.attempts for each in runs)
        for kind, total in (
            (EventKind.TIME_GIVEN_BACK, sum(each.given_back_seconds for each in self.sessions.values())),
            (EventKind.TIME_EXTENDED, sum(each.extended_seconds for each in self.sessions.values())),
        ):
            moved = [each.details for each in kept if each.kind is kind]
            assert sum(each["seconds"] for each in moved if each["during"] == "active") == pytest.approx(total)
        assert kinds[EventKind.BASELINE_STARTED] == len(self.baselines)
        assert kinds[EventKind.BASELINE_STOPPED] == sum(each.stopped_at is not None for each in self.baselines.values())
        assert kinds[EventKind.STUDY_AMENDED] == len(self.amendments)
        assert kinds[EventKind.ALERT_ACKNOWLEDGED] == sum(each.acknowledged_at is not None for each in self.alerts)
        assert self.kinds[EventKind.DATA_DELETED] == len(self.deleted)
        assert [each.at for each in self.log] == sorted(each.at for each in self.log)
