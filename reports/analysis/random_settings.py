"""The paper's figure 1: what settings drawn at random achieve."""

from collections.abc import Sequence

import numpy as np

from reports.data.population import LOST
from reports.data.study_data import STATES, ParticipantRow, Trials
from reports.results.measures import NotComputable, Reading
from reports.results.paper import RandomSettings
from reports.statistics import inference, resampling
from reports.statistics.arrays import Floats, Integers
from storage.schema.states import TrialState

EDGES = np.arange(0.0, 101.0, 5.0)

_NONE = NotComputable("No random settings have been drawn and trained yet: “/study baseline random 320” does.")


def indices(rows: Sequence[ParticipantRow]) -> Integers:
    """The trials of random searches."""
    parts = [np.arange(row.trials.start, row.trials.stop) for row in rows]
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def scores(trials: Trials, which: Integers) -> Floats:
    """Validation accuracy of each trial; 0 where it diverged or failed, NaN where it was cancelled or goes on."""
    return np.where(trials.complete, trials.accuracy, np.where(trials.are(*LOST), 0.0, np.nan))[which]


def random_settings(
    rows: Sequence[ParticipantRow], trials: Trials, name: str
) -> Reading[RandomSettings | NotComputable]:
    """Figure 1 in both readings of what a setting without an accuracy counts as."""
    which = indices(rows)
    counted = scores(trials, which)
    complete = counted[trials.complete[which]]
    return Reading(
        _random_settings(counted[np.isfinite(counted)], trials, which, name),
        _random_settings(complete, trials, which, name),
        "A setting that diverged or failed counts as 0 %: all drawn settings are in, as the paper's 320 are.",
        "Only settings that were trained to their end.",
    )


def _random_settings(values: Floats, trials: Trials, which: Integers, name: str) -> RandomSettings | NotComputable:
    spread = inference.spread(values)
    if isinstance(spread, NotComputable):
        return _NONE
    counts = np.bincount(trials.state[which], minlength=len(STATES))
    states = {str(state): int(count) for state, count in zip(STATES, counts, strict=True) if state.is_finished}
    unfinished = int(np.count_nonzero(trials.are(TrialState.WAITING, TrialState.RUNNING)[which]))
    return RandomSettings(
        histogram=inference.histogram(values, EDGES),
        spread=spread,
        mean=resampling.mean(values, f"{name}/random/mean"),
        states=states,
        unfinished=unfinished,
    )
