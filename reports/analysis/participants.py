"""Who took part: how many people, trials and evaluations there are, and how experienced people are (figure 3)."""

from collections.abc import Sequence

import numpy as np

from reports.data.population import Population
from reports.data.study_data import ParticipantRow, StudyData
from reports.results.measures import NotComputable
from reports.results.paper import Experience
from reports.results.study_results import Counts
from reports.statistics import inference
from storage.schema.states import Chooser, SessionEnd, SessionState, TrialState
from storage.study_rules import GROUPS

_MOST_BINS = 14
_WIDTHS = (1, 3, 6, 12, 24, 60, 120)


def counts(data: StudyData, task: str | None = None) -> Counts:
    """The counts of the whole study, or of the people with this task."""
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


def experience(population: Population) -> Experience | NotComputable:
    """Figure 3: months in bins of a width that people count in."""
    if not len(population):
        return NotComputable("Nobody has finished yet.")
    if np.isnan(population.months).all():
        return NotComputable("There are no months of experience in these data.")
    months = np.sort(population.months)
    width = next((each for each in _WIDTHS if months[-1] / each < _MOST_BINS), _WIDTHS[-1])
    edges = np.arange(0, months[-1] + width + 1e-9, width)
    edges = edges if edges[-1] > months[-1] else np.append(edges, edges[-1] + width)
    return Experience(
        histogram=inference.histogram(months, edges),
        by_group={
            group: inference.histogram(each, edges).counts
            for group, each in population.by_group(population.months).items()
        },
        none=int(np.count_nonzero(months == 0)),
        months=tuple(float(each) for each in months),
        median=float(np.median(months)),
    )
