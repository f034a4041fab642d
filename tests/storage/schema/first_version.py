"""The rows of a database of the first version: everything that a study could hold then."""

from datetime import UTC, datetime, timedelta
from typing import Any

from storage.schema.losses import pack
from storage.schema.tables import Trial
from training.hyperparameters import Configuration

NINE = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
ELEVEN = NINE + timedelta(hours=2)
VALUES = Trial.values(
    Configuration.create({"epochs": 2, "batch_size": 64, "loss": "nll", "optimizer": "sgd", "learning_rate": 0.25})
)
RULES = '{"study": {"name": "skill"}}'
Rows = dict[str, list[dict[str, Any]]]


def participant(number: int, state: str = "described", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "study_id": 1,
        "code": f"P{number:03}",
        "state": state,
        "invited_at": NINE,
        "months": 6.0,
        "education": "Doctorate",
        "answers": {"age": "30"},
        **more,
    }


def session(number: int, state: str = "finished", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "participant_id": number,
        "task": "digits",
        "seed": 10,
        "state": state,
        "started_at": NINE,
        "limit_seconds": 7200.0,
        "deadline": ELEVEN,
        "finished_at": ELEVEN if state == "finished" else None,
        "given_back_seconds": 0.0,
        **more,
    }


def run(state: str) -> dict[str, Any]:
    return {"state": state, "attempts": 1, "lost_runs": 0, "environment": {"threads": 1}, "started_at": NINE}


def trial(number: int, session_id: int, state: str = "complete") -> dict[str, Any]:
    accuracy = 50.0 if state == "complete" else None
    submitted = {"id": number, "session_id": session_id, "number": 1, "submitted_at": NINE}
    return {**submitted, "validation_accuracy": accuracy, **run(state), **VALUES}


ROWS: Rows = {
    "heartbeat": [{"id": 1, "at": NINE}],
    "study": [
        {
            "id": 1,
            "name": "skill",
            "state": "paused",
            "current": True,
            "rules_toml": RULES,
            "rules_hash": "a" * 64,
            "opened_at": NINE,
            "paused_at": ELEVEN,
        },
        {
            "id": 2,
            "name": "earlier",
            "state": "closed",
            "current": None,
            "rules_toml": "{}",
            "rules_hash": "b" * 64,
            "opened_at": NINE - timedelta(days=9),
            "closed_at": NINE - timedelta(days=1),
        },
    ],
    "participant": [
        participant(1),  # chose
        participant(2),  # had the clock choose
        participant(3),  # never submitted anything
        participant(4, "withdrawn", withdrawn_at=ELEVEN),  # left within the session
        participant(5),  # is tuning
        participant(6),  # has not begun
        participant(7, "withdrawn", withdrawn_at=ELEVEN + timedelta(days=1)),  # chose, and left later
        participant(8, "withdrawn", withdrawn_at=ELEVEN + timedelta(days=1)),  # submitted nothing, and left later
    ],
    "identity": [{"participant_id": 5, "slack_user": "U5", "slack_channel": "D5"}],
    "session": [*(session(number) for number in (1, 2, 3, 4, 7, 8)), session(5, "active")],
    "trial": [trial(1, 1), trial(2, 2), trial(3, 4, "cancelled"), trial(4, 5, "running"), trial(5, 7)],
    "trial_comment": [{"trial_id": 1, "hyperparameter": "epochs", "comment": "other", "text": "time is short"}],
    "final_choice": [
        {"id": 1, "session_id": 1, "trial_id": 1, "chosen_by": "participant", "chosen_at": ELEVEN, **VALUES},
        {"id": 2, "session_id": 2, "trial_id": 2, "chosen_by": "clock", "chosen_at": ELEVEN, **VALUES},
        {"id": 3, "session_id": 7, "trial_id": 5, "chosen_by": "participant", "chosen_at": ELEVEN, **VALUES},
    ],
    "evaluation": [
        {"id": 1, "final_choice_id": 1, "seed": 1, "test_accuracy": 61.5, **run("complete")},
        {"id": 2, "final_choice_id": 1, "seed": 2, "test_accuracy": None, **run("waiting"), "started_at": None},
    ],
    "epoch": [
        {"id": 1, "trial_id": 1, "number": 1, "batch_losses": pack([1.5, 1.25]), "training_loss": 1.4, "seconds": 2.0},
        {"id": 2, "trial_id": 4, "number": 1, "batch_losses": pack([1.5]), "training_loss": None, "seconds": 1.0},
        {"id": 3, "evaluation_id": 1, "number": 1, "batch_losses": pack([0.5]), "training_loss": 0.5, "seconds": 1.0},
    ],
    "post": [{"subject": "session:5", "ts": "1.2", "file_id": None}],
    "event": [
        {"id": 1, "at": NINE, "actor": "researcher", "kind": "study_opened", "subject": "study:1", "details": {}},
        {"id": 2, "at": NINE, "actor": "P001", "kind": "described", "subject": "participant:1", "details": {}},
    ],
}
