from datetime import timedelta

import pytest

from storage import events
from storage.queries import history, people
from storage.refusals import Reason, Refused
from storage.schema.states import Chooser, EventKind, JobKind, ParticipantState, SessionEnd, SessionState, TrialState
from storage.transitions import baselines, evaluations, jobs, queue, recovery, sessions, studies, trials
from storage.transitions.jobs import LOST_TOO_OFTEN, MOST_LOST_RUNS, Ending
from tests.storage.reading import evaluations_of, final_choice_of, unfinished_sessions

RESEARCHER = "researcher-1"


def refusal(call) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def submit(lab, session, make_configuration, **values):
    return baselines.submit(lab.store, session.id, make_configuration(**values), now=lab.now)


def tried(lab, session, make_configuration, accuracy, **values):
    trial = submit(lab, session, make_configuration, **values)
    lab.complete(lab.claim(), accuracy)
    return trial


def choose(lab, session):
    return baselines.choose(lab.store, session.id, seeds=lab.seeds, now=lab.now)


def stop(lab):
    return baselines.stop(lab.store, actor=RESEARCHER, now=lab.now)


def status(lab, number=0):
    return baselines.statuses(lab.store, 1)[number]


def test_random_search_is_one_artificial_participant_whose_trials_all_wait(lab, make_configuration):
    baseline = lab.start_random(3)
    assert (baseline.code, baseline.wanted, baseline.started_by) == ("R1", 3, RESEARCHER)
    (view,) = baselines.members(lab.store, baseline.id)
    assert (view.participant, view.state, view.seed) == ("R1", SessionState.ACTIVE, 10)
    assert [(each.number, each.state) for each in view.trials] == [(n, TrialState.WAITING) for n in (1, 2, 3)]
    assert view.trials[1].configuration == make_configuration(learning_rate=0.02)
    assert [each.code for each in baselines.running(lab.store)] == ["R1"]
    (event,) = events.read(lab.store, kind=EventKind.BASELINE_STARTED)
    assert (event.actor, event.details["searcher"], event.details["wanted"]) == (RESEARCHER, "random", 3)
    assert len(events.read(lab.store, kind=EventKind.TRIAL_SUBMITTED, participant="R1")) == 3


def test_random_search_ends_without_a_final_choice_when_all_is_trained(lab):
    baseline = lab.start_random(2)
    (view,) = baselines.members(lab.store, baseline.id)
    lab.complete(lab.claim(), 30.0)
    left = refusal(lambda: baselines.end_random(lab.store, view.id, now=lab.now))
    assert (left.reason, "1 of the trials" in str(left)) == (Reason.TRIAL_UNFINISHED, True)
    jobs.finish(lab.store, lab.claim(), Ending(TrialState.DIVERGED), now=lab.now)
    assert (status(lab).done, status(lab).complete, status(lab).accuracies) == (2, 1, (30.0,))
    ended = baselines.end_random(lab.store, view.id, now=lab.now)
    assert (ended.state, ended.ended_as) == (SessionState.FINISHED, SessionEnd.EMPTY)
    assert final_choice_of(lab.store, view.id) is None
    assert baselines.running(lab.store) == []
    assert lab.start_random(1).code == "R2"


def test_random_search_draws_in_advance_and_chooses_nothing(lab, make_configuration):
    baseline = lab.start_random(1)
    (view,) = baselines.members(lab.store, baseline.id)
    lab.complete(lab.claim())
    for call in (lambda: submit(lab, view, make_configuration), lambda: choose(lab, view)):
        assert refusal(call).reason is Reason.NO_BASELINE
    member = lab.member(lab.start_tpe())
    assert refusal(lambda: baselines.end_random(lab.store, member.id, now=lab.now)).reason is Reason.NO_BASELINE


def test_tpes_participants_come_one_by_one_until_all_are_there(lab):
    baseline = lab.start_tpe(wanted=2)
    first, second = lab.member(baseline), lab.member(baseline)
    assert [each.participant for each in baselines.members(lab.store, baseline.id)] == ["T1-01", "T1-02"]
    assert first.id != second.id
    assert baselines.next_member(lab.store, baseline.id, training_seed=10, now=lab.now) is None
    person = people.find_by_code(lab.store, "t1-02")
    assert (person.code, person.state, person.task) == ("T1-02", ParticipantState.DESCRIBED, "digits")
    random = lab.start_random(1)
    refused = refusal(lambda: baselines.next_member(lab.store, random.id, training_seed=10, now=lab.now))
    assert refused.reason is Reason.NO_BASELINE


