"""Small studies, written down try by try, for tests that compare with numbers counted by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from reports.data.population import Population
from reports.data.study_data import NO_COMMENT, STATES, EvaluationRow, Kind, ParticipantRow, StudyData, Trials
from reports.data.study_rules import Rules
from storage.schema.comments import Comment
from storage.schema.states import Chooser, SessionEnd, SessionState, Suggestion, TrialState
from training.hyperparameters import HYPERPARAMETERS, Configuration

CONFIGURATION = Configuration.create({"epochs": 2, "batch_size": 64, "loss": "nll", "optimizer": "sgd"})
RULES = Rules.read("")

COMPLETE, DIVERGED, CANCELLED = TrialState.COMPLETE, TrialState.DIVERGED, TrialState.CANCELLED

Try = float | TrialState
"""A validation accuracy, or the state of a trial without one."""


@dataclass
class Someone:
    """A participant: months (None for an artificial one), tries, and the evaluations of the final choice."""

    months: float | None
    tries: Sequence[Try] = ()
    final: Sequence[Try] = ()
    configurations: Sequence[Configuration] = ()
    comments: Sequence[Comment] = ()
    minutes: Sequence[float] = ()
    """When each try ended; each is trained for half the time since the one before."""
    kind: Kind = "person"
    education: str | None = "master"
    arm: str | None = None
    suggestions: Sequence[Suggestion | None] = ()
    answers: dict[str, object] = field(default_factory=dict)


def study(*people: Someone) -> StudyData:
    """These people, finished, under the codes P001, P002, …; artificial ones under X001, ….."""
    rows: list[ParticipantRow] = []
    columns: list[tuple[int, int, float, float, float]] = []
    values: list[list[float]] = []
    comments: list[list[int]] = []
    suggestions: list[Suggestion | None] = []
    for place, each in enumerate(people, start=1):
        first = len(columns)
        ends = list(each.minutes) or [float(number) for number in range(1, len(each.tries) + 1)]
        for number, one in enumerate(each.tries, start=1):
            state, accuracy = (COMPLETE, one) if isinstance(one, float | int) else (one, np.nan)
            before = ends[number - 2] if number > 1 else 0.0
            columns.append(
                (number, STATES.index(state), accuracy, 30 * (ends[number - 1] - before), 60 * ends[number - 1])
            )
            configuration = each.configurations[number - 1] if each.configurations else CONFIGURATION
            values.append(row_of(configuration))
            suggestions.append(each.suggestions[number - 1] if each.suggestions else None)
            said = list(each.comments) if number == 1 else []
            kinds = [list(Comment).index(comment) for comment in said]
            comments.append(kinds + [NO_COMMENT] * (len(HYPERPARAMETERS) - len(kinds)))
        evaluations = tuple(
            EvaluationRow(
                seed, COMPLETE if isinstance(one, float | int) else one, one if isinstance(one, float | int) else None
            )
            for seed, one in enumerate(each.final, start=1)
        )
        rows.append(
            ParticipantRow(
                code=f"{'P' if each.kind == 'person' else 'X'}{place:03}",
                kind=each.kind,
                months=each.months,
                group=None if each.months is None else RULES.group(each.months),
                education=each.education,
                answers=each.answers,
                task="digits",
                consented=True,
                described=True,
                withdrawn=False,
                session=SessionState.FINISHED,
                ended_as=SessionEnd.CHOSEN,
                chosen_by=Chooser.PARTICIPANT,
                evaluations=evaluations,
                trials=slice(first, len(columns)),
                arm=each.arm,
            )
        )
    table = np.array(columns, dtype=np.float64).reshape(-1, 5)
    trials = Trials(
        number=table[:, 0].astype(np.int64),
        state=table[:, 1].astype(np.int64),
        accuracy=table[:, 2],
        seconds=table[:, 3],
        submitted=table[:, 4] - table[:, 3],
        started=table[:, 4] - table[:, 3],
        ended=table[:, 4],
        values=np.array(values, dtype=np.float64).reshape(-1, 15),
        comments=np.array(comments, dtype=np.int8).reshape(-1, 15),
        drawn=np.zeros(len(table), dtype=bool),
        suggestions=tuple(suggestions),
    )
    return StudyData("By hand", None, "0" * 64, RULES, (), tuple(rows), trials)


def people(*someone: Someone) -> Population:
    """Those of them who are people, as the figures take them."""
    data = study(*someone)
    return Population.analysed(data, data.people())


def row_of(configuration: Configuration) -> list[float]:
    """The 15 values as the report keeps them: a choice as its place."""
    given = configuration.as_dict()
    return [
        float(each.choices.index(str(given[each.name]))) if each.kind == "choice" else float(given[each.name])
        for each in HYPERPARAMETERS
    ]
