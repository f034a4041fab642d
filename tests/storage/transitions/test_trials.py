import pytest

from storage import events
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.comments import Comment, Remark
from storage.schema.states import EventKind, TrialState
from storage.transitions import jobs, studies, trials


def refusal(call) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def test_a_submission_keeps_values_and_comments(lab, make_configuration):
    session = lab.seated()
    trial = lab.submit(session, learning_rate="3e-4", momentum=0.9)
    assert (trial.number, trial.state, trial.submitted_at) == (1, TrialState.WAITING, lab.now)
    view = history.trial_view(lab.store, trial.id)
    assert view.configuration == make_configuration(learning_rate=3e-4, momentum=0.9)
    assert view.comments == {
        "learning_rate": Remark(Comment.GUESS),
        "epochs": Remark(Comment.OTHER, "time is short"),
    }


def test_a_second_submission_is_told_about_the_first(lab):
    session = lab.seated()
    lab.submit(session)
    waiting = refusal(lambda: lab.submit(session))
    assert (waiting.reason, str(waiting)) == (
        Reason.TRIAL_UNFINISHED,
        "Trial 1 is waiting, and you can have one trial at a time. "
        "Wait until it ends, or cancel it. Then submit again.",
    )
    job = lab.claim()
    assert "Trial 1 is training" in str(refusal(lambda: lab.submit(session)))
    trials.cancel(lab.store, job.id, now=lab.now)
    assert "Trial 1 is being stopped" in str(refusal(lambda: lab.submit(session)))


def test_submit_pressed_many_times_at_once_makes_one_trial(lab, at_once):
    session = lab.seated()
    results = at_once(*[lambda: lab.submit(session)] * 4)
    assert sum(isinstance(each, Refused) for each in results) == 3
    assert len(history.session_view(lab.store, session.id).trials) == 1


def test_the_last_moment_counts_and_the_deadline_itself_does_not(lab):
    session = lab.seated()
    lab.now = session.deadline
    assert refusal(lambda: lab.submit(session)).reason is Reason.TIME_IS_UP
    lab.later(microseconds=-1)
    assert lab.submit(session).number == 1


def test_nothing_is_submitted_after_the_time_or_the_session(lab, make_configuration):
    session = lab.seated()
    lab.later(hours=2)
    lab.expire(session)
    assert refusal(lambda: lab.submit(session)).reason is Reason.TIME_IS_UP
    lab.choose(session, make_configuration())
    assert refusal(lambda: lab.submit(session)).reason is Reason.SESSION_OVER


def test_submit_and_expire_at_the_deadline_leave_no_unfinished_trial(lab, at_once):
    for _ in range(3):
        lab.seats += 1
        session = lab.seated()
        lab.now = session.deadline
        at_once(lambda s=session: lab.submit(s), lambda s=session: lab.expire(s))
        assert history.session_view(lab.store, session.id).unfinished is None


def test_a_form_that_is_sent_again_with_the_same_values_is_the_same_trial(lab):
    """Somebody sends a form again because no answer came, and in the meantime its trial may have ended."""
    session = lab.seated()
    first = lab.submit(session, form="form-1")
    assert lab.submit(session, form="form-1").id == first.id
    lab.complete(lab.claim())
    assert lab.submit(session, form="form-1").id == first.id
    lab.later(hours=3)
    lab.expire(session)
    assert lab.submit(session, form="form-1").id == first.id
    assert len(history.session_view(lab.store, session.id).trials) == 1
    assert len(events.read(lab.store, kind=EventKind.TRIAL_SUBMITTED)) == 1


def test_a_form_that_is_sent_again_with_other_values_or_another_form_is_a_trial_of_its_own(lab):
    session = lab.seated()
    lab.submit(session, form="form-1")
    assert refusal(lambda: lab.submit(session, form="form-1", epochs=7)).reason is Reason.TRIAL_UNFINISHED
    lab.complete(lab.claim())
    for form, epochs in (("form-1", 7), ("form-2", 7), ("", 7), ("", 7)):
        lab.submit(session, form=form, epochs=epochs)
        lab.complete(lab.claim())
    assert len(history.session_view(lab.store, session.id).trials) == 5


def test_a_comment_on_no_hyperparameter_is_an_error(lab, make_configuration):
    session = lab.seated()
    with pytest.raises(KeyError, match="no such hyperparameter: dropout"):
        trials.submit(
            lab.store,
            session.id,
            configuration=make_configuration(),
            comments={"dropout": Remark(Comment.GUESS)},
            now=lab.now,
        )


def test_a_waiting_trial_is_cancelled_at_once(lab):
    trial = lab.submit(lab.seated())
    cancelled = trials.cancel(lab.store, trial.id, now=lab.later(seconds=5))
    assert (cancelled.state, cancelled.ended_at) == (TrialState.CANCELLED, lab.now)
    again = refusal(lambda: trials.cancel(lab.store, trial.id, now=lab.now))
    assert (again.reason, str(again)) == (
        Reason.TRIAL_FINISHED,
        "Trial 1 was cancelled, so there is nothing to cancel.",
    )
    assert [each.kind for each in events.read(lab.store, subject=trial.subject)] == [
        "trial_submitted",
        "cancel_requested",
        "ended",
    ]


def test_a_running_trial_is_asked_to_stop_once(lab):
    trial = lab.submit(lab.seated())
    lab.claim()
    asked = trials.cancel(lab.store, trial.id, now=lab.now)
    assert (asked.state, asked.cancel_requested_at) == (TrialState.RUNNING, lab.now)
    assert history.trial_view(lab.store, trial.id).is_stopping
    assert refusal(lambda: trials.cancel(lab.store, trial.id, now=lab.now)).reason is Reason.ALREADY_STOPPING


def test_the_log_tells_when_somebody_else_cancels(lab):
    trial = lab.submit(lab.seated())
    trials.cancel(lab.store, trial.id, now=lab.now, actor="researcher")
    assert {each.actor for each in events.read(lab.store, kind=EventKind.CANCEL_REQUESTED)} == {"researcher"}


def ran_on(lab, machine):
    """The trial that is claimed next, trained on a machine."""
    ending = jobs.Ending(TrialState.COMPLETE, accuracy=50.0, environment={"processor": machine})
    jobs.finish(lab.store, lab.claim(), ending, now=lab.now)


def test_what_the_last_trial_ran_on_is_known_of_people_and_searchers_and_of_a_closed_study(lab):
    assert trials.latest_environment(lab.store) is None
    session = lab.seated()
    lab.submit(session)
    ran_on(lab, "a person's")
    assert trials.latest_environment(lab.store) == {"processor": "a person's"}
    trials.cancel(lab.store, lab.submit(session).id, now=lab.now)
    assert trials.latest_environment(lab.store) == {"processor": "a person's"}
    lab.choose(session, 1)
    lab.start_random(1)
    while not (job := lab.claim()).of_searcher:
        lab.complete(job)
    jobs.finish(
        lab.store, job, jobs.Ending(TrialState.COMPLETE, accuracy=9.0, environment={"processor": "last"}), now=lab.now
    )
    assert trials.latest_environment(lab.store) == {"processor": "last"}
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert trials.latest_environment(lab.store) == {"processor": "last"}


def test_other_needs_a_text_and_the_rest_have_none():
    with pytest.raises(ValueError, match="in a few words"):
        Remark(Comment.OTHER, "  ")
    assert Remark(Comment.PAST, "ignored").text == ""
    assert str(Remark(Comment.LEARNED)) == "It is the value I learnt from previous submissions."
    assert str(Remark(Comment.OTHER, " my own ")) == "my own"
