import math
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from storage import events, posts
from storage.queries import history, people
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind, ParticipantState, SessionState, TrialState
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Identity, Post, Session, Trial, TrialComment
from storage.transitions import evaluations, jobs, participants, studies, trials
from tests.storage.reading import evaluations_of


def test_codes_count_up_and_an_invitation_twice_is_one_participant(lab):
    assert [lab.invite().code for _ in range(3)] == ["P001", "P002", "P003"]
    again = participants.invite(lab.store, slack_user="U0002", slack_channel="D9999", now=lab.now)
    assert again.code == "P002"
    assert participants.identity_of(lab.store, again.id).slack_channel == "D9999"


def test_two_invitations_at_the_same_moment_make_one_participant(lab, at_once):
    def invite():
        return participants.invite(lab.store, slack_user="U1", slack_channel="D1", now=lab.now)

    assert {each.code for each in at_once(invite, invite, invite)} == {"P001"}


def test_experience_is_asked_after_consent_once_and_kept(lab):
    participant = lab.invite()

    def describe(months):
        return participants.describe(
            lab.store,
            participant.id,
            months=months,
            education="Doctorate",
            answers={"age": "30"},
            tasks=["digits"],
            group="medium",
            block_seed=5,
            now=lab.now,
        )

    with pytest.raises(Refused) as refused:
        describe(3)
    assert refused.value.reason is Reason.NOT_CONSENTED
    assert participants.consent(lab.store, participant.id, consent_hash="c", now=lab.now).consent_hash == "c"
    with pytest.raises(Refused) as refused:
        participants.consent(lab.store, participant.id, consent_hash="d", now=lab.now)
    assert refused.value.reason is Reason.ALREADY_CONSENTED
    assert describe(2.5).state is ParticipantState.DESCRIBED
    with pytest.raises(Refused, match="locked") as refused:
        describe(99)
    assert refused.value.reason is Reason.LOCKED
    kept = participants.get(lab.store, participant.id)
    assert (kept.months, kept.education, kept.answers) == (2.5, "Doctorate", {"age": "30"})


@pytest.mark.parametrize("months", [-1, math.nan, math.inf])
def test_months_are_a_number_from_zero(lab, months):
    participant = lab.invite()
    participants.consent(lab.store, participant.id, consent_hash="c", now=lab.now)
    with pytest.raises(ValueError, match="0 or more"):
        participants.describe(
            lab.store,
            participant.id,
            months=months,
            education="",
            answers={},
            tasks=["digits"],
            group="medium",
            block_seed=5,
            now=lab.now,
        )


def test_withdrawing_ends_the_session_stops_the_trial_and_empties_the_link(lab):
    session = lab.seated()
    lab.submit(session)
    job = lab.claim()
    withdrawal = lab.withdraw(session)
    assert withdrawal.session.state is SessionState.FINISHED
    assert (withdrawal.stopped.subject, withdrawal.stopped.state) == (job.key, TrialState.RUNNING)
    assert participants.identity_of(lab.store, session.participant_id) is None
    assert participants.by_slack_user(lab.store, "U0001") is None
    assert trials.get(lab.store, job.id).cancel_requested_at == lab.now
    with pytest.raises(Refused, match="withdrawn") as refused:
        lab.withdraw(session)
    assert refused.value.reason is Reason.WITHDRAWN
    with pytest.raises(Refused, match="withdrawn"):
        lab.begin(participants.get(lab.store, session.participant_id))


def test_withdrawing_cancels_a_waiting_trial_at_once(lab):
    session = lab.seated()
    lab.submit(session)
    withdrawal = lab.withdraw(session)
    assert withdrawal.stopped.state is TrialState.CANCELLED
    assert history.session_view(lab.store, session.id).choice is None


def test_who_withdrew_cannot_be_found_in_the_file(sqlite_store, lab_of, tmp_path: Path):
    lab = lab_of(sqlite_store)
    participant = participants.invite(lab.store, slack_user="UVERYSECRET", slack_channel="DHIDDEN", now=lab.now)
    participants.withdraw(lab.store, participant.id, delete_data=False, now=lab.now)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"UVERYSECRET" not in content
    assert b"DHIDDEN" not in content


def test_what_was_deleted_cannot_be_found_in_the_file(sqlite_store, lab_of, tmp_path: Path):
    lab = lab_of(sqlite_store)
    session = lab.seated()
    lab.tried(session, 50.0)
    lab.submit(session)
    lab.withdraw(session, delete_data=True)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Masters (enrolled)" not in content
    assert b"time is short" not in content


