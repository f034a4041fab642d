"""The status of a participant at every point of the study, made by hand for tests of views."""

from datetime import UTC, datetime, timedelta

from bot.study.participant_status import ParticipantStatus
from storage.queries.history import SessionView, TrialView
from storage.schema.states import ParticipantState, SessionState, StudyState, TrialState
from training.hyperparameters import Configuration

BY_ITSELF = (
    "by itself",
    "by themselves",
    "In a moment you can go on",
    "nothing to do",
    "nothing more to do",
    "write to you",
)
"""Words in messages without a button for the next step: it goes on by itself, or there is nothing more to do."""

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONFIGURATION = Configuration.create(
    {"epochs": 31, "batch_size": 173, "loss": "cross_entropy", "optimizer": "adam", "learning_rate": 1e-3}
)


def trial(number, state=TrialState.COMPLETE, *, accuracy=None, seconds=0, stopping=False):
    return TrialView(
        id=number,
        session_id=1,
        number=number,
        configuration=CONFIGURATION,
        comments={},
        state=state,
        validation_accuracy=accuracy,
        submitted_at=NOW,
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=seconds) if state.is_finished else None,
        cancel_requested_at=NOW if stopping else None,
        reason=None,
        attempts=1,
        seconds=seconds if state.is_finished else None,
        images_per_second=None,
        epoch_losses=(),
    )


def session(*trials, state=SessionState.ACTIVE):
    return SessionView(
        id=1,
        participant_id=1,
        participant="P001",
        task="-",
        seed=10,
        state=state,
        started_at=NOW,
        deadline=NOW,
        grace_ends_at=NOW if state is SessionState.CHOOSING else None,
        finished_at=NOW if state is SessionState.FINISHED else None,
        given_back=timedelta(0),
        trials=trials,
        choice=None,
    )


def statuses():
    """Where people can stand, by name."""
    tuning = {
        "no trial": (),
        "waiting": (trial(1, TrialState.WAITING),),
        "running": (trial(1, accuracy=50.0), trial(2, TrialState.RUNNING)),
        "stopping": (trial(1, TrialState.RUNNING, stopping=True),),
        **{str(end): (trial(1, end),) for end in TrialState if end.is_finished},
    }
    described = {"participant": 1, "state": ParticipantState.DESCRIBED}
    people = {
        "stranger": {},
        "invited": {"participant": 1, "state": ParticipantState.INVITED},
        "consented": {"participant": 1, "state": ParticipantState.CONSENTED},
        "described": described,
        "in the queue": {**described, "position": 2},
        "called": {**described, "position": 1, "called": True},
        **{f"tuning, {name}": {**described, "session": session(*trials)} for name, trials in tuning.items()},
        **{
            f"{state}, {len(trials)} trials": {**described, "session": session(*trials, state=state)}
            for state in (SessionState.CHOOSING, SessionState.FINISHED)
            for trials in ((), (trial(1, accuracy=50.0),))
        },
    }
    return {
        f"{name}, {study}": ParticipantStatus(study, **given) for study in StudyState for name, given in people.items()
    }
