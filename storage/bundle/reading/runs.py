"""Reads the trials of a bundle, the final choices, their evaluations, and the epochs of both."""

import json
import math
from typing import Any

from storage.bundle.codebook import ENVIRONMENTS, EPOCHS, EVALUATIONS, FINAL_CHOICES, STUDY, TRIALS
from storage.bundle.reading.context import Context
from storage.bundle.reading.participants import Member, Members, Part
from storage.bundle.reading.problems import shown
from storage.bundle.reading.rows import Row
from storage.bundle.table import Table
from storage.schema.comments import Comment
from storage.schema.losses import pack
from storage.schema.states import Chooser, Searcher, Suggestion, TrialState
from storage.schema.tables import Epoch, Evaluation, FinalChoice, Trial, TrialComment
from training.hyperparameters import HYPERPARAMETERS, Configuration

_NAMES = tuple(each.name for each in HYPERPARAMETERS)
_NO_LOSSES = pack([])
_FEW = 5
_MOST_FACTS = 40

_EPOCHS_ON_PAGE = 1024
"""Which epochs of a run were read is noted in integers of so many bits: an epoch may have any number."""


class Runs:
    """Reads environments.csv, trials.csv, final_choices.csv, evaluations.csv and epochs.csv."""

    def __init__(self, context: Context, members: Members) -> None:
        self._context, self._members = context, members
        self._environments: dict[int, dict[str, Any]] = {}
        self._trials: list[tuple[Part, dict[str, Any], list[dict[str, Any]]]] = []
        self._evaluations: list[tuple[Part, dict[str, Any]]] = []
        self._epochs_seen: dict[tuple[str, int, int], int] = {}

    def read(self) -> None:
        """Read the five tables."""
        self._read_environments()
        self._read_trials()
        self._read_choices()
        self._read_evaluations()
        self._read_epochs()

    def _read_environments(self) -> None:
        for row in self._context.table(ENVIRONMENTS):
            if row.wrong:
                continue
            facts = self._environments.setdefault(row["environment"], {})
            if row["name"] in facts:
                self._context.problem(ENVIRONMENTS, f"“{shown(row['name'])}” is there twice.", row, "name")
            if len(facts) == _MOST_FACTS:
                said = f"has more than {_MOST_FACTS} facts."
                self._context.problem(ENVIRONMENTS, said, row, "environment")
                continue
            facts[row["name"]] = self._fact(row)

    def _fact(self, row: Row) -> Any:
        try:
            value = json.loads(row["value"])
        except (ValueError, RecursionError):
            value = []
        if not _is_fact(value):
            self._context.problem(ENVIRONMENTS, "is no text, number, true, false or null in JSON.", row, "value")
        return value

    def _run(self, table: Table, row: Row, state: TrialState) -> dict[str, Any]:
        """The columns that trials and evaluations share."""
        self._context.ended += not state.is_finished
        number = row["environment"]
        if number is not None and number not in self._environments:
            self._context.missing(ENVIRONMENTS, table, f"{number} is not in {ENVIRONMENTS.file}.", row, "environment")
        return {
            "state": state if state.is_finished else TrialState.CANCELLED,
            "slot": None,
            "attempts": row["attempts"] or 0,
            "lost_runs": 0,
            "reason": row["reason"],
            "seconds": row["seconds"],
            "images_per_second": row["images_per_second"],
            "environment": self._environments.get(number, {}),
        }

    def _state(self, table: Table, row: Row, accuracy: str) -> TrialState:
        """The state as told, or as the accuracy says; the two must agree."""
        measured = row[accuracy] is not None
        state = TrialState(row["state"] or (TrialState.COMPLETE if measured else TrialState.FAILED))
        if not row.wrong & {"state", accuracy} and (state is TrialState.COMPLETE) != measured:
            said = (
                "is empty, and the state is complete." if not measured else f"is not empty, and the state is {state}."
            )
            self._context.problem(table, said, row, accuracy)
        return state

    # --- trials

    def _read_trials(self) -> None:
        shares = _Shares(self._context, TRIALS, "validation_accuracy")
        for row in self._context.table(TRIALS):
            owner = self._members.part(TRIALS, row)
            if owner is None or row["number"] is None:
                continue
            shares.add(row)
            self._add_trial(row, *owner)
            if self._context.is_full(self._trials):
                self._write_trials()
        self._write_trials()
        shares.check()

    def _add_trial(self, row: Row, member: Member, part: Part) -> None:
        context, number = self._context, row["number"]
        if number in part.trials:
            context.problem(TRIALS, f"{member.code} has a trial {number} already.", row, "number")
            return
        state = self._state(TRIALS, row, "validation_accuracy")
        drawn = row["drawn"] if row["drawn"] is not None else member.searcher is Searcher.RANDOM
        if not state.is_finished and not drawn:
            if part.unfinished:
                context.problem(TRIALS, f"{member.code} has an unfinished trial already.", row, "state")
            part.unfinished = True
        configuration = context.configuration(TRIALS, row)
        comments = self._comments(row)
        part.add(number, state, row["validation_accuracy"], configuration)
        values = self._run(TRIALS, row, state) | {
            "session_id": part.id,
            "number": number,
            "validation_accuracy": row["validation_accuracy"],
            "drawn": drawn,
            "suggestion": None if row["suggestion"] is None else Suggestion(row["suggestion"]),
            "submitted_at": context.moment(row["submitted_seconds"] or 0.0),
            "started_at": context.moment(row["started_seconds"]),
            "ended_at": context.moment(row["ended_seconds"]),
            "cancel_requested_at": context.moment(row["cancel_requested_seconds"]),
        }
        if configuration is not None:
            self._trials.append((part, values | Trial.values(configuration), comments))

    def _comments(self, row: Row) -> list[dict[str, Any]]:
        comments: list[dict[str, Any]] = []
        for name in _NAMES:
            comment, text = row[f"comment_{name}"], row[f"text_{name}"]
            text = text.strip() if text is not None else ""
            if comment is None and not text:
                continue
            if f"comment_{name}" in row.wrong or f"text_{name}" in row.wrong:
                continue
            if comment is None:
                self._context.problem(TRIALS, f"is empty, and there is a text in text_{name}.", row, f"comment_{name}")
            elif (comment == Comment.OTHER) != bool(text):
                said = (
                    f"is not empty, and the comment is “{comment}”."
                    if text
                    else "is empty, and the comment is “other”."
                )
                self._context.problem(TRIALS, said, row, f"text_{name}")
            else:
                comments.append({"hyperparameter": name, "comment": Comment(comment), "text": text})
        return comments

    def _write_trials(self) -> None:
        waiting, self._trials = self._trials, []
        numbers = self._context.insert_numbered(Trial, [values for _, values, _ in waiting])
        comments = []
        for (part, values, said), number in zip(waiting, numbers, strict=True):
            part.trials[values["number"]] = number
            comments += [{"trial_id": number, **each} for each in said]
        self._context.insert(TrialComment, comments)

    # --- final choices

    def _read_choices(self) -> None:
        for row in self._context.table(FINAL_CHOICES):
            owner = self._members.part(FINAL_CHOICES, row)
            if owner is None:
                continue
            member, part = owner
            if part.choice is not None:
                self._context.problem(FINAL_CHOICES, f"{member.code} has a final choice already.", row, "participant")
            elif not part.finished:
                self._context.problem(FINAL_CHOICES, f"{member.code} has not finished.", row, "participant")
                part.choice = 0
            else:
                self._choose(row, member, part)

    def _choose(self, row: Row, member: Member, part: Part) -> None:
        context, number = self._context, row["trial"]
        part.choice = 0
        if number is not None and number not in part.trials:
            context.missing(TRIALS, FINAL_CHOICES, f"{member.code} has no trial {number}.", row, "trial")
            return
        told = bool(row.wrong) or any(row[name] is not None for name in _NAMES)
        if number is None and not told:
            context.problem(FINAL_CHOICES, "is empty, and there are no values either.", row, "trial")
            return
        configuration = context.configuration(FINAL_CHOICES, row) if told or number is None else None
        if number is not None and not context.problems:
            tried = context.transaction.need(Trial, part.trials[number]).configuration
            if configuration is not None and configuration != tried:
                said = f"is {number}, and that trial of {member.code} has other values than the final choice."
                context.problem(FINAL_CHOICES, said, row, "trial")
            configuration = tried
        self._add_choice(member, part, configuration, number, row["chosen_by"], row["chosen_seconds"])

    def _add_choice(
        self,
        member: Member,
        part: Part,
        configuration: Configuration | None,
        trial: int | None,
        chosen_by: str | None = None,
        seconds: float | None = None,
    ) -> None:
        part.choice = 0
        if configuration is None or self._context.problems:
            return
        otherwise = Chooser.PARTICIPANT if member.searcher is None else Chooser.SEARCHER
        values = FinalChoice.values(configuration) | {
            "session_id": part.id,
            "trial_id": part.trials[trial] if trial is not None else None,
            "chosen_by": Chooser(chosen_by or otherwise),
            "chosen_at": self._context.moment(seconds) or part.ended_at,
        }
        part.choice = self._context.insert_numbered(FinalChoice, [values])[0]

    def _guess_choice(self, row: Row, member: Member, part: Part) -> None:
        """What a participant with evaluations must have chosen, where the bundle does not say."""
        if self._context.has(FINAL_CHOICES):
            said, other = f"{member.code} has no final choice in {FINAL_CHOICES.file}.", FINAL_CHOICES
        elif part.best is not None:
            self._add_choice(member, part, part.best[2], part.best[1])
            return
        elif part.last is not None:
            self._add_choice(member, part, part.last[1], part.last[0])
            return
        else:
            said, other = f"{member.code} has no trial that could have been chosen.", TRIALS
        self._context.missing(other, EVALUATIONS, said, row, "participant")
        part.choice = 0

    # --- evaluations

    def _read_evaluations(self) -> None:
        shares = _Shares(self._context, EVALUATIONS, "test_accuracy")
        for row in self._context.table(EVALUATIONS):
            owner = self._members.part(EVALUATIONS, row)
            if owner is None or row["seed"] is None:
                continue
            member, part = owner
            shares.add(row)
            if part.choice is None:
                self._guess_choice(row, member, part)
            if row["seed"] in part.evaluations:
                said = f"{member.code} has an evaluation with the seed {row['seed']} already."
                self._context.problem(EVALUATIONS, said, row, "seed")
                continue
            part.evaluations[row["seed"]] = 0
            state = self._state(EVALUATIONS, row, "test_accuracy")
            values = self._run(EVALUATIONS, row, state) | {
                "final_choice_id": part.choice,
                "seed": row["seed"],
                "test_accuracy": row["test_accuracy"],
                "started_at": None,
                "ended_at": None,
            }
            self._evaluations.append((part, values))
            if self._context.is_full(self._evaluations):
                self._write_evaluations()
        self._write_evaluations()
        shares.check()

    def _write_evaluations(self) -> None:
        waiting, self._evaluations = self._evaluations, []
        numbers = self._context.insert_numbered(Evaluation, [values for _, values in waiting])
        for (part, values), number in zip(waiting, numbers, strict=True):
            part.evaluations[values["seed"]] = number

    # --- epochs

    def _read_epochs(self) -> None:
        waiting: list[dict[str, Any]] = []
        for row in self._context.table(EPOCHS):
            owner = self._members.part(EPOCHS, row)
            if owner is None or row.wrong:
                continue
            values = self._epoch(row, *owner)
            if values is not None:
                waiting.append(values)
            if self._context.is_full(waiting):
                self._context.insert(Epoch, waiting)
                waiting = []
        self._context.insert(Epoch, waiting)

    def _epoch(self, row: Row, member: Member, part: Part) -> dict[str, Any] | None:
        context, number = self._context, row["epoch"]
        if (row["trial"] is None) == (row["seed"] is None):
            context.problem(
                EPOCHS, "is of a trial or of an evaluation: one of the two columns is filled.", row, "trial"
            )
            return None
        of_trial = row["seed"] is None
        kind, known = ("trial", part.trials) if of_trial else ("seed", part.evaluations)
        if row[kind] not in known:
            what = f"no trial {row[kind]}" if of_trial else f"no evaluation with the seed {row[kind]}"
            context.missing(TRIALS if of_trial else EVALUATIONS, EPOCHS, f"{member.code} has {what}.", row, kind)
            return None
        page, place = divmod(number, _EPOCHS_ON_PAGE)
        run, bit = (kind, known[row[kind]]), 1 << place
        seen = self._epochs_seen.get((*run, page), 0)
        if seen & bit and not context.problems:
            context.problem(EPOCHS, f"epoch {number} is there already.", row, "epoch")
        self._epochs_seen[*run, page] = seen | bit
        return {
            "trial_id": run[1] if kind == "trial" else None,
            "evaluation_id": run[1] if kind == "seed" else None,
            "number": number,
            "batch_losses": row["batch_losses"] or _NO_LOSSES,
            "training_loss": row["training_loss"],
            "validation_accuracy": row["validation_accuracy"],
            "seconds": row["seconds"] or 0.0,
        }


def _is_fact(value: Any) -> bool:
    """Whether a value out of JSON can be kept as a fact: a database takes no infinity, null character or surrogate."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63)


class _Shares:
    """Notices accuracies from 0 to 1 in a bundle that somebody else made: they are in percent."""

    def __init__(self, context: Context, table: Table, column: str) -> None:
        self._context, self._table, self._column = context, table, column
        self._values = 0
        self._are_shares = not context.has(STUDY)
        self._fraction = False

    def add(self, row: Row) -> None:
        value = row[self._column]
        if value is not None:
            self._values += 1
            self._are_shares = self._are_shares and value <= 1
            self._fraction = self._fraction or not float(value).is_integer()

    def check(self) -> None:
        if self._are_shares and self._fraction and self._values >= _FEW:
            said = "is never above 1: accuracies are in percent, so multiply them by 100."
            self._context.problems.add(self._table.file, said, column=self._column)
