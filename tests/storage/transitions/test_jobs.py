from datetime import timedelta

import numpy as np
import pytest

from storage import events
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind, JobKind, SessionState, TrialState
from storage.transitions import evaluations, jobs, sessions, trials
from storage.transitions.jobs import Ending, PartialEpoch

NAN, INF = float("nan"), float("inf")


def record(lab, job, epoch=1, losses=(2.5, 2.25), loss=2.4, accuracy=12.5) -> bool:
    return jobs.record_epoch(
        lab.store,
        job,
        epoch=epoch,
        batch_losses=losses,
        training_loss=loss,
        validation_accuracy=accuracy,
        seconds=0.5,
    )


def finish(lab, job, state, **outcome):
    return jobs.finish(lab.store, job, Ending(state, **outcome), now=lab.now)


def trial_job(lab):
    lab.submit(lab.seated())
    return lab.claim()


def with_evaluations(lab):
    session = lab.seated()
    lab.tried(session, 50.0)
    return lab.choose(session, 1).choice


def test_nothing_to_do_is_nothing(lab):
    assert jobs.claim(lab.store, now=lab.now, slot=0) is None


def test_a_claim_tells_all_a_worker_needs(lab, make_configuration):
    trial = lab.submit(lab.seated(), learning_rate=0.25)
    job = lab.claim(slot=3)
    assert (job.key, job.task, job.seed, job.attempts, job.slot) == (trial.subject, "digits", 10, 1, 3)
    assert (job.number, job.participant, job.configuration) == (1, "P001", make_configuration(learning_rate=0.25))
    running = trials.get(lab.store, trial.id)
    assert (running.state, running.started_at, running.slot) == (TrialState.RUNNING, lab.now, 3)


def test_trials_go_in_the_order_of_submission_and_before_evaluations(lab):
    with_evaluations(lab)
    first, second = lab.seated(), lab.seated()
    early = lab.submit(second)
    lab.later(seconds=1)
    late = lab.submit(first)
    claimed = [lab.claim() for _ in range(4)]
    assert [each.key for each in claimed] == [early.subject, late.subject, "evaluation:1", "evaluation:2"]
    assert [each.seed for each in claimed] == [10, 10, 0, 1]


def test_a_slot_for_trials_only_gets_no_evaluation(lab):
    with_evaluations(lab)
    assert jobs.claim(lab.store, now=lab.now, slot=0, kinds={JobKind.TRIAL}) is None
    assert lab.claim(kinds={JobKind.EVALUATION}).kind is JobKind.EVALUATION


def test_slots_that_ask_at_once_never_get_the_same_job(lab, at_once):
    with_evaluations(lab)
    claimed = at_once(*[lambda slot=slot: jobs.claim(lab.store, now=lab.now, slot=slot) for slot in range(6)])
    assert len({each.key for each in claimed}) == 6


def test_losses_are_kept_to_the_last_bit_also_when_they_are_no_numbers(lab):
    job = trial_job(lab)
    losses = np.array([0.1, -0.0, INF, -INF, NAN, 3.4e38, 1e-45], dtype=np.float32)
    assert record(lab, job, losses=losses, loss=NAN)
    assert record(lab, job, epoch=2, losses=losses[:3], loss=INF, accuracy=None)
    first, second = history.epochs_of(lab.store, JobKind.TRIAL, job.id)
    assert first.batch_losses.tobytes() == losses.tobytes()
    assert first.batch_losses.dtype == np.float32
    assert np.isnan(first.training_loss)
    assert (second.training_loss, second.validation_accuracy) == (INF, None)
    curve = history.trial_view(lab.store, job.id).epoch_losses
    assert np.isnan(curve[0])
    assert curve[1] == INF


def test_an_epoch_reported_twice_is_kept_once(lab):
    job = trial_job(lab)
    assert record(lab, job, loss=2.4)
    assert record(lab, job, loss=9.9)
    assert history.trial_view(lab.store, job.id).epoch_losses == (2.4,)


