from datetime import timedelta

import pytest

from storage import events
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import Chooser, EventKind, SessionState, TrialState
from storage.transitions import choices, evaluations, jobs, participants, trials
from storage.transitions.jobs import Ending
from tests.storage.reading import evaluations_of, final_choice_of
from training.hyperparameters import InvalidConfiguration


def refusal(call) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def by_clock(lab, session) -> choices.Chosen:
    return choices.choose_by_clock(lab.store, session.id, seeds=lab.seeds, now=lab.now)


def over(lab, session) -> None:
    lab.now = max(lab.now, session.deadline)
    lab.expire(session)
    lab.now += lab.grace


def test_choosing_a_trial_ends_the_session_and_plans_one_evaluation_per_seed(lab, make_configuration):
    session = lab.seated()
    lab.tried(session, 60.0, learning_rate=0.1)
    lab.tried(session, 70.0, learning_rate=0.2)
    chosen = lab.choose(session, 1)
    assert (chosen.session.state, chosen.session.finished_at) == (SessionState.FINISHED, lab.now)
    assert (chosen.choice.chosen_by, chosen.trial.number) == (Chooser.PARTICIPANT, 1)
    assert chosen.choice.configuration == make_configuration(learning_rate=0.1)
    planned = evaluations_of(lab.store, chosen.choice.id)
    assert [(each.seed, each.state) for each in planned] == [(seed, TrialState.WAITING) for seed in range(10)]
    assert history.session_view(lab.store, session.id).choice.trial_number == 1


def test_a_configuration_never_tried_can_be_chosen(lab, make_configuration):
    session = lab.seated()
    chosen = lab.choose(session, make_configuration(optimizer="adam", beta1=0.5))
    assert chosen.choice.trial_id is None
    assert final_choice_of(lab.store, session.id).configuration.beta1 == 0.5


def test_a_batch_larger_than_the_training_set_cannot_be_chosen_and_nothing_ends(lab, make_configuration):
    session = lab.seated()
    with pytest.raises(InvalidConfiguration, match="about 1,400 images"):
        lab.choose(session, make_configuration(batch_size=2000))
    assert history.session_view(lab.store, session.id).state is SessionState.ACTIVE


@pytest.mark.parametrize(
    ("state", "words"),
    [(TrialState.CANCELLED, "was cancelled"), (TrialState.DIVERGED, "diverged"), (TrialState.FAILED, "failed")],
)
def test_a_trial_without_a_validation_accuracy_cannot_be_chosen(lab, state, words):
    session = lab.seated()
    lab.submit(session)
    assert "has not ended yet" in str(refusal(lambda: lab.choose(session, 1)))
    jobs.finish(lab.store, lab.claim(), Ending(state), now=lab.now)
    refused = refusal(lambda: lab.choose(session, 1))
    assert refused.reason is Reason.NOT_COMPLETE
    assert f"Trial 1 {words}" in str(refused)
    assert "enter its values" in str(refused)


def test_a_trial_of_somebody_else_cannot_be_chosen(lab):
    mine, theirs = lab.seated(), lab.seated()
    lab.tried(theirs, 50.0)
    assert refusal(lambda: lab.choose(mine, 1)).reason is Reason.NO_SUCH_TRIAL


def test_choosing_while_a_trial_waits_cancels_it_and_while_one_runs_stops_it(lab, make_configuration):
    first, second = lab.seated(), lab.seated()
    lab.submit(first)
    job = lab.claim()
    lab.submit(second)
    running, waiting = (lab.choose(session, make_configuration()).stopped for session in (first, second))
    assert (running.subject, running.state) == (job.key, TrialState.RUNNING)
    assert waiting.state is TrialState.CANCELLED


def test_the_first_choice_stands(lab, at_once):
    session = lab.seated()
    lab.tried(session, 60.0)
    lab.tried(session, 70.0)
    results = at_once(lambda: lab.choose(session, 1), lambda: lab.choose(session, 2))
    assert sorted(type(each).__name__ for each in results) == ["Chosen", "Refused"]
    winner = next(each for each in results if not isinstance(each, Refused))
    assert final_choice_of(lab.store, session.id).trial_id == winner.trial.id
    assert len(evaluations.due(lab.store)) == 10


def test_the_choice_is_open_until_the_grace_period_ends(lab):
    session = lab.seated()
    lab.tried(session, 60.0)
    lab.later(hours=2)
    lab.expire(session)
    lab.now += lab.grace
    refused = refusal(lambda: lab.choose(session, 1))
    assert (refused.reason, "choose the best of your trials for you" in str(refused)) == (Reason.TIME_IS_UP, True)
    lab.now -= timedelta(microseconds=1)
    assert lab.choose(session, 1).choice.chosen_by is Chooser.PARTICIPANT


def test_the_clock_waits_for_the_end_of_the_grace_period(lab):
    session = lab.seated()
    assert refusal(lambda: by_clock(lab, session)).reason is Reason.NOT_YET
    lab.later(hours=2)
    lab.expire(session)
    assert refusal(lambda: by_clock(lab, session)).reason is Reason.NOT_YET


def test_the_clock_takes_the_best_trial_and_of_equal_ones_the_earlier(lab):
    session = lab.seated()
    for accuracy in (40.0, 80.0, 80.0, 10.0):
        lab.tried(session, accuracy)
    over(lab, session)
    chosen = by_clock(lab, session)
    assert (chosen.trial.number, chosen.choice.chosen_by) == (2, Chooser.CLOCK)
    assert refusal(lambda: by_clock(lab, session)).reason is Reason.SESSION_OVER
    assert history.session_view(lab.store, session.id).best.number == 2


