"""A suggestion is what the baseline's TPE would try next, had it made the participant's trials."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.participant.suggestions import suggest
from storage.queries.history import SessionView, TrialView
from storage.schema.states import SessionState, TrialState
from training.hyperparameters import Configuration
from training.search.searchers import Tpe, derived_seed, draw

NOW = datetime(2030, 3, 1, tzinfo=UTC)
TRIED = draw(14, 5, training_images=1437)


def trial(number: int, configuration: Configuration, accuracy: float | None, state: TrialState) -> TrialView:
    return TrialView(
        id=number,
        session_id=7,
        number=number,
        configuration=configuration,
        comments={},
        state=state,
        validation_accuracy=accuracy,
        submitted_at=NOW,
        started_at=NOW,
        ended_at=NOW,
        cancel_requested_at=None,
        reason=None,
        attempts=1,
        seconds=1.0,
        images_per_second=None,
        epoch_losses=(),
    )


@pytest.fixture
def view() -> SessionView:
    """A session with trials of which one diverged."""
    trials = [trial(number, tried, 3.0 * number, TrialState.COMPLETE) for number, tried in enumerate(TRIED, start=1)]
    trials[3] = replace(trials[3], state=TrialState.DIVERGED, validation_accuracy=None)
    return SessionView(
        id=7,
        participant_id=1,
        participant="P0001",
        task="digits",
        seed=10,
        state=SessionState.ACTIVE,
        started_at=NOW,
        deadline=NOW + timedelta(hours=2),
        grace_ends_at=None,
        finished_at=None,
        given_back=timedelta(0),
        trials=tuple(trials),
        choice=None,
    )


def test_it_is_what_tpe_would_try_next(view):
    history = [(each.configuration, each.validation_accuracy) for each in view.trials]
    assert suggest(view, 1437) == Tpe(derived_seed(10, 7, 14), 1437).next(history)
    assert suggest(view, 1437) == suggest(view, 1437)


def test_other_sessions_get_other_suggestions_from_the_first_form_on(view):
    first = [suggest(replace(view, id=number, trials=()), 1437) for number in range(1, 9)]
    assert len(set(first)) == 8


def test_beside_a_trial_that_trains_other_values_are_suggested(view):
    before = replace(view, trials=view.trials[:5])
    running = trial(6, suggest(before, 1437), None, TrialState.RUNNING)
    assert suggest(replace(view, trials=(*before.trials, running)), 1437) != running.configuration