def test_completing_keeps_the_result_and_how_it_came_about(lab):
    job = trial_job(lab)
    began = lab.now
    lab.later(seconds=5)
    ended = finish(
        lab,
        job,
        TrialState.COMPLETE,
        accuracy=81.25,
        seconds=4.5,
        images_per_second=900.0,
        environment={"device": "cpu", "threads": 1},
    )
    assert (ended.state, ended.validation_accuracy, ended.ended_at) == (TrialState.COMPLETE, 81.25, lab.now)
    assert ended.started_at == began
    assert (ended.seconds, ended.images_per_second, ended.environment["threads"]) == (4.5, 900.0, 1)
    kinds = [each.kind for each in events.read(lab.store, subject=job.key)]
    assert kinds == [EventKind.TRIAL_SUBMITTED, EventKind.CLAIMED, EventKind.ENDED]


def test_the_losses_of_an_epoch_that_did_not_end_are_kept(lab):
    job = trial_job(lab)
    record(lab, job)
    trials.cancel(lab.store, job.id, now=lab.now)
    ended = finish(lab, job, TrialState.CANCELLED, partial=PartialEpoch(2, (1.5, 1.25)))
    assert ended.state is TrialState.CANCELLED
    whole, part = history.epochs_of(lab.store, JobKind.TRIAL, job.id)
    assert (part.training_loss, part.batch_losses.tolist()) == (None, [1.5, 1.25])
    assert history.trial_view(lab.store, job.id).epoch_losses == (whole.training_loss,)


def test_a_trial_that_completed_before_its_stop_arrived_is_complete(lab):
    job = trial_job(lab)
    trials.cancel(lab.store, job.id, now=lab.now)
    assert finish(lab, job, TrialState.COMPLETE, accuracy=50.0).state is TrialState.COMPLETE


def test_a_job_ends_once_and_takes_nothing_after(lab, at_once):
    job = trial_job(lab)
    results = at_once(
        lambda: finish(lab, job, TrialState.COMPLETE, accuracy=50.0),
        lambda: finish(lab, job, TrialState.DIVERGED),
        lambda: finish(lab, job, TrialState.CANCELLED),
    )
    refused = [each for each in results if isinstance(each, Refused)]
    assert [each.reason for each in refused] == [Reason.NOT_RUNNING] * 2
    assert not record(lab, job)
    assert history.epochs_of(lab.store, JobKind.TRIAL, job.id) == ()


def test_an_ending_that_makes_no_sense_is_an_error():
    with pytest.raises(ValueError, match="cannot end as running"):
        Ending(TrialState.RUNNING)
    with pytest.raises(ValueError, match="only if, it is complete"):
        Ending(TrialState.DIVERGED, accuracy=50.0)
    with pytest.raises(ValueError, match="only if, it is complete"):
        Ending(TrialState.COMPLETE)


def test_a_lost_trial_starts_over_and_its_time_is_given_back(lab):
    job = trial_job(lab)
    session = sessions.get(lab.store, job.session_id)
    record(lab, job)
    lab.later(minutes=3)
    waiting = jobs.lost(lab.store, job, now=lab.now)
    assert waiting.state is TrialState.WAITING
    assert history.epochs_of(lab.store, JobKind.TRIAL, job.id) == ()
    assert sessions.get(lab.store, session.id).deadline == session.deadline + timedelta(minutes=3)
    again = lab.claim(slot=1)
    assert (again.key, again.attempts) == (job.key, 2)


def test_what_the_lost_worker_still_says_is_not_heard(lab):
    old = trial_job(lab)
    jobs.lost(lab.store, old, now=lab.now)
    new = lab.claim(slot=1)
    assert not record(lab, old, loss=9.9)
    with pytest.raises(Refused, match="does not run in slot 0 any more"):
        finish(lab, old, TrialState.COMPLETE, accuracy=1.0)
    with pytest.raises(Refused):
        jobs.lost(lab.store, old, now=lab.now)
    assert record(lab, new, loss=1.1)
    assert finish(lab, new, TrialState.COMPLETE, accuracy=50.0).validation_accuracy == 50.0


def test_only_the_time_before_the_deadline_is_given_back(lab):
    session = lab.seated()
    lab.later(hours=1, minutes=59)
    lab.submit(session)
    job = lab.claim()
    lab.later(minutes=3)
    jobs.lost(lab.store, job, now=lab.now)
    assert sessions.get(lab.store, session.id).deadline == session.deadline + timedelta(minutes=1)


