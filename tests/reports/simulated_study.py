"""Studies that nobody took part in: people of planted skill, written into a database in bulk."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from scipy.special import ndtr
from sqlalchemy import insert

from storage.database import Store, Transaction
from storage.schema.comments import Comment
from storage.schema.states import Chooser, ParticipantState, Searcher, SessionEnd, SessionState, StudyState, TrialState
from storage.schema.tables import (
    Baseline,
    Table,
)
from storage.study_rules import hash_of
from tests.reports.bulk_rows import SEEDS, Planned, Rows, run
from training.hyperparameters import HYPERPARAMETERS, Configuration, Loss, Optimizer

CONSENT = "I agree."
OPENED = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
EDUCATION = ("high_school", "bachelor", "master_enrolled", "master", "doctorate")
_COMMENTS = tuple(Comment)
SKILLS = ("1 – not at all", "2", "3", "4", "5 – very")


@dataclass(frozen=True)
class SimulatedStudy:
    """What is simulated.

    Attributes:
        participants: People who finish. Roughly a quarter of them have no experience.
        trials: Of all people together, spread evenly but for some.
        rho: The rank correlation between months and final accuracy that is planted.
        random_settings: Drawn by one random search; 0 for none.
        tpe: Artificial participants of one TPE baseline; 0 for none; each makes ``tpe_tries``.
        tasks: People are given these in turn.
        arms: The sections of the arms in the rules; people are given them in turn, within tasks.
        arm_points: How many percentage points better the final accuracy is in each arm than in the one before it.
        epochs: Rows of epochs per trial, with batch losses; the report needs none.
        withdrawn, unfinished, empty, cancelled: People besides those who finish.
        diverged: The share of trials that diverge.
        diverged_finals: The number of people with a final choice that diverges in every evaluation.
        months: Everybody's months, instead of drawn ones.
        accuracies: Everybody's final accuracy, instead of one from their skill; each evaluation is exactly it.
    """

    participants: int = 31
    trials: int = 463
    rho: float = 0.6
    seed: int = 0
    name: str = "Simulated"
    random_settings: int = 0
    tpe: int = 0
    tpe_tries: int = 15
    tasks: tuple[str, ...] = ("digits-squeezenet",)
    arms: Sequence[Mapping[str, Any]] = ()
    arm_points: float = 0.0
    epochs: int = 0
    comments: bool = True
    withdrawn: int = 0
    unfinished: int = 0
    empty: int = 0
    cancelled: int = 0
    diverged: float = 0.06
    diverged_finals: int = 0
    months: Sequence[float] | None = None
    accuracies: Sequence[float] | None = None
    state: StudyState = StudyState.CLOSED
    rules: Mapping[str, Any] = field(default_factory=dict)

    def rules_text(self) -> str:
        """The rules as a study keeps them."""
        rules: dict[str, Any] = {
            "study": {"name": self.name, "task": self.tasks[0] if len(self.tasks) == 1 else list(self.tasks)},
            "time": {"limit_minutes": 120.0, "warnings_minutes": [30.0, 10.0, 2.0], "grace_minutes": 10.0},
            "training": {"seed": 10, "evaluation_seeds": list(SEEDS), "threads_per_slot": 1},
            "groups": {"novice_up_to_months": 0.0, "medium_up_to_months": 9.0},
            "analysis": {"thresholds": [25.0, 50.0]},
            "questions": [
                {"name": "programming_years", "label": "Years of programming", "kind": "number", "choices": []},
                {"name": "self_rated_skill", "label": "How skilled?", "kind": "choice", "choices": list(SKILLS)},
            ],
            "tasks": [],
        }
        arms = {"arms": [dict(arm) for arm in self.arms]} if self.arms else {}
        return json.dumps({**rules, **arms, **self.rules}, sort_keys=True, indent=1)


def simulate(store: Store, **options: Any) -> int:
    """Write a :class:`SimulatedStudy` with these options into a database that has its tables; its number.

    The same options give the same rows.
    """
    plan = SimulatedStudy(**options)
    with store.write() as transaction:
        closed = plan.state is StudyState.CLOSED
        row = {
            "name": plan.name,
            "state": plan.state,
            "current": None if closed else True,
            "rules": plan.rules_text(),
            "rules_hash": f"{plan.seed:064x}",
            "prepared_at": OPENED - timedelta(days=1),
            "opened_at": None if plan.state is StudyState.PREPARED else OPENED,
            "closed_at": OPENED + timedelta(days=30) if closed else None,
        }
        inserted = transaction.connection().execute(insert(Table.metadata.tables["study"]).values(row))
        study_id = int(inserted.inserted_primary_key[0])
        _Writer(plan, study_id, transaction).write()
        return study_id


class _Writer:
    def __init__(self, plan: SimulatedStudy, study_id: int, transaction: Transaction) -> None:
        self.plan = plan
        self.study_id = study_id
        self.transaction = transaction
        self.random = np.random.default_rng([plan.seed, 20_200_813])
        self.pool: list[Configuration] = []

    def write(self) -> None:
        everybody = list(self._people())
        if self.plan.random_settings:
            everybody.append(self._random_search())
        if self.plan.tpe:
            everybody.extend(self._tpe())
        Rows(self.transaction, self.study_id, self.random, self.plan.epochs).insert(everybody)

    # --- people

    def _people(self) -> Iterator[Planned]:
        plan, random = self.plan, self.random
        count = plan.participants
        others = plan.withdrawn + plan.unfinished + plan.empty + plan.cancelled
        months, skills = self._months_and_skills(count + others)
        tries = self._tries(count)
        for place in range(count + others):
            planned = Planned(self._described(place, months[place]), skills[place])
            task = plan.tasks[place % len(plan.tasks)]
            planned.row["task"] = task
            finishes = place < count
            if finishes and plan.accuracies is not None:
                planned.final, planned.exact = float(plan.accuracies[place]), True
            else:
                planned.final = float(10 + 82 * ndtr(skills[place]))
            if plan.arms:
                arm = place // len(plan.tasks) % len(plan.arms)
                planned.row["arm"] = plan.arms[arm]["name"]
                planned.final = float(np.clip(planned.final + plan.arm_points * arm, 0, 100))
            ended = SessionEnd.CHOSEN if random.random() < 0.9 else SessionEnd.CLOCK
            number = tries[place] if finishes else 5
            if not finishes:
                left = place - count
                kinds = ["withdrawn"] * plan.withdrawn + ["unfinished"] * plan.unfinished + ["empty"] * plan.empty
                kind = (kinds + ["cancelled"] * plan.cancelled)[left]
                ended = {"withdrawn": SessionEnd.WITHDRAWN, "empty": SessionEnd.EMPTY}.get(kind, SessionEnd.CANCELLED)
                if kind == "withdrawn":
                    planned.row |= {"state": ParticipantState.WITHDRAWN, "withdrawn_at": self._begins(place)}
                number = 0 if kind == "empty" else 5
            self._tune(planned, number, planned.final, place)
            planned.session = self._session(place, task, ended) | {"arm": planned.row["arm"]}
            if not finishes and kind == "unfinished":
                planned.session |= {"state": SessionState.ACTIVE, "finished_at": None, "ended_as": None}
            if finishes and number:
                planned.chooser = Chooser.PARTICIPANT if ended is SessionEnd.CHOSEN else Chooser.CLOCK
                if place < plan.diverged_finals:
                    planned.evaluation_state = TrialState.DIVERGED
            yield planned

    def _months_and_skills(self, count: int) -> tuple[list[float], np.ndarray]:
        """A normal copula with the planted rank correlation; a quarter of the people have no experience."""
        pearson = 2 * np.sin(np.pi * self.plan.rho / 6)
        first, second = self.random.standard_normal((2, count))
        skill = pearson * first + np.sqrt(1 - pearson**2) * second
        if self.plan.months is not None:
            given = [float(each) for each in self.plan.months]
            return given + [6.0] * (count - len(given)), skill
        drawn = np.round(np.exp(1.9 + 1.1 * first))
        return [float(each) for each in np.where(first < -0.67, 0.0, np.maximum(drawn, 1))], skill

    def _tries(self, count: int) -> list[int]:
        if not count:
            return []
        share, rest = divmod(self.plan.trials, count)
        tries = np.full(count, share) + (np.arange(count) < rest)
        for first in range(0, count - 1, 2):  # neighbours trade some
            some = int(self.random.integers(0, max(1, tries[first] // 2)))
            tries[first], tries[first + 1] = tries[first] - some, tries[first + 1] + some
        return [int(each) for each in tries]

    def _described(self, place: int, months: float) -> dict[str, Any]:
        rank = min(4, int(months > 0) + int(self.random.integers(0, 4)))
        at = self._begins(place) - timedelta(minutes=20)
        return self._participant_row(f"P{place + 1:03}", at) | {
            "months": months,
            "education": EDUCATION[rank],
            "answers": {
                "programming_years": float(self.random.integers(0, 15)),
                "self_rated_skill": SKILLS[min(4, int(months // 12))],
            },
            "block_group": "novice" if months <= 0 else "medium" if months <= 9 else "expert",
        }

    def _participant_row(self, code: str, at: datetime) -> dict[str, Any]:
        return {
            "study_id": self.study_id,
            "code": code,
            "state": ParticipantState.DESCRIBED,
            "invited_at": at,
            "consented_at": at,
            "consent_hash": hash_of(CONSENT),
            "described_at": at,
            "months": None,
            "education": None,
            "answers": {},
            "withdrawn_at": None,
            "waiting_since": None,
            "called_at": None,
            "task": None,
            "block_group": None,
            "baseline_id": None,
            "arm": None,
        }

    def _begins(self, place: int) -> datetime:
        return OPENED + timedelta(hours=3 * (place // 2))

    def _session(self, place: int, task: str, ended: SessionEnd) -> dict[str, Any]:
        begins = self._begins(place)
        return {
            "task": task,
            "seed": 10,
            "state": SessionState.FINISHED,
            "started_at": begins,
            "limit_seconds": 7200.0,
            "deadline": begins + timedelta(hours=2),
            "grace_ends_at": None,
            "finished_at": begins + timedelta(hours=2),
            "ended_as": ended,
            "given_back_seconds": 0.0,
            "extended_seconds": 0.0,
            "arm": None,
        }

    # --- trials

    def _tune(self, planned: Planned, tries: int, final: float, place: int) -> None:
        """Tries that get better towards the final accuracy, each near the best one so far, nearer with more skill."""
        random, skill = self.random, planned.skill
        novice = planned.row["months"] in (None, 0.0)
        configuration = self._draw()
        if random.random() < (0.25 if novice else 0.8):
            configuration = _defaults(configuration)
        best, best_at = -1.0, None
        clock, begins = 60.0, self._begins(place)
        for number in range(1, tries + 1):
            if number > 1:
                near = random.random() < ndtr(skill)
                configuration = self._change(configuration, int(random.integers(1, 3)) if near else 5)
            state = self._state()
            seconds = float(np.round(7200 / (tries + 2) * random.uniform(0.5, 0.9), 3))
            reach = final * (1 - np.exp(-0.45 * number)) + random.normal(0, 6)
            accuracy = float(np.round(np.clip(reach, 1, 99), 2)) if state is TrialState.COMPLETE else None
            if accuracy is not None and accuracy > best:
                best, best_at = accuracy, number
            submitted = begins + timedelta(seconds=clock)
            trial = self._trial_row(number, configuration, state, accuracy, seconds, submitted)
            planned.trials.append((trial, self._comments(configuration, skill)))
            clock += seconds + 7200 / (tries + 2) * 0.1
        planned.best = best_at

    def _state(self) -> TrialState:
        drawn = self.random.random()
        if drawn < self.plan.diverged:
            return TrialState.DIVERGED
        return TrialState.CANCELLED if drawn > 0.92 and self.plan.diverged < 0.92 else TrialState.COMPLETE

    def _trial_row(
        self,
        number: int,
        configuration: Configuration,
        state: TrialState,
        accuracy: float | None,
        seconds: float,
        submitted: datetime,
    ) -> dict[str, Any]:
        return {
            **vars(configuration),
            **run(state, submitted, seconds),
            "number": number,
            "submitted_at": submitted,
            "cancel_requested_at": None,
            "validation_accuracy": accuracy,
            "drawn": False,
        }

    def _draw(self) -> Configuration:
        """One of some hundred random settings; making each anew takes longer than all else."""
        if not self.pool:
            self.pool = [self._random_configuration() for _ in range(400)]
        return self.pool[int(self.random.integers(0, len(self.pool)))]

    def _random_configuration(self) -> Configuration:
        random = self.random
        optimizer = list(Optimizer)[random.integers(0, 6)]
        given: dict[str, Any] = {
            "epochs": int(random.integers(1, 40)),
            "batch_size": int(2 ** random.integers(2, 9)),
            "loss": list(Loss)[random.integers(0, 4)],
            "optimizer": optimizer,
            "learning_rate": float(f"{10 ** random.uniform(-5, 0):.2g}"),
        }
        for each in HYPERPARAMETERS:
            if each.name not in given and each.used_by(optimizer):
                given[each.name] = float(f"{random.uniform(0, min(each.narrow.high, 1)) * 0.99:.2g}")
        return Configuration.create(given)

    def _change(self, configuration: Configuration, count: int) -> Configuration:
        other = vars(self._draw())
        values = dict(vars(configuration))
        for place in self.random.permutation(len(HYPERPARAMETERS))[:count]:
            name = HYPERPARAMETERS[place].name
            values[name] = other[name]
        for each in HYPERPARAMETERS:
            if not each.used_by(values["optimizer"]):
                values[each.name] = each.default
        return Configuration(**values)

    def _comments(self, configuration: Configuration, skill: float) -> dict[str, Comment]:
        if not self.plan.comments:
            return {}
        guess = float(np.clip(0.45 - 0.2 * skill, 0.05, 0.85))
        drawn = self.random.random(15)
        said = self.random.random(15) < 0.6
        found: dict[str, Comment] = {}
        for each, number, speaks in zip(HYPERPARAMETERS, drawn, said, strict=True):
            if speaks and each.used_by(configuration.optimizer):
                place = 0 if number < guess else 1 + int((number - guess) / (1 - guess) * 4)
                found[each.name] = _COMMENTS[min(place, 4)]
        return found

    # --- searchers

    def _random_search(self) -> Planned:
        planned = Planned(self._artificial("R1", Searcher.RANDOM, 1, self.plan.random_settings), 0.0)
        for number in range(1, self.plan.random_settings + 1):
            state = TrialState.DIVERGED if self.random.random() < 0.1 else TrialState.COMPLETE
            accuracy = float(np.round(100 * self.random.beta(1.1, 1.5), 2)) if state is TrialState.COMPLETE else None
            at = OPENED + timedelta(minutes=4 * number)
            seconds = float(np.round(self.random.uniform(60, 400), 3))
            row = self._trial_row(number, self._draw(), state, accuracy, seconds, at)
            planned.trials.append((row | {"drawn": True}, {}))
        planned.session = self._session(0, self.plan.tasks[0], SessionEnd.EMPTY)
        return planned

    def _tpe(self) -> Iterator[Planned]:
        first = self._artificial("T1-01", Searcher.TPE, self.plan.tpe, None)
        for place in range(self.plan.tpe):
            row = first | {"code": f"T1-{place + 1:02}"}
            planned = Planned(row, float(self.random.normal()))
            planned.final = float(60 + 20 * ndtr(planned.skill))
            self._tune(planned, self.plan.tpe_tries, planned.final, place)
            for _, comments in planned.trials:
                comments.clear()
            planned.session = self._session(place, self.plan.tasks[0], SessionEnd.CHOSEN)
            planned.chooser = Chooser.SEARCHER
            yield planned

    def _artificial(self, code: str, searcher: Searcher, wanted: int, drawn: int | None) -> dict[str, Any]:
        baseline = Baseline(
            study_id=self.study_id,
            searcher=searcher,
            code=code.split("-")[0],
            task=self.plan.tasks[0],
            wanted=drawn or wanted,
            tries=None if drawn else self.plan.tpe_tries,
            seconds=None if drawn else 7200.0,
            seed=1,
            started_at=OPENED,
            started_by="researcher-1",
        )
        self.transaction.add(baseline)
        self.transaction.flush()
        row = self._participant_row(code, OPENED) | {"consented_at": None, "consent_hash": None, "described_at": None}
        return row | {"task": self.plan.tasks[0], "baseline_id": baseline.id}


def _defaults(configuration: Configuration) -> Configuration:
    """The mandatory four alone, so that all else is at its default."""
    values = vars(configuration)
    mandatory = {each.name: values[each.name] for each in HYPERPARAMETERS if each.mandatory}
    return Configuration.create(mandatory)
