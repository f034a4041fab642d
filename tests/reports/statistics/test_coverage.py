"""How often the interval of Spearman's correlation covers the true one, in simulated studies like the paper's."""

import numpy as np
import pytest

from reports.planning.recruits import paper
from reports.results.measures import Estimate, Interval
from reports.statistics import copula, inference, resampling

STUDIES = 1_000


def covered(rho: float, people: int) -> tuple[int, int]:
    """Of the studies, those whose interval is below the true correlation, and above it.

    The true correlation is a little smaller than ``rho``, since months are tied.
    """
    random = np.random.default_rng([31, people])
    months = paper().months
    first, second = random.standard_normal((2, 400_000))
    true = float(inference.rho(copula.as_observed(months, first), copula.tied_to(first, second, rho)))
    below = above = 0
    for study in range(STUDIES):
        first, second = random.standard_normal((2, people))
        interval = interval_of(copula.as_observed(months, first), copula.tied_to(first, second, rho), f"study {study}")
        below += interval.high < true
        above += interval.low > true
    return below, above


def interval_of(x: np.ndarray, y: np.ndarray, name: str) -> Interval:
    found = resampling.bootstrap(lambda rows: inference.rho(x[rows], y[rows]), len(x), name=name)
    assert isinstance(found, Estimate)
    assert isinstance(found.interval, Interval)
    return found.interval


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("rho", "share"), [(0.0, 0.955), (0.3, 0.953), (0.6, 0.947), (0.8, 0.949)], ids=lambda each: f"{each:g}"
)
def test_the_interval_of_31_people_covers_the_true_correlation(
    rho: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as it says: in 95 % of the studies."""
    monkeypatch.setattr(resampling, "resamples", lambda _: 999)
    below, above = covered(rho, 31)
    assert 1 - (below + above) / STUDIES == pytest.approx(share, abs=0.012)
    assert max(below, above) <= 0.06 * STUDIES