def test_a_trial_lost_three_times_fails_without_fault_and_without_cost(lab):
    job = trial_job(lab)
    deadline = sessions.get(lab.store, job.session_id).deadline
    for _ in range(2):
        lab.later(minutes=1)
        assert jobs.lost(lab.store, job, now=lab.now).state is TrialState.WAITING
        job = lab.claim()
    lab.later(minutes=1)
    failed = jobs.lost(lab.store, job, now=lab.now)
    assert failed.state is TrialState.FAILED
    assert "not your fault" in failed.reason
    assert sessions.get(lab.store, job.session_id).deadline == deadline + timedelta(minutes=3)
    assert lab.submit(sessions.get(lab.store, job.session_id)).number == 2


def test_a_trial_lost_while_it_was_to_stop_is_cancelled(lab):
    job = trial_job(lab)
    deadline = sessions.get(lab.store, job.session_id).deadline
    trials.cancel(lab.store, job.id, now=lab.now)
    lab.later(minutes=1)
    assert jobs.lost(lab.store, job, now=lab.now).state is TrialState.CANCELLED
    assert sessions.get(lab.store, job.session_id).deadline == deadline


def test_a_trial_that_failed_through_our_fault_costs_no_time(lab):
    job = trial_job(lab)
    deadline = sessions.get(lab.store, job.session_id).deadline
    lab.later(minutes=2)
    finish(lab, job, TrialState.FAILED, reason="The machine broke.", our_fault=True)
    assert sessions.get(lab.store, job.session_id).deadline == deadline + timedelta(minutes=2)


def test_a_trial_that_ends_after_its_session_changes_only_itself(lab, make_configuration):
    job = trial_job(lab)
    session = sessions.get(lab.store, job.session_id)
    chosen = lab.choose(session, make_configuration())
    assert chosen.stopped.subject == job.key
    assert finish(lab, job, TrialState.CANCELLED).state is TrialState.CANCELLED
    assert sessions.get(lab.store, session.id).state is SessionState.FINISHED


def test_evaluations_are_recorded_ended_lost_and_retried_like_trials(lab):
    choice = with_evaluations(lab)
    job = lab.claim()
    assert record(lab, job, accuracy=None)
    assert len(history.epochs_of(lab.store, JobKind.EVALUATION, job.id)) == 1
    for _ in range(2):
        jobs.lost(lab.store, job, now=lab.now)
        job = lab.claim()
        assert job.key == "evaluation:1"
    assert jobs.lost(lab.store, job, now=lab.now).state is TrialState.FAILED
    assert evaluations.evaluation_summary(lab.store, choice.id).failed == 1
    (retried,) = evaluations.retry_failed(lab.store, now=lab.now)
    assert (retried.state, retried.reason) == (TrialState.WAITING, None)
    again = lab.claim()
    assert (again.key, again.attempts) == ("evaluation:1", 4)
    lab.complete(again, 66.0)
    assert evaluations.evaluation_summary(lab.store, choice.id).accuracies == (66.0,)
    assert evaluations.retry_failed(lab.store, now=lab.now) == []


def test_an_evaluation_that_is_tried_again_begins_anew(lab):
    with_evaluations(lab)
    job = lab.claim()
    record(lab, job, loss=9.9, accuracy=None)
    finish(lab, job, TrialState.FAILED, partial=PartialEpoch(2, (1.5,)))
    evaluations.retry_failed(lab.store, now=lab.now)
    assert history.epochs_of(lab.store, JobKind.EVALUATION, job.id) == ()
    record(lab, lab.claim(), loss=1.1, accuracy=None)
    assert [each.training_loss for each in history.epochs_of(lab.store, JobKind.EVALUATION, job.id)] == [1.1]


def ran(lab, job, seconds):
    """Let an evaluation end after so many seconds of training."""
    finish(lab, job, TrialState.COMPLETE, accuracy=40.0, seconds=seconds)


def test_final_choices_take_turns_so_that_long_evaluations_do_not_hold_up_others(lab):
    with_evaluations(lab)
    with_evaluations(lab)
    long, short = "P001", "P002"
    first = lab.claim()
    assert first.participant == long, "whoever finished first is first"
    ran(lab, first, seconds=3600.0)
    turns = []
    while job := jobs.claim(lab.store, now=lab.now, slot=0):
        turns.append(job.participant)
        ran(lab, job, seconds=3600.0 if job.participant == long else 60.0)
    seeds = len(lab.seeds)
    assert turns == [short] * seeds + [long] * (seeds - 1)


def test_two_slots_run_evaluations_of_two_people(lab):
    with_evaluations(lab)
    with_evaluations(lab)
    assert {lab.claim(slot=slot).participant for slot in (0, 1)} == {"P001", "P002"}