def test_forgetting_all_empties_the_links_and_nothing_else(lab):
    session = lab.seated()
    lab.tried(session, 70.0)
    lab.invite()
    before = history.session_view(lab.store, session.id)
    assert lab.forget_links() == 2
    assert participants.identity_of(lab.store, session.participant_id) is None
    trials = tuple(replace(each, button_value="") for each in before.trials)
    assert history.session_view(lab.store, session.id) == replace(before, button_value="", trials=trials)
    assert participants.get(lab.store, session.participant_id).state is ParticipantState.DESCRIBED
    assert lab.forget_links() == 0


def test_the_event_log_knows_codes_only(lab):
    session = lab.seated()
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    lab.withdraw(session)
    rows = events.read(lab.store)
    assert {each.participant for each in rows} == {None, "P001"}
    everything = " ".join(each.model_dump_json() for each in rows)
    assert "U0001" not in everything
    assert "D0001" not in everything
    assert [each.kind for each in events.read(lab.store, subject="participant:1")] == [
        "invited",
        "consented",
        "described",
        "withdrawn",
    ]
    assert [each.kind for each in events.read(lab.store, participant="P001", limit=1)] == ["withdrawn"]


@pytest.mark.parametrize("tasks", [(), ("digits", "digits")])
def test_a_study_has_tasks_and_all_different(lab, tasks):
    lab.tasks = tasks
    with pytest.raises(ValueError, match="at least one task, and no task twice"):
        lab.described()


def test_who_leaves_after_the_final_choice_has_no_more_evaluations(lab):
    session = lab.seated()
    lab.tried(session, 50.0)
    choice = lab.choose(session, 1).choice
    lab.complete(lab.claim(), 60.0)
    running = lab.claim()
    withdrawal = lab.withdraw(session)
    assert [each.subject for each in withdrawal.evaluations] == [running.key]
    assert withdrawal.session is None
    states = [each.state for each in evaluations_of(lab.store, choice.id)]
    assert states == [TrialState.COMPLETE] + [TrialState.CANCELLED] * 9
    with pytest.raises(Refused) as refused:
        lab.complete(running)
    assert refused.value.reason is Reason.NOT_RUNNING
    assert lab.claim_nothing()
    assert evaluations.ensure(lab.store, seeds=[99], now=lab.now) == 0


def test_a_researcher_who_takes_somebody_out_is_named_and_told_when_they_had_left(lab):
    session = lab.seated()
    lab.withdraw(session, actor="researcher-2")
    kinds = (EventKind.SESSION_FINISHED, EventKind.WITHDRAWN)
    assert [events.read(lab.store, kind=each)[0].actor for each in kinds] == ["researcher-2"] * 2
    with pytest.raises(Refused, match="P001 has withdrawn"):
        lab.withdraw(session, actor="researcher-2")


