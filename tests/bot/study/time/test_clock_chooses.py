"""If a participant does not choose when the time is up, the clock takes the best trial, and says that it did."""

import pytest

from storage import events
from storage.schema.states import Chooser, EventKind, SessionState


@pytest.fixture(scope="module")
def silent(tmp_path_factory, open_alone, run_out):
    """A participant who did not answer, after the grace period."""
    folder, limits = tmp_path_factory.mktemp("silent"), {"limit_minutes": 0.2, "warnings_minutes": [0.1]}
    with open_alone(folder, slots=1, grace_minutes=0.02, **limits) as house:
        ran_out = run_out(house)
        ran_out.person.wait_for("your best configuration was taken", 60)
        yield ran_out


def test_the_clock_takes_the_best_validated_trial(silent):
    session = silent.house.session(silent.person)
    assert session.state is SessionState.FINISHED
    assert (session.choice.trial_number, session.choice.chosen_by) == (session.best.number, Chooser.CLOCK)
    (finished,) = events.read(silent.house.store, kind=EventKind.SESSION_FINISHED)
    assert finished.actor == "clock"


def test_the_report_says_that_the_clock_chose(silent):
    report = silent.house.reported("P001 has finished")
    assert "final choice: trial 1, made by the clock" in report.text_of_everything


@pytest.mark.parametrize(
    ("shown", "button", "explanation"),
    [
        ("root", "New configuration", "This session is over"),
        ("root", "Finish", "you cannot choose any more"),
        ("up", "Choose", "you cannot choose any more"),
        ("running", "Cancel", "there is nothing to cancel"),
        ("complete", "Tune from here", "This session is over"),
    ],
)
def test_an_old_button_of_an_ended_session_is_answered_in_private(silent, repost, shown, button, explanation):
    before = silent.house.session(silent.person)
    old = repost(silent.house, silent.person, getattr(silent, shown))
    silent.person.press(old, button)
    silent.house.told(silent.person, explanation, after=old.ts)
    assert silent.house.session(silent.person) == before
    assert silent.person.modal() is None
