from datetime import UTC, datetime, timedelta

import pytest

from storage import posts
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.comments import Comment, Remark
from storage.schema.states import ParticipantState, SessionState, StudyState, TrialState
from storage.transitions import queue, studies


def test_a_session_tells_its_tries_its_best_and_what_runs(lab):
    session = lab.seated()
    for accuracy in (40.0, 60.0):
        lab.tried(session, accuracy)
    lab.submit(session)
    view = history.session_of_participant(lab.store, session.participant_id)
    assert (view.subject, view.participant, [each.number for each in view.trials]) == ("session:1", "P001", [1, 2, 3])
    assert view.best.number == 2
    assert view.unfinished.number == 3
    assert view.running is None
    lab.claim()
    assert history.session_view(lab.store, session.id).running.number == 3
    lab.later(minutes=30)
    assert view.time_left(lab.now) == timedelta(minutes=90)
    assert view.time_left(session.deadline + timedelta(1)) == timedelta(0)


def test_the_unfinished_sessions_are_those_of_people_whose_time_or_choice_is_open(lab):
    lab.seats = 3
    tuning, choosing, over = (lab.seated() for _ in range(3))
    lab.start_random(1)
    lab.later(hours=3)
    lab.expire(choosing)
    lab.withdraw(over)
    assert history.unfinished_sessions(lab.store, 1) == [tuning.id, choosing.id]


def test_before_anything_happened_there_is_nothing_to_show(lab):
    participant = lab.described()
    assert history.session_of_participant(lab.store, participant.id) is None
    assert history.last_submission(lab.store, participant.id) is None
    session = lab.begin(participant)
    view = history.session_view(lab.store, session.id)
    assert (view.best, view.unfinished, view.trials, view.choice) == (None, None, (), None)


def test_the_form_remembers_what_was_entered_last(lab, make_configuration):
    session, other = lab.seated(), lab.seated()
    lab.tried(session, 10.0, learning_rate=0.1)
    lab.tried(session, 10.0, learning_rate=0.2)
    lab.submit(other, learning_rate=0.3)
    last = history.last_submission(lab.store, session.participant_id)
    assert last.configuration == make_configuration(learning_rate=0.2)
    assert last.comments["epochs"] == Remark(Comment.OTHER, "time is short")


def test_a_view_is_what_was_and_does_not_change(lab):
    session = lab.seated()
    view = history.session_view(lab.store, session.id)
    lab.submit(session)
    assert view.trials == ()


def test_the_status_counts_everything_in_every_state(lab):
    lab.seats = 2
    first, second = lab.seated(), lab.seated()
    lab.tried(first, 50.0)
    lab.tried(first, 75.0)
    lab.tried(second, 30.0)
    lab.choose(second, 1)
    third, fourth = lab.seated(), lab.described()
    queue.join(lab.store, fourth.id, now=lab.now)
    lab.invite()
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    status = history.status(lab.store, now=lab.now)
    assert (status.study, status.state, status.in_queue) == ("skill", StudyState.PAUSED, ("P004",))
    assert status.participants == {
        ParticipantState.INVITED: 1,
        ParticipantState.CONSENTED: 0,
        ParticipantState.DESCRIBED: 4,
        ParticipantState.WITHDRAWN: 0,
    }
    assert (status.sessions[SessionState.ACTIVE], status.sessions[SessionState.FINISHED]) == (2, 1)
    assert (status.trials[TrialState.COMPLETE], status.evaluations[TrialState.WAITING]) == (3, 10)
    assert [(each.participant, each.tries, each.best_validation_accuracy) for each in status.running] == [
        ("P001", 2, 75.0),
        ("P003", 0, None),
    ]
    assert third.id == status.running[1].id
    assert [each.participant for each in history.sessions(lab.store, 1)] == ["P001", "P002", "P003"]


def test_without_a_study_there_is_no_status(store):
    with pytest.raises(Refused) as refused:
        history.status(store, now=datetime.now(UTC))
    assert refused.value.reason is Reason.NO_STUDY


def test_a_post_is_found_again_and_replaced(store):
    assert posts.find(store, "trial:1") is None
    with pytest.raises(LookupError):
        posts.show_file(store, "trial:1", "F1")
    posts.remember(store, "trial:1", ts="1.1")
    assert posts.show_file(store, "trial:1", "F1") is None
    assert posts.show_file(store, "trial:1", "F2") == "F1"
    assert posts.remember(store, "trial:1", ts="2.2").ts == "2.2"
    assert posts.find(store, "trial:1").file_id is None


def test_the_status_counts_what_people_submitted_within_the_hour(lab):
    session = lab.seated()
    for _ in range(3):
        lab.tried(session, 50.0)
        lab.later(minutes=25)
    assert history.status(lab.store, now=lab.now).trials_last_hour == 2


def test_the_status_of_a_closed_study_is_told_while_it_is_the_newest(lab):
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert history.status(lab.store, now=lab.now).state is StudyState.CLOSED
    lab.prepare("luck")
    status = history.status(lab.store, now=lab.now)
    assert (status.study, status.state) == ("luck", StudyState.PREPARED)