class TestDeletingWhatSomebodyDid:
    @pytest.fixture
    def gone(self, lab):
        """P001 with a trial that has ended and one that runs, beside P002 who stays."""
        session, other = lab.seated(), lab.seated()
        lab.tried(session, 50.0)
        lab.tried(other, 60.0)
        lab.submit(session)
        job = lab.claim()
        jobs.record_epoch(
            lab.store, job, epoch=1, batch_losses=[1.0], training_loss=1.0, validation_accuracy=9.0, seconds=1.0
        )
        posts.remember(lab.store, session.subject, ts="1.1")
        posts.remember(lab.store, job.key, ts="1.2", file_id="F1")
        posts.remember(lab.store, other.subject, ts="2.1")
        return session, other, job, lab.withdraw(session, delete_data=True)

    def test_nothing_of_it_is_left_but_the_code(self, lab, gone):
        session, _, _, _ = gone
        left = participants.get(lab.store, session.participant_id)
        assert (left.code, left.state) == ("P001", ParticipantState.WITHDRAWN)
        assert (left.months, left.education, left.answers) == (None, None, {})
        with lab.store.read() as transaction:
            rows = {
                table.__tablename__: len(transaction.exec(select(table)).all())
                for table in (Session, Trial, TrialComment, Epoch, FinalChoice, Evaluation, Post, Identity)
            }
        assert rows == {
            "session": 1,
            "trial": 1,
            "trial_comment": 2,
            "epoch": 0,
            "final_choice": 0,
            "evaluation": 0,
            "post": 1,
            "identity": 1,
        }

    def test_the_others_data_stays(self, lab, gone):
        _, other, _, _ = gone
        assert [each.validation_accuracy for each in history.session_view(lab.store, other.id).trials] == [60.0]
        assert posts.find(lab.store, other.subject).ts == "2.1"

    def test_it_is_told_what_has_to_be_stopped_and_which_messages_there_were(self, lab, gone):
        session, _, job, withdrawal = gone
        assert withdrawal.deleted
        assert (withdrawal.session.id, withdrawal.stopped.subject) == (session.id, job.key)
        assert withdrawal.stopped.state is TrialState.RUNNING
        assert [(each.subject, each.file_id) for each in withdrawal.posts] == [(job.key, "F1"), (session.subject, None)]

    def test_the_log_says_that_it_was_and_never_knew_more_than_codes(self, lab, gone):
        log = events.read(lab.store, participant="P001")
        assert log[-1].kind is EventKind.DATA_DELETED
        told = " ".join(str(each.details) for each in log)
        assert "Masters" not in told
        assert "months" not in told
        assert "accuracy" not in told

    def test_what_the_worker_still_says_is_not_heard_and_never_taken_for_anothers(self, lab, gone):
        _, other, job, _ = gone
        assert not jobs.record_epoch(
            lab.store, job, epoch=2, batch_losses=[1.0], training_loss=1.0, validation_accuracy=9.0, seconds=1.0
        )
        for late in (
            lambda: lab.complete(job, 99.0),
            lambda: jobs.lost(lab.store, job, now=lab.now),
        ):
            with pytest.raises(Refused) as refused:
                late()
            assert refused.value.reason is Reason.NOT_RUNNING
        lab.submit(other)
        again = lab.claim()
        assert again.id > job.id  # the number is not used again
        with pytest.raises(Refused):
            lab.complete(job, 99.0)

    def test_code_and_place_in_the_block_are_not_given_to_anybody_else(self, lab, gone):
        assert lab.invite().code == "P003"

    def test_a_finished_session_is_deleted_with_its_choice_and_evaluations(self, lab):
        session = lab.seated()
        lab.tried(session, 50.0)
        choice = lab.choose(session, 1).choice
        running = lab.claim()
        withdrawal = lab.withdraw(session, delete_data=True)
        assert [each.subject for each in withdrawal.evaluations] == [running.key]
        assert evaluations_of(lab.store, choice.id) == []
        assert history.session_of_participant(lab.store, session.participant_id) is None
        assert history.sessions(lab.store, 1) == []
        assert lab.claim_nothing()


def test_a_participant_is_found_by_the_code_however_it_is_written(lab):
    for _ in range(7):
        lab.invite()
    for written in ("P007", "p007", "p7", " P7 ", "P0007"):
        assert people.find_by_code(lab.store, written).code == "P007"
    for unknown in ("P008", "7", "", "P", "P7x", "T1-01"):
        assert people.find_by_code(lab.store, unknown) is None
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert people.find_by_code(lab.store, "p7").code == "P007"


def test_before_any_study_there_is_nobody_to_find(store):
    assert people.find_by_code(store, "P001") is None


def test_the_people_of_a_study_and_how_far_each_has_come(lab):
    lab.seeds = (1, 2, 3)
    lab.seats = 3
    finished, tuning = lab.seated(), lab.seated()
    lab.tried(finished, 40.0)
    lab.tried(finished, 70.0)
    lab.choose(finished, 2)
    for accuracy in (60.0, 62.0):
        lab.complete(lab.claim(), accuracy)
    lab.submit(tuning)
    lab.invite()
    first, second, third = people.people(lab.store, 1)
    assert (first.code, first.months, first.group_name, first.task) == ("P001", 6.0, "medium", "digits")
    assert (first.session_state, first.tries, first.best_validation_accuracy) == (SessionState.FINISHED, 2, 70.0)
    assert (first.final_chosen, first.evaluations_done, first.evaluations_total) == (True, 2, 3)
    assert first.mean_test_accuracy == 61.0
    assert (second.session_id, second.tries, second.best_validation_accuracy) == (tuning.id, 1, None)
    assert (second.final_chosen, second.evaluations_total, second.mean_test_accuracy) == (False, 0, None)
    assert (third.state, third.session_state, third.tries) == (ParticipantState.INVITED, None, 0)
    assert people.people(lab.store, 99) == []
