"""500 simulated studies without an effect: the analysis that is registered finds one no more often than alpha says.

The analysis is the report's own, from people and the evaluations of their final choices on.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from reports.analysis import final_accuracy
from reports.data.population import Population
from reports.data.study_data import STATES, EvaluationRow, ParticipantRow, Trials
from reports.planning.recruits import at_normal, paper
from reports.results.measures import Correlation, NotComputable, PairTest, SeveralTest
from reports.results.paper import Difference, FinalAccuracies
from reports.statistics import resampling
from storage.schema.states import Chooser, SessionEnd, SessionState, TrialState

STUDIES = 500
ALPHA = 0.05
MOST = int(stats.binom.isf(0.001, STUDIES, ALPHA))
"""Of 500 studies without an effect, more than so many find one once in a thousand times."""

_NO_TRIALS = Trials(
    **{name: np.zeros(0) for name in ("number", "accuracy", "seconds", "submitted", "started", "ended", "drawn")},
    state=np.zeros(0, dtype=np.int64) + STATES.index(TrialState.COMPLETE),
    values=np.zeros((0, 15)),
    comments=np.zeros((0, 15), dtype=np.int8),
    suggestions=(),
)


class PValues(NamedTuple):
    """Of the tests of one study."""

    spearman: float
    spearman_permutation: float
    kruskal: float
    kruskal_permutation: float
    mann_whitney: float
    brown_forsythe: float
    levene: float


def study(seed: int) -> Population:
    """The paper's 31 people, each with ten evaluations; what they reach has nothing to do with their experience.

    Every tenth person's network did not learn: 10 % in every evaluation.
    """
    random = np.random.default_rng([seed, 79])
    rows = []
    for group in paper().groups:
        for months in group.months:
            reached = float(at_normal(paper().accuracies, random.standard_normal(1))[0])
            accuracies = np.clip(reached + 2 * random.standard_normal(10), 0, 100)
            if random.random() < 0.1:
                accuracies = np.full(10, 10.0)
            rows.append(_person(len(rows), group.name, months, np.round(accuracies, 1)))
    return Population(tuple(rows), _NO_TRIALS)


def _person(place: int, group: str, months: float, accuracies: np.ndarray) -> ParticipantRow:
    return ParticipantRow(
        code=f"P{place:04}",
        kind="person",
        months=months,
        group=group,
        education=None,
        answers={},
        task="digits-squeezenet",
        consented=True,
        described=True,
        withdrawn=False,
        session=SessionState.FINISHED,
        ended_as=SessionEnd.CHOSEN,
        chosen_by=Chooser.PARTICIPANT,
        evaluations=tuple(
            EvaluationRow(seed, TrialState.COMPLETE, float(accuracy)) for seed, accuracy in enumerate(accuracies, 1)
        ),
        trials=slice(0, 0),
    )


def p_values(found: FinalAccuracies) -> PValues:
    """Of several pairs the smallest p after Holm's correction."""
    experience, kruskal = found.experience, found.kruskal
    assert isinstance(experience, Correlation)
    assert isinstance(kruskal, SeveralTest)
    return PValues(
        experience.p,
        experience.p_permutation,
        kruskal.p,
        kruskal.p_permutation,
        min(each.test.p_holm for each in found.differences if isinstance(each, Difference)),
        min(_pairs(found.levene.alternative)),
        min(_pairs(found.levene.default)),
    )


def _pairs(tests: tuple[PairTest | NotComputable, ...]) -> Iterator[float]:
    return (each.p_holm for each in tests if isinstance(each, PairTest))


def studies(monkeypatch: pytest.MonkeyPatch, count: int) -> Iterator[PValues]:
    """With 199 permutations, and without intervals, which decide nothing."""
    monkeypatch.setattr(resampling, "resamples", lambda _: 199)
    monkeypatch.setattr(resampling, "_interval", lambda *_: NotComputable("not asked for"))
    for seed in range(count):
        population = study(seed)
        assert all(row.is_analysed for row in population.rows)
        yield p_values(final_accuracy.readings(population, f"study {seed}").default)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_without_an_effect_500_studies_find_one_no_more_often_than_alpha_says(monkeypatch: pytest.MonkeyPatch) -> None:
    found = PValues(*(sum(p <= ALPHA for p in each) for each in zip(*studies(monkeypatch, STUDIES), strict=True)))
    for name, count in found._asdict().items():
        assert count > 0, name
        if name != "levene":  # around the mean it finds too much in small groups, which the plan says
            assert count <= MOST, (name, count)
