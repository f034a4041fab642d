from datetime import timedelta

import pytest

from storage import events, participants, sessions, trials
from storage.refusal import Reason, Refused
from storage.states import EventKind, SessionState, TrialState


def reason_of(call) -> Reason:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.reason


def test_a_session_begins_with_the_full_time_and_the_papers_seed(lab):
    session = lab.seated()
    assert (session.state, session.deadline - session.started_at, session.seed) == (
        SessionState.ACTIVE,
        timedelta(hours=2),
        10,
    )
    assert sessions.active_session(lab.store, session.participant_id).id == session.id
    assert [each.id for each in sessions.unfinished_sessions(lab.store)] == [session.id]


def test_who_has_not_consented_or_told_their_experience_cannot_begin(lab):
    participant = lab.invite()
    assert reason_of(lambda: lab.begin(participant)) is Reason.NOT_CONSENTED
    participants.consent(lab.store, participant.id, consent_hash="c", now=lab.now)
    assert reason_of(lambda: lab.begin(participant)) is Reason.NOT_DESCRIBED


def test_a_session_is_had_once(lab):
    participant = lab.described()
    session = lab.begin(participant)
    assert reason_of(lambda: lab.begin(participant)) is Reason.SESSION_RUNNING
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    assert reason_of(lambda: lab.begin(participant)) is Reason.HAD_SESSION


def test_start_pressed_twice_at_once_begins_one_session(lab, at_once):
    participant = lab.described()
    results = at_once(*[lambda: lab.begin(participant)] * 3)
    assert sum(not isinstance(each, Refused) for each in results) == 1
    assert {each.reason for each in results if isinstance(each, Refused)} == {Reason.SESSION_RUNNING}


def test_a_limit_is_positive(lab):
    lab.limit = timedelta(0)
    with pytest.raises(ValueError, match="must be positive"):
        lab.seated()


def test_expiry_opens_the_choice_cancels_what_waits_and_frees_the_seat(lab):
    lab.seats = 1
    session, waiting = lab.seated(), lab.described()
    lab.submit(session)
    lab.later(hours=2)
    expired = lab.expire(session)
    assert expired.session.state is SessionState.CHOOSING
    assert expired.session.grace_ends_at == lab.now + lab.grace
    assert expired.cancelled.state is TrialState.CANCELLED
    assert expired.stopping is None
    assert lab.begin(waiting).id


def test_expiry_asks_for_the_running_trial_to_be_stopped(lab):
    session = lab.seated()
    lab.submit(session)
    job = lab.claim()
    lab.later(hours=2)
    expired = lab.expire(session)
    assert expired.stopping.subject == job.key
    assert expired.stopping.state is TrialState.RUNNING
    assert trials.get(lab.store, job.id).cancel_requested_at == lab.now


def test_expiry_before_its_time_or_twice_is_refused(lab):
    session = lab.seated()
    lab.later(hours=1, minutes=59, seconds=59)
    assert reason_of(lambda: lab.expire(session)) is Reason.NOT_YET
    lab.later(seconds=1)
    lab.expire(session)
    assert reason_of(lambda: lab.expire(session)) is Reason.TIME_IS_UP
    participants.withdraw(lab.store, session.participant_id, now=lab.now)
    assert reason_of(lambda: lab.expire(session)) is Reason.SESSION_OVER


def test_two_clocks_expire_a_session_once(lab, at_once):
    session = lab.seated()
    lab.later(hours=2)
    results = at_once(*[lambda: lab.expire(session)] * 4)
    assert sum(not isinstance(each, Refused) for each in results) == 1
    assert len(events.read(lab.store, kind=EventKind.SESSION_EXPIRED)) == 1


def test_time_given_back_moves_the_deadline_and_is_logged(lab):
    session = lab.seated()
    moved = sessions.give_back(lab.store, session.id, timedelta(minutes=5), why="power cut", now=lab.now)
    assert moved.deadline == session.deadline + timedelta(minutes=5)
    assert moved.given_back_seconds == 300
    (event,) = events.read(lab.store, kind=EventKind.TIME_GIVEN_BACK)
    assert event.details == {"seconds": 300.0, "why": "power cut", "during": "active"}
    lab.later(hours=2)
    assert reason_of(lambda: lab.expire(session)) is Reason.NOT_YET
    assert lab.submit(session).number == 1


def test_time_given_back_while_choosing_moves_the_end_of_the_grace_period(lab):
    session = lab.seated()
    lab.later(hours=2)
    lab.expire(session)
    moved = sessions.give_back(lab.store, session.id, timedelta(minutes=5), why="power cut", now=lab.now)
    assert moved.grace_ends_at == lab.now + timedelta(minutes=15)
    assert moved.deadline == session.deadline


def test_time_is_not_given_back_to_the_finished_nor_taken_away(lab):
    session = lab.seated()
    with pytest.raises(ValueError, match="positive"):
        sessions.give_back(lab.store, session.id, timedelta(minutes=-5), why="", now=lab.now)
    participants.withdraw(lab.store, session.participant_id, now=lab.now)

    def late():
        sessions.give_back(lab.store, session.id, timedelta(minutes=5), why="", now=lab.now)

    assert reason_of(late) is Reason.SESSION_OVER