def test_a_searcher_tries_one_configuration_at_a_time_and_chooses_its_best(lab, make_configuration):
    session = lab.member(lab.start_tpe(wanted=1))
    tried(lab, session, make_configuration, 40.0, learning_rate=0.1)
    tried(lab, session, make_configuration, 60.0, learning_rate=0.2)
    submit(lab, session, make_configuration)
    assert refusal(lambda: submit(lab, session, make_configuration)).reason is Reason.TRIAL_UNFINISHED
    chosen = choose(lab, session)
    assert (chosen.trial.number, chosen.choice.chosen_by, chosen.choice.learning_rate) == (2, Chooser.SEARCHER, 0.2)
    assert chosen.session.ended_as is SessionEnd.CHOSEN
    assert chosen.stopped.state is TrialState.CANCELLED
    assert len(evaluations_of(lab.store, chosen.choice.id)) == len(lab.seeds)
    assert refusal(lambda: submit(lab, session, make_configuration)).reason is Reason.SESSION_OVER
    assert refusal(lambda: choose(lab, session)).reason is Reason.SESSION_OVER
    assert baselines.running(lab.store) == []
    assert (status(lab).done, status(lab).complete, status(lab).accuracies) == (1, 1, (60.0,))


def test_a_searcher_that_measured_nothing_ends_without_a_choice(lab):
    chosen = choose(lab, lab.member(lab.start_tpe(wanted=1)))
    assert (chosen.choice, chosen.session.ended_as) == (None, SessionEnd.EMPTY)
    assert (status(lab).done, status(lab).complete) == (1, 0)


def test_one_baseline_of_a_searcher_at_a_time(lab):
    lab.start_random(1)
    lab.start_tpe()
    for again in (lambda: lab.start_random(1), lab.start_tpe):
        assert refusal(again).reason is Reason.BASELINE_RUNNING
    assert [each.code for each in baselines.running(lab.store)] == ["R1", "T1"]


def test_a_baseline_belongs_to_a_study_that_is_open_or_paused(empty_lab):
    lab = empty_lab
    assert refusal(lambda: lab.start_random(1)).reason is Reason.NO_STUDY
    lab.prepare()
    assert refusal(lambda: lab.start_random(1)).reason is Reason.STUDY_NOT_OPEN
    lab.open()
    studies.pause_study(lab.store, actor=RESEARCHER, now=lab.now)
    assert lab.start_random(1).code == "R1"
    studies.close_study(lab.store, actor=RESEARCHER, now=lab.now)
    assert refusal(lab.start_tpe).reason is Reason.STUDY_CLOSED
    assert baselines.running(lab.store) == []


def test_a_baseline_that_asks_for_nothing_is_an_error(lab):
    for senseless in (
        lambda: lab.start_random(0),
        lambda: lab.start_tpe(0),
        lambda: lab.start_tpe(1, tries=None),
        lambda: lab.start_tpe(1, tries=0),
        lambda: lab.start_tpe(1, seconds=0.0),
    ):
        with pytest.raises(ValueError, match="needs"):
            senseless()
    assert baselines.statuses(lab.store, 1) == []


def test_stopping_cancels_what_waits_and_names_what_workers_have_to_stop(lab, make_configuration):
    first, second = lab.start_random(3), lab.start_tpe(wanted=3)
    lab.member(second)
    job = lab.claim()
    submit(lab, lab.member(second), make_configuration)
    stopped = stop(lab)
    assert [each.code for each in stopped.baselines] == ["R1", "T1"]
    states = [(each.subject, each.state) for each in stopped.trials]
    assert states == [
        (job.key, TrialState.RUNNING),
        *((f"trial:{number}", TrialState.CANCELLED) for number in (2, 3, 4)),
    ]
    ended = [*baselines.members(lab.store, first.id), *baselines.members(lab.store, second.id)]
    assert {each.ended_as for each in ended} == {SessionEnd.CANCELLED}
    assert status(lab).stopped
    assert not status(lab).is_over
    jobs.finish(lab.store, job, Ending(TrialState.CANCELLED), now=lab.now)
    assert status(lab).is_over
    assert baselines.next_member(lab.store, second.id, training_seed=10, now=lab.now) is None
    assert refusal(lambda: stop(lab)).reason is Reason.NO_BASELINE
    assert lab.claim_nothing()
    assert [each.actor for each in events.read(lab.store, kind=EventKind.BASELINE_STOPPED)] == [RESEARCHER] * 2


def test_stopping_cancels_evaluations_unless_they_run(lab, make_configuration):
    baseline = lab.start_tpe(wanted=2)
    session = lab.member(baseline)
    tried(lab, session, make_configuration, 50.0)
    choice = choose(lab, session).choice
    job = lab.claim()
    stop(lab)
    states = [each.state for each in evaluations_of(lab.store, choice.id)]
    assert states == [TrialState.RUNNING] + [TrialState.CANCELLED] * 9
    lab.complete(job, 70.0)
    assert evaluations.evaluation_summary(lab.store, choice.id).mean == 70.0


