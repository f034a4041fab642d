"""People drawn from a normal copula: two series of a given rank correlation, with values as somebody observed them.

Of two normal series with Pearson's correlation r, Spearman's is 6 / π · arcsin(r / 2) (Kruskal, 1958).
"""

import numpy as np
from scipy import special

from reports.statistics.arrays import Floats, Integers


def pearson_of(rho: float) -> float:
    """Pearson's correlation of two normal series whose Spearman's correlation is ``rho``, from −1 to 1."""
    return float(2 * np.sin(np.pi * np.clip(rho, -1, 1) / 6))


def tied_to(first: Floats, second: Floats, rho: float) -> Floats:
    """A standard normal series whose rank correlation with ``first`` is ``rho``.

    Args:
        first, second: Independent standard normal series of one shape.
    """
    pearson = pearson_of(rho)
    return np.asarray(pearson * first + np.sqrt(1 - pearson**2) * second)


def as_observed(values: Floats, normal: Floats) -> Floats:
    """Standard normal numbers turned into observed values, each as likely as it was observed, ties and all.

    Args:
        values: What was observed, in any order.
    """
    return np.asarray(np.sort(values)[places(special.ndtr(normal), len(values))])


def places(shares: Floats, count: int) -> Integers:
    """Shares from 0 to 1 as places 0 to ``count`` − 1 of equal width."""
    return np.asarray(np.minimum((shares * count).astype(np.int64), count - 1))
