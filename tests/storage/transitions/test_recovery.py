from datetime import timedelta

import pytest

from storage import events
from storage.queries import history
from storage.queries.due import due
from storage.schema.states import EventKind, JobKind, TrialState
from storage.transitions import jobs, participants, queue, recovery, sessions, trials
from storage.transitions.recovery import Unserved
from tests.storage.reading import last_heartbeat


def beat(lab) -> None:
    recovery.heartbeat(lab.store, now=lab.now)


def deadline(lab, session):
    return sessions.get(lab.store, session.id).deadline


def test_the_first_start_finds_nothing(lab):
    assert last_heartbeat(lab.store) is None
    found = recovery.reconcile(lab.store, now=lab.now)
    assert (found.down_since, found.trials, found.given_back) == (None, (), ())
    assert last_heartbeat(lab.store) == lab.now
    (event,) = events.read(lab.store, kind=EventKind.RECONCILED)
    assert event.details == {"crashed": False, "down_seconds": None, "restarted": 0, "sessions": 0}


def test_time_in_which_the_bot_was_down_is_given_back_once(lab):
    session = lab.seated()
    beat(lab)
    lab.later(minutes=7)
    found = recovery.reconcile(lab.store, now=lab.now)
    assert [(each.participant, each.duration) for each in found.given_back] == [("P001", timedelta(minutes=7))]
    assert found.given_back[0].session.deadline == session.deadline + timedelta(minutes=7)
    assert recovery.reconcile(lab.store, now=lab.now).given_back == ()
    assert deadline(lab, session) == session.deadline + timedelta(minutes=7)


def test_a_session_whose_deadline_passed_while_we_were_down_goes_on(lab):
    session = lab.seated()
    lab.later(hours=1, minutes=50)
    beat(lab)
    lab.later(minutes=30)
    recovery.reconcile(lab.store, now=lab.now)
    assert deadline(lab, session) - lab.now == timedelta(minutes=10)
    assert lab.submit(session).number == 1


def test_a_session_over_before_we_went_down_gets_nothing(lab):
    session = lab.seated()
    lab.later(hours=2)
    beat(lab)
    lab.later(minutes=30)
    assert recovery.reconcile(lab.store, now=lab.now).given_back == ()
    assert deadline(lab, session) == session.deadline


def test_the_grace_period_does_not_run_while_we_are_down(lab):
    session = lab.seated()
    lab.later(hours=2)
    lab.expire(session)
    beat(lab)
    lab.later(hours=1)
    recovery.reconcile(lab.store, now=lab.now)
    assert sessions.get(lab.store, session.id).grace_ends_at == lab.now + lab.grace


def test_what_ran_starts_over_and_gets_back_its_own_time_too(lab):
    session = lab.seated()
    trial = lab.submit(session)
    job = lab.claim()
    jobs.record_epoch(
        lab.store, job, epoch=1, batch_losses=[1.0], training_loss=1.0, validation_accuracy=9.0, seconds=1.0
    )
    lab.later(minutes=2)
    beat(lab)
    lab.later(minutes=3)
    found = recovery.reconcile(lab.store, now=lab.now)
    assert [(each.id, each.state) for each in found.trials] == [(trial.id, TrialState.WAITING)]
    assert history.epochs_of(lab.store, JobKind.TRIAL, trial.id) == ()
    assert deadline(lab, session) == session.deadline + timedelta(minutes=5)
    assert lab.claim().attempts == 2
    (event,) = events.read(lab.store, kind=EventKind.RECONCILED)
    assert event.details == {"crashed": False, "down_seconds": 180.0, "restarted": 1, "sessions": 1}