def test_people_come_first_then_their_evaluations_then_searchers(lab, make_configuration):
    searching = lab.member(lab.start_tpe(wanted=1))
    tried(lab, searching, make_configuration, 50.0)
    lab.seeds = (1,)
    choose(lab, searching)
    lab.start_random(1)
    lab.later(minutes=1)
    chooser, person = lab.seated(), lab.seated()
    lab.submit(chooser)
    lab.complete(jobs.claim(lab.store, now=lab.now, slot=0, kinds={JobKind.TRIAL}))
    lab.choose(chooser, 1)
    lab.submit(person)
    order = [lab.claim() for _ in range(4)]
    assert [(each.participant, each.kind, each.of_searcher) for each in order] == [
        ("P002", JobKind.TRIAL, False),
        ("P001", JobKind.EVALUATION, False),
        ("R1", JobKind.TRIAL, True),
        ("T1-01", JobKind.EVALUATION, True),
    ]


def test_a_slot_that_is_lent_is_given_to_people_only(lab):
    lab.start_random(2)
    assert jobs.claim(lab.store, now=lab.now, slot=0, kinds={JobKind.TRIAL}) is None
    lab.submit(lab.seated())
    assert jobs.claim(lab.store, now=lab.now, slot=0, kinds={JobKind.TRIAL}).participant == "P001"


def test_searchers_hold_no_seat_stand_in_no_line_and_have_no_clock(lab):
    lab.seats = 1
    lab.start_random(2)
    lab.member(lab.start_tpe())
    assert unfinished_sessions(lab.store) == []
    person = lab.seated()
    assert [each.id for each in unfinished_sessions(lab.store)] == [person.id]
    assert lab.invite().code == "P002"


def test_people_cannot_act_for_a_searcher_nor_searchers_for_people(lab, make_configuration):
    lab.start_random(1)
    (view,) = baselines.members(lab.store, 1)
    searchers = sessions.get(lab.store, view.id)
    person = lab.seated()
    hour = timedelta(hours=1)
    for call in (
        lambda: lab.submit(searchers),
        lambda: lab.choose(searchers, 1),
        lambda: lab.withdraw(searchers),
        lambda: sessions.cancel_session(lab.store, view.id, actor=RESEARCHER, now=lab.now),
        lambda: sessions.extend_by_researcher(lab.store, view.id, hour, actor=RESEARCHER, now=lab.now),
        lambda: queue.join(lab.store, view.participant_id, now=lab.now),
        lambda: sessions.expire(lab.store, view.id, grace=lab.grace, now=lab.later(days=1)),
    ):
        assert refusal(call).reason is Reason.NOT_A_PERSON
    for call in (
        lambda: submit(lab, person, make_configuration),
        lambda: choose(lab, person),
        lambda: baselines.end_random(lab.store, person.id, now=lab.now),
    ):
        assert refusal(call).reason is Reason.NO_BASELINE


def test_a_searchers_lost_trial_runs_again_and_no_time_is_given_back(lab):
    baseline = lab.start_random(1)
    lost = lab.claim()
    lab.later(minutes=5)
    assert jobs.lost(lab.store, lost, now=lab.now).state is TrialState.WAITING
    again = lab.claim()
    assert (again.key, again.attempts) == (lost.key, 2)
    recovery.heartbeat(lab.store, now=lab.now)
    found = recovery.reconcile(lab.store, now=lab.later(minutes=5))
    assert [each.subject for each in found.trials] == [lost.key]
    assert found.given_back == ()
    assert events.read(lab.store, kind=EventKind.TIME_GIVEN_BACK) == []
    (view,) = baselines.members(lab.store, baseline.id)
    assert view.given_back == timedelta(0)


def test_a_searchers_trial_lost_too_often_fails_and_promises_nobody_anything(lab):
    lab.start_random(1)
    for _ in range(MOST_LOST_RUNS):
        run = jobs.lost(lab.store, lab.claim(), now=lab.now)
    assert run.state is TrialState.FAILED
    assert run.reason != LOST_TOO_OFTEN


def test_the_overview_counts_people_and_names_searchers_beside_them(lab, make_configuration):
    lab.start_random(2)
    tpe = lab.start_tpe(wanted=2)
    session = lab.member(tpe)
    lab.complete(lab.claim(), 25.0)
    lab.claim()
    overview = history.status(lab.store, now=lab.now)
    assert sum(overview.participants.values()) == sum(overview.sessions.values()) == sum(overview.trials.values()) == 0
    assert (overview.running, overview.trials_last_hour) == ((), 0)
    random, members = overview.baselines
    assert (random.code, random.done, random.running, random.wanted) == ("R1", 1, 1, 2)
    assert (members.code, members.done, members.running, members.wanted) == ("T1", 0, 1, 2)
    assert history.sessions(lab.store, 1) == []
    assert [each.id for each in history.sessions(lab.store, 1, searchers=True)][-1] == session.id
    assert people.people(lab.store, 1) == []
    assert trials.get(lab.store, 1).drawn


def test_baselines_asked_for_at_once_are_one(lab, at_once):
    results = at_once(*[lambda: lab.start_random(2)] * 3)
    assert sorted(type(each).__name__ for each in results) == ["Baseline", "Refused", "Refused"]
    tpe = lab.start_tpe(wanted=2)
    members = at_once(*[lambda: baselines.next_member(lab.store, tpe.id, training_seed=10, now=lab.now)] * 4)
    assert sum(each is not None for each in members) == 2
