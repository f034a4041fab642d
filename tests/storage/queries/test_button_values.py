"""What a button carries leads its own participant back to what it is about, until their link is deleted."""

import pytest

from storage.queries import history
from storage.queries.button_values import find_session, find_trial
from storage.transitions import studies


@pytest.fixture
def tuned(lab):
    """Somebody with a trial, and somebody else."""
    session, other = lab.seated(), lab.seated()
    lab.tried(session, 50.0)
    return history.session_view(lab.store, session.id), history.session_view(lab.store, other.id)


def values(*views):
    return [value for view in views for value in (view.button_value, *(each.button_value for each in view.trials))]


def test_values_lead_back_to_what_they_are_about_and_are_each_persons_own(lab, tuned):
    view, other = tuned
    (trial,) = view.trials
    assert find_session(lab.store, view.participant_id, view.button_value).id == view.id
    assert find_trial(lab.store, view.participant_id, trial.button_value).id == trial.id
    assert history.trial_view(lab.store, trial.id).button_value == trial.button_value
    assert find_session(lab.store, other.participant_id, view.button_value) is None
    assert find_trial(lab.store, other.participant_id, trial.button_value) is None
    assert find_session(lab.store, view.participant_id, trial.button_value) is None
    for unknown in (str(view.id), "", "ü"):
        assert find_session(lab.store, view.participant_id, unknown) is None


def test_values_tell_no_number_and_no_two_are_alike(tuned):
    found = values(*tuned)
    assert len(set(found)) == 3
    assert {len(each) for each in found} == {32}


def test_a_value_leads_nowhere_once_the_link_is_deleted(lab, tuned):
    view, other = tuned
    lab.withdraw(lab_session(view))
    assert find_session(lab.store, view.participant_id, view.button_value) is None
    assert find_trial(lab.store, view.participant_id, view.trials[0].button_value) is None
    assert values(history.session_view(lab.store, view.id)) == ["", ""]
    lab.choose(lab_session(other), lab.submit(lab_session(other)).configuration)
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert find_session(lab.store, other.participant_id, other.button_value) is None


def lab_session(view):
    class Session:
        id, participant_id = view.id, view.participant_id

    return Session
