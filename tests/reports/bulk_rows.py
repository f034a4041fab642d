"""Participants with everything that belongs to them, as rows of the database, many at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlmodel import select

from storage.database import Transaction
from storage.schema.comments import Comment
from storage.schema.losses import pack
from storage.schema.states import Chooser, TrialState
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Participant, Session, Table, Trial, TrialComment
from training.hyperparameters import HYPERPARAMETERS

SEEDS = tuple(range(1, 11))
CHOSEN = datetime(2030, 3, 21, 9, 0, tzinfo=UTC)


@dataclass
class Planned:
    """A participant to be written, with everything that belongs to them."""

    row: dict[str, Any]
    skill: float
    final: float | None = None
    trials: list[tuple[dict[str, Any], dict[str, Comment]]] = field(default_factory=list)
    session: dict[str, Any] | None = None
    chooser: Chooser | None = None
    best: int | None = None
    evaluation_state: TrialState = TrialState.COMPLETE
    exact: bool = False


@dataclass
class Rows:
    """Where they are written. Evaluations differ by what ``random`` says."""

    transaction: Transaction
    study_id: int
    random: np.random.Generator
    epochs: int

    def insert(self, everybody: Sequence[Planned]) -> None:
        self._bulk(Participant, [each.row for each in everybody])
        people = self._ids(Participant, Participant.code, Participant.study_id == self.study_id)
        seated = [each for each in everybody if each.session is not None]
        for each in seated:
            each.session = {**(each.session or {}), "participant_id": people[each.row["code"]]}
        self._bulk(Session, [each.session for each in seated])
        sessions = self._ids(Session, Session.participant_id)
        owners = {sessions[each.session["participant_id"]]: each for each in seated if each.session}
        self._bulk(
            Trial, [trial | {"session_id": number} for number, each in owners.items() for trial, _ in each.trials]
        )
        trials = {
            (session, number): key
            for key, session, number in self.transaction.exec(select(Trial.id, Trial.session_id, Trial.number))
        }
        self._bulk(
            TrialComment,
            [
                {
                    "trial_id": trials[number, trial["number"]],
                    "hyperparameter": name,
                    "comment": kind,
                    "text": "because" if kind is Comment.OTHER else "",
                }
                for number, each in owners.items()
                for trial, comments in each.trials
                for name, kind in comments.items()
            ],
        )
        if self.epochs:
            self._bulk(Epoch, [row for number in owners for row in self._epochs(number, owners[number], trials)])
        self._insert_choices(owners, trials)

    def _insert_choices(self, owners: Mapping[int, Planned], trials: Mapping[tuple[int, int], int]) -> None:
        chosen = {number: each for number, each in owners.items() if each.chooser is not None}
        rows = []
        for number, each in chosen.items():
            trial = each.trials[(each.best or len(each.trials)) - 1][0]
            rows.append(
                {name: trial[name] for name in (hyperparameter.name for hyperparameter in HYPERPARAMETERS)}
                | {
                    "session_id": number,
                    "trial_id": trials[number, trial["number"]],
                    "chosen_by": each.chooser,
                    "chosen_at": CHOSEN,
                }
            )
        self._bulk(FinalChoice, rows)
        finals = self._ids(FinalChoice, FinalChoice.session_id)
        evaluations = []
        for number, each in chosen.items():
            for seed in SEEDS:
                noise = 0.0 if each.exact else self.random.normal(0, 1.5)
                accuracy = float(np.clip((each.final or 0.0) + noise, 0, 100))
                state = each.evaluation_state
                evaluations.append(
                    run(state, CHOSEN, 60.0)
                    | {
                        "final_choice_id": finals[number],
                        "seed": seed,
                        "test_accuracy": accuracy if state is TrialState.COMPLETE else None,
                    }
                )
        self._bulk(Evaluation, evaluations)

    def _epochs(
        self, session: int, planned: Planned, trials: Mapping[tuple[int, int], int]
    ) -> Iterator[dict[str, Any]]:
        for trial, _ in planned.trials:
            for number in range(1, self.epochs + 1):
                losses = 2.3 / number + 0.1 * self.random.standard_normal(23)
                yield {
                    "trial_id": trials[session, trial["number"]],
                    "evaluation_id": None,
                    "number": number,
                    "batch_losses": pack(losses.astype(np.float32)),
                    "training_loss": float(losses.mean()),
                    "validation_accuracy": trial["validation_accuracy"],
                    "seconds": 1.5,
                }

    def _bulk(self, table: type[Table], rows: Sequence[Mapping[str, Any] | None]) -> None:
        if rows:
            self.transaction.connection().execute(insert(Table.metadata.tables[str(table.__tablename__)]), list(rows))

    def _ids(self, table: Any, key: Any, *where: Any) -> dict[Any, int]:
        return {key: number for number, key in self.transaction.exec(select(table.id, key).where(*where))}


def run(state: TrialState, at: datetime, seconds: float) -> dict[str, Any]:
    """The columns that a trial and an evaluation have in common."""
    return {
        "state": state,
        "started_at": at + timedelta(seconds=1),
        "ended_at": at + timedelta(seconds=1 + seconds),
        "slot": 0,
        "attempts": 1,
        "lost_runs": 0,
        "reason": None,
        "seconds": seconds,
        "images_per_second": 1000.0,
        "environment": {"device": "cpu"},
    }
