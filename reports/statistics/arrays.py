"""Arrays by what is in them, and sums and comparisons that are the same on every machine.

The last bits of a float depend on the order in which it was summed, and on the processor: a BLAS library takes other
kernels on another machine or with other threads. Whatever compares numbers (a rank, a tie, a threshold) therefore
compares them without their last bits, and long sums of products are not left to BLAS.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

DECIMALS = 9
"""Accuracies (0 to 100), shares and distances (0 to 1), months and minutes mean nothing beyond these."""

TOLERANCE = 10.0**-DECIMALS


def rounded(values: Floats) -> Floats:
    """The values to :data:`DECIMALS`: two that are equal but for the order of their sums become equal."""
    return np.asarray(np.round(values, DECIMALS) + 0.0)  # + 0.0: no −0.0


def weighted_sums(weights: Floats, values: Floats) -> Floats:
    """The sum of products along the last axis, added pairwise in one order, which BLAS does not promise."""
    return np.asarray(np.sum(weights * values, axis=-1))