def test_without_a_measured_trial_the_clock_takes_the_last_submission(lab):
    session = lab.seated()
    for rate in (0.1, 0.2):
        trial = lab.submit(session, learning_rate=rate)
        trials.cancel(lab.store, trial.id, now=lab.now)
    over(lab, session)
    chosen = by_clock(lab, session)
    assert (chosen.trial.number, chosen.choice.learning_rate) == (2, 0.2)


def test_who_never_submitted_anything_ends_without_a_choice(lab):
    session = lab.seated()
    over(lab, session)
    chosen = by_clock(lab, session)
    assert (chosen.choice, chosen.session.state) == (None, SessionState.FINISHED)
    assert evaluations.due(lab.store) == []


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_are_some_and_different(lab, seeds):
    session = lab.seated()
    lab.tried(session, 60.0)
    lab.seeds = seeds
    with pytest.raises(ValueError, match="at least one seed, and no seed twice"):
        lab.choose(session, 1)


def test_a_summary_counts_what_was_measured(lab):
    lab.seeds = (1, 2, 3, 4)
    session = lab.seated()
    lab.tried(session, 60.0)
    choice = lab.choose(session, 1).choice
    empty = evaluations.evaluation_summary(lab.store, choice.id)
    assert (empty.total, empty.done, empty.mean, empty.sd) == (4, 0, None, None)
    for accuracy in (50.0, 60.0, 70.0):
        lab.complete(lab.claim(), accuracy)
    assert not evaluations.evaluation_summary(lab.store, choice.id).all_done
    jobs.finish(lab.store, lab.claim(), Ending(TrialState.DIVERGED), now=lab.now)
    summary = evaluations.evaluation_summary(lab.store, choice.id)
    assert (summary.accuracies, summary.mean, summary.sd) == ((50.0, 60.0, 70.0), 60.0, 10.0)
    assert (summary.complete, summary.diverged, summary.all_done) == (3, 1, True)
    assert evaluations.evaluation_summary(lab.store, choice.id).all_done


def test_seeds_that_the_rules_have_more_after_an_amendment_are_added_to_every_choice(lab):
    lab.seats, lab.seeds = 3, (1, 2)
    first, second, left = lab.seated(), lab.seated(), lab.seated()
    for session in (first, second, left):
        lab.tried(session, 60.0)
        lab.choose(session, 1)
    lab.withdraw(left)
    assert evaluations.ensure(lab.store, seeds=(1, 2), now=lab.now) == 0
    assert evaluations.ensure(lab.store, seeds=(2, 3, 4), now=lab.now) == 4
    choice = final_choice_of(lab.store, first.id)
    assert [each.seed for each in evaluations_of(lab.store, choice.id)] == [1, 2, 3, 4]
    assert evaluations.ensure(lab.store, seeds=(2, 3, 4), now=lab.now) == 0
    (event,) = events.read(lab.store, kind=EventKind.EVALUATIONS_ADDED)
    assert event.details == {"count": 4}
    with pytest.raises(ValueError, match="at least one seed"):
        evaluations.ensure(lab.store, seeds=(), now=lab.now)


def test_the_evaluations_of_one_participant_are_cancelled_and_their_results_are_kept(lab):
    for _ in range(2):
        session = lab.seated()
        lab.tried(session, 50.0)
        choice = lab.choose(session, 1).choice
    done = lab.claim()
    jobs.finish(lab.store, done, Ending(TrialState.COMPLETE, accuracy=40.0, seconds=1.0), now=lab.now)
    first = final_choice_of(lab.store, done.session_id)
    other, running = lab.claim(), lab.claim(slot=1)
    assert (other.participant, running.participant) == ("P002", "P001")
    participant = participants.find_by_code(lab.store, "P001")

    cancelled = evaluations.cancel(lab.store, participant.id, now=lab.now, actor="researcher-1")
    assert [each.id for each in cancelled.running] == [running.id]
    assert cancelled.count == len(lab.seeds) - 1
    summary = evaluations.evaluation_summary(lab.store, first.id)
    assert (summary.all_done, summary.complete, summary.cancelled) == (True, 1, len(lab.seeds) - 1)
    assert summary.accuracies == (40.0,)
    assert not evaluations.evaluation_summary(lab.store, choice.id).all_done, "nobody else's were cancelled"
    [event] = events.read(lab.store, kind=EventKind.EVALUATIONS_CANCELLED)
    assert (event.actor, event.participant, event.details["count"]) == ("researcher-1", "P001", cancelled.count)
    with pytest.raises(Refused, match="nothing to cancel"):
        evaluations.cancel(lab.store, participant.id, now=lab.now)
    with pytest.raises(Refused):
        jobs.finish(lab.store, running, Ending(TrialState.COMPLETE, accuracy=1.0), now=lab.now)
    assert evaluations.retry_failed(lab.store, now=lab.now) == []
    assert evaluations.ensure(lab.store, seeds=lab.seeds, now=lab.now) == 0


def test_failed_evaluations_of_somebody_who_left_are_not_tried_again(lab):
    lab.seeds = (1,)
    stays, leaves = lab.seated(), lab.seated()
    for session in (stays, leaves):
        lab.tried(session, 60.0)
        lab.choose(session, 1)
        jobs.finish(lab.store, lab.claim(), Ending(TrialState.FAILED), now=lab.now)
    lab.withdraw(leaves)
    retried = evaluations.retry_failed(lab.store, now=lab.now, actor="researcher-1")
    assert [each.id for each in retried] == [1]
    assert events.read(lab.store, kind=EventKind.RETRIED)[0].actor == "researcher-1"