def test_a_trial_that_began_after_the_last_heartbeat_costs_nothing_twice(lab):
    session = lab.seated()
    beat(lab)
    lab.later(seconds=5)
    lab.submit(session)
    lab.claim()
    lab.later(minutes=1)
    recovery.reconcile(lab.store, now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(seconds=65)


def test_a_session_that_began_after_the_last_heartbeat_gets_no_more_than_it_had(lab):
    beat(lab)
    lab.later(minutes=5)
    session = lab.seated()
    lab.later(minutes=1)
    recovery.reconcile(lab.store, now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(minutes=1)


def test_a_trial_that_was_to_stop_is_cancelled_and_not_run_again(lab):
    session = lab.seated()
    trial = lab.submit(session)
    lab.claim()
    trials.cancel(lab.store, trial.id, now=lab.now)
    beat(lab)
    found = recovery.reconcile(lab.store, now=lab.later(minutes=1))
    assert [each.id for each in found.cancelled] == [trial.id]
    assert trials.get(lab.store, trial.id).state is TrialState.CANCELLED
    assert lab.submit(session).number == 2


def test_evaluations_start_over_too_and_restarts_never_fail_them(lab):
    session = lab.seated()
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    for attempt in range(1, 6):
        assert lab.claim().attempts == attempt
        (again,) = recovery.reconcile(lab.store, now=lab.later(minutes=1)).evaluations
        assert again.state is TrialState.WAITING


def test_a_clock_set_back_takes_no_time_away(lab):
    session = lab.seated()
    beat(lab)
    found = recovery.reconcile(lab.store, now=lab.later(minutes=-5))
    assert found.given_back == ()
    assert deadline(lab, session) == session.deadline


@pytest.mark.parametrize("minutes", [0, -1])
def test_the_heartbeat_never_goes_back(lab, minutes):
    beat(lab)
    before = lab.now
    recovery.heartbeat(lab.store, now=lab.later(minutes=minutes))
    assert last_heartbeat(lab.store) == before


def test_a_start_knows_whether_the_bot_was_stopped_before(lab):
    assert not recovery.reconcile(lab.store, now=lab.now).crashed
    recovery.note_stop(lab.store, now=lab.later(hours=1))
    assert last_heartbeat(lab.store) == lab.now
    assert not recovery.reconcile(lab.store, now=lab.later(hours=1)).crashed
    recovery.heartbeat(lab.store, now=lab.later(hours=1))
    assert recovery.reconcile(lab.store, now=lab.later(hours=1)).crashed
    assert recovery.reconcile(lab.store, now=lab.later(hours=1)).crashed


def correct(lab, *unserved, clock_set=timedelta(0)):
    return recovery.correct(lab.store, unserved=unserved, clock_set=clock_set, now=lab.now)


def away(lab, **duration):
    """Slack was away until now, for so long."""
    return Unserved(lab.now - timedelta(**duration), lab.now, recovery.SLACK_WAS_AWAY)


def test_time_in_which_nobody_was_served_is_given_back_while_the_bot_runs(lab):
    session = lab.seated()
    lab.later(minutes=20)
    changed, given = correct(lab, away(lab, minutes=10))
    assert (list(changed), [each.duration for each in given]) == ([session.id], [timedelta(minutes=10)])
    assert deadline(lab, session) == session.deadline + timedelta(minutes=10)
    assert last_heartbeat(lab.store) == lab.now
    (event,) = events.read(lab.store, kind=EventKind.TIME_GIVEN_BACK)
    assert (event.details["why"], event.participant) == (recovery.SLACK_WAS_AWAY, "P001")
    assert recovery.reconcile(lab.store, now=lab.now).given_back == ()


def test_two_times_in_which_nobody_was_served_are_both_given_back(lab):
    session = lab.seated()
    lab.later(minutes=20)
    first = away(lab, minutes=4)
    lab.later(minutes=20)
    correct(lab, first, away(lab, minutes=7))
    assert deadline(lab, session) == session.deadline + timedelta(minutes=11)


def test_what_a_lost_worker_gave_back_meanwhile_is_not_given_back_twice(lab):
    session = lab.seated()
    lab.submit(session)
    lab.later(minutes=1)
    job = lab.claim()
    lab.later(minutes=3)
    jobs.lost(lab.store, job, now=lab.now)  # gives back three minutes
    lab.later(minutes=5)
    correct(lab, away(lab, minutes=7))  # two of the three are in these seven
    assert deadline(lab, session) == session.deadline + timedelta(minutes=3 + 5)


def test_what_was_given_back_before_its_worker_was_lost_is_not_given_back_twice(lab):
    session = lab.seated()
    lab.submit(session)
    job = lab.claim()
    lab.later(minutes=6)
    correct(lab, away(lab, minutes=8))  # only the last six of these are the session's, and the trial's
    lab.later(minutes=4)
    jobs.lost(lab.store, job, now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(minutes=6 + 4)
    again = lab.claim()
    lab.later(minutes=1)
    jobs.lost(lab.store, again, now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(minutes=6 + 4 + 1)


def test_an_outage_in_which_a_trial_began_is_not_given_back_twice_when_the_trial_fails(lab):
    session = lab.seated()
    lab.submit(session)
    lab.later(minutes=5)
    job = lab.claim()  # Slack is away since four minutes ago
    lab.later(minutes=3)
    correct(lab, away(lab, minutes=7))
    lab.later(minutes=2)
    jobs.finish(lab.store, job, jobs.Ending(TrialState.FAILED, our_fault=True), now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(minutes=7 + 2)


def test_what_was_given_back_while_a_trial_ran_is_not_given_back_twice_at_a_start(lab):
    session = lab.seated()
    lab.submit(session)
    lab.claim()
    lab.later(minutes=6)
    correct(lab, away(lab, minutes=5))
    lab.later(minutes=2)
    beat(lab)
    lab.later(minutes=3)
    recovery.reconcile(lab.store, now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(minutes=6 + 2 + 3)


def test_what_a_lost_worker_gave_back_before_the_bot_was_killed_is_not_given_back_twice(lab):
    session = lab.seated()
    lab.submit(session)
    lab.later(minutes=1)
    job = lab.claim()
    lab.later(minutes=2)
    beat(lab)  # the last one: Slack is away from now on
    lab.later(minutes=3)
    jobs.lost(lab.store, job, now=lab.now)  # gives back five minutes, three of them without Slack
    lab.later(minutes=4)
    recovery.reconcile(lab.store, now=lab.now)
    assert deadline(lab, session) == session.deadline + timedelta(minutes=5 + 4)


def test_a_session_whose_time_was_up_before_nobody_was_served_gets_nothing(lab):
    session = lab.seated()
    lab.later(hours=2, minutes=10)
    assert correct(lab, away(lab, minutes=9)) == ([], ())
    assert deadline(lab, session) == session.deadline


def test_a_seat_is_kept_for_longer_when_nobody_was_served_and_when_the_bot_was_down(lab):
    called = lab.described()
    queue.join(lab.store, called.id, now=lab.now)
    assert queue.call_next(lab.store, seats=1, now=lab.now).id == called.id
    beat(lab)
    lab.later(minutes=20)
    correct(lab, away(lab, minutes=18))
    assert due(lab.store, warnings=[], now=lab.now).next_at == lab.now + timedelta(minutes=13)
    lab.later(minutes=20)
    recovery.reconcile(lab.store, now=lab.now)
    assert due(lab.store, warnings=[], now=lab.now).next_at == lab.now + timedelta(minutes=13)


@pytest.mark.parametrize("hours", [3, -3])
def test_when_the_clock_is_set_everything_under_way_moves_with_it(lab, hours):
    session, moved = lab.seated(), timedelta(hours=hours)
    lab.later(minutes=10)
    trial = lab.tried(session, 50.0)
    waiting = lab.described()
    queue.join(lab.store, waiting.id, now=lab.now)
    beat(lab)
    before = trials.get(lab.store, trial.id)
    lab.later(hours=hours)
    correct(lab, clock_set=moved)
    after, tried = sessions.get(lab.store, session.id), trials.get(lab.store, trial.id)
    assert after.deadline - lab.now == timedelta(minutes=110)
    assert (after.started_at, after.given_back_seconds) == (session.started_at + moved, 0)
    assert (tried.submitted_at, tried.ended_at) == (before.submitted_at + moved, before.ended_at + moved)
    assert participants.get(lab.store, waiting.id).waiting_since == lab.now
    assert last_heartbeat(lab.store) == lab.now
    assert events.read(lab.store, kind=EventKind.TIME_GIVEN_BACK) == []
    (event,) = events.read(lab.store, kind=EventKind.CLOCK_SET)
    assert event.details == {"seconds": moved.total_seconds(), "sessions": 1}


def test_a_bot_that_is_stopped_while_nobody_is_served_gives_the_time_back_at_the_next_start(lab):
    session = lab.seated()
    beat(lab)
    served_until = lab.now
    recovery.note_stop(lab.store, now=lab.later(minutes=5), served_until=served_until)
    recovery.reconcile(lab.store, now=lab.later(minutes=1))
    assert deadline(lab, session) == session.deadline + timedelta(minutes=6)
