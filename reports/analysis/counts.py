"""How many people, trials and evaluations there are."""

from collections.abc import Sequence

import numpy as np

from reports.analysis.population import Population
from reports.data import ParticipantRow, StudyData
from reports.results.everything import Counts
from reports.study_rules import GROUPS
from storage.schema.states import Chooser, SessionEnd, SessionState, TrialState


def counts(data: StudyData, task: str | None = None) -> Counts:
    """Of the whole study, or of those with this task."""
    people = data.people(task)
    analysed = Population.analysed(data, people)
    present = [each for each in people if not each.withdrawn]
    values = data.trials.values[analysed.indices]
    evaluations = [each.state for row in analysed.rows for each in row.evaluations]
    artificial = {kind: data.artificial(kind, task) for kind in ("random", "tpe")}
    return Counts(
        invited=len(people),
        consented=sum(each.consented for each in people),
        described=sum(each.described for each in people),
        began=sum(each.session is not None for each in people),
        analysed=len(analysed),
        by_group={group: int(np.count_nonzero(analysed.members(group))) for group in GROUPS},
        unfinished=sum(each.session in (SessionState.ACTIVE, SessionState.CHOOSING) for each in present),
        withdrawn=len(people) - len(present),
        cancelled=sum(each.ended_as is SessionEnd.CANCELLED for each in present),
        empty=sum(each.ended_as is SessionEnd.EMPTY for each in present),
        chosen_by_clock=sum(row.chosen_by is Chooser.CLOCK for row in analysed.rows),
        submitted=len(analysed.indices),
        different=len(np.unique(values, axis=0)) if len(values) else 0,
        trials=analysed.state_counts(),
        seconds_trained=float(np.nansum(data.trials.seconds[analysed.indices])),
        evaluations={str(state): evaluations.count(state) for state in TrialState},
        searcher_trials={kind: _states(data, rows) for kind, rows in artificial.items()},
        artificial_participants={kind: len(rows) for kind, rows in artificial.items()},
    )


def _states(data: StudyData, rows: Sequence[ParticipantRow]) -> dict[str, int]:
    return dict(Population(tuple(rows), data.trials).state_counts())
