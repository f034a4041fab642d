from datetime import timedelta

import pytest

from storage import events
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind, SessionEnd, SessionState, TrialState
from storage.transitions import choices, participants, sessions, trials
from tests.storage.reading import unfinished_sessions


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
    assert [each.id for each in unfinished_sessions(lab.store)] == [session.id]


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
    assert expired.stopped.state is TrialState.CANCELLED
    assert lab.begin(waiting).id


def test_expiry_asks_for_the_running_trial_to_be_stopped(lab):
    session = lab.seated()
    lab.submit(session)
    job = lab.claim()
    lab.later(hours=2)
    expired = lab.expire(session)
    assert expired.stopped.subject == job.key
    assert expired.stopped.state is TrialState.RUNNING
    assert trials.get(lab.store, job.id).cancel_requested_at == lab.now


def test_expiry_before_its_time_or_twice_is_refused(lab):
    session = lab.seated()
    lab.later(hours=1, minutes=59, seconds=59)
    assert reason_of(lambda: lab.expire(session)) is Reason.NOT_YET
    lab.later(seconds=1)
    lab.expire(session)
    assert reason_of(lambda: lab.expire(session)) is Reason.TIME_IS_UP
    lab.withdraw(session)
    assert reason_of(lambda: lab.expire(session)) is Reason.SESSION_OVER


def test_two_clocks_expire_a_session_once(lab, at_once):
    session = lab.seated()
    lab.later(hours=2)
    results = at_once(*[lambda: lab.expire(session)] * 4)
    assert sum(not isinstance(each, Refused) for each in results) == 1
    assert len(events.read(lab.store, kind=EventKind.SESSION_EXPIRED)) == 1


def test_time_given_back_moves_the_deadline_and_is_logged(lab):
    session = lab.seated()
    moved = lab.give_back(session, minutes=5)
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
    moved = lab.give_back(session, minutes=5)
    assert moved.grace_ends_at == lab.now + timedelta(minutes=15)
    assert moved.deadline == session.deadline


def test_time_is_not_given_back_to_the_finished_nor_taken_away(lab):
    session = lab.seated()
    for minutes in (-5, 0):
        moved = lab.give_back(session, minutes=minutes)
        assert (moved.deadline, moved.given_back_seconds) == (session.deadline, 0)
    lab.withdraw(session)
    assert lab.give_back(session, minutes=5).deadline == session.deadline
    assert events.read(lab.store, kind=EventKind.TIME_GIVEN_BACK) == []


def extend(lab, session, **duration):
    return sessions.extend_by_researcher(
        lab.store, session.id, timedelta(**duration), actor="researcher-1", now=lab.now
    )


def cancel(lab, session):
    return sessions.cancel_session(lab.store, session.id, actor="researcher-1", now=lab.now)


def test_a_researcher_extends_a_session_by_moving_its_deadline(lab):
    session = lab.seated()
    extend(lab, session, minutes=10)
    moved = extend(lab, session, minutes=5)
    assert (moved.deadline - session.deadline, moved.extended_seconds) == (timedelta(minutes=15), 900)
    assert moved.given_back_seconds == 0
    assert history.session_view(lab.store, session.id).extended == timedelta(minutes=15)
    event = events.read(lab.store, kind=EventKind.TIME_EXTENDED)[-1]
    assert (event.actor, event.participant, event.details) == (
        "researcher-1",
        "P001",
        {"seconds": 300.0, "during": "active"},
    )
    lab.later(hours=2)
    assert reason_of(lambda: lab.expire(session)) is Reason.NOT_YET
    assert lab.submit(session).number == 1


def test_an_extension_while_choosing_moves_the_end_of_the_grace_period_and_no_deadline(lab):
    session = lab.seated()
    lab.later(hours=2)
    lab.expire(session)
    moved = extend(lab, session, minutes=5)
    assert moved.grace_ends_at == lab.now + timedelta(minutes=15)
    assert (moved.deadline, moved.extended_seconds) == (session.deadline, 0)


def test_a_session_is_not_extended_when_it_is_over_nor_shortened(lab):
    session = lab.seated()
    with pytest.raises(ValueError, match="more time"):
        extend(lab, session, minutes=-1)
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    with pytest.raises(Refused, match="P001 is over") as refused:
        extend(lab, session, minutes=1)
    assert refused.value.reason is Reason.SESSION_OVER


def test_a_researcher_ends_a_session_without_a_final_choice_and_keeps_its_trials(lab):
    lab.seats = 1
    session, waiting = lab.seated(), lab.described()
    lab.tried(session, 50.0)
    lab.submit(session)
    job = lab.claim()
    cancelled = cancel(lab, session)
    assert (cancelled.stopped.subject, cancelled.stopped.state) == (job.key, TrialState.RUNNING)
    view = history.session_view(lab.store, session.id)
    assert (view.state, view.ended_as, view.choice) == (SessionState.FINISHED, SessionEnd.CANCELLED, None)
    assert [each.number for each in view.trials] == [1, 2]
    (event,) = events.read(lab.store, kind=EventKind.SESSION_CANCELLED)
    assert (event.actor, event.participant) == ("researcher-1", "P001")
    assert lab.begin(waiting).id
    assert reason_of(lambda: cancel(lab, session)) is Reason.SESSION_OVER
    assert reason_of(lambda: lab.submit(session)) is Reason.SESSION_OVER
    assert reason_of(lambda: lab.choose(session, 1)) is Reason.SESSION_OVER


def test_a_session_cancelled_while_choosing_has_no_choice_of_the_clocks(lab):
    session = lab.seated()
    lab.submit(session)
    lab.later(hours=2)
    assert lab.expire(session).stopped.number == 1
    cancel(lab, session)
    lab.later(hours=1)
    assert unfinished_sessions(lab.store) == []
    assert history.session_view(lab.store, session.id).choice is None


def test_every_session_says_how_it_ended(lab):
    lab.seats = 5
    chosen, by_clock, empty, withdrawn, running = [lab.seated() for _ in range(5)]
    for session in (chosen, by_clock):
        lab.tried(session, 50.0)
    lab.choose(chosen, 1)
    lab.withdraw(withdrawn)
    lab.later(hours=2)
    for session in (by_clock, empty):
        lab.expire(session)
    lab.later(minutes=10)
    for session in (by_clock, empty):
        choices.choose_by_clock(lab.store, session.id, seeds=lab.seeds, now=lab.now)
    ended = [each.ended_as for each in history.sessions(lab.store, 1)]
    assert ended == [SessionEnd.CHOSEN, SessionEnd.CLOCK, SessionEnd.EMPTY, SessionEnd.WITHDRAWN, None]
    assert running.ended_as is None


def test_a_session_trains_the_task_that_its_participant_was_assigned(lab):
    lab.tasks = ("flowers",)
    assert lab.seated().task == "flowers"
