"""Bootstrap intervals and permutation p-values, seeded: the same data gives the same numbers.

Bootstrap: Efron and Tibshirani (1993), *An Introduction to the Bootstrap*; BCa is their chapter 14.3.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special, stats

from reports.results.measures import Estimate, Interval, NotComputable
from reports.statistics.arrays import TOLERANCE, Floats

SEED = 2008_05981
"""The seed of every resampling: the number of the paper on arXiv."""

LEVEL = 0.95
FEWEST = 3
"""Fewer values have too few different resamples."""

MOST_RESAMPLES = 9_999
FEWEST_RESAMPLES = 1_999
_NUMBERS = 3_000_000
"""The numbers that are drawn for one interval, within the bounds above."""

_JACKKNIFE_MOST = 2_000
"""With more people, leaving out each in turn takes long and corrects almost nothing."""

_CHUNK = 2_000_000
_FEWEST_USABLE = 0.9

Statistic = Callable[..., Floats]
"""From one array of indices per sample, each of shape (resamples, size), to one number per resample."""


def generator(*names: object) -> np.random.Generator:
    """A random generator with a seed that follows from these names."""
    return np.random.default_rng([SEED, zlib.crc32("/".join(map(str, names)).encode())])


def resamples(size: int) -> int:
    """The number of resamples for this number of people; with very many people it is smaller."""
    return int(np.clip(_NUMBERS // max(size, 1), FEWEST_RESAMPLES, MOST_RESAMPLES))


def bootstrap(statistic: Statistic, *sizes: int, name: str) -> Estimate | NotComputable:
    """A statistic with its 95 % bootstrap interval: BCa, or percentile where BCa is not defined.

    Each sample is resampled separately. Resamples on which the statistic is not defined (NaN) are left out.

    Args:
        statistic: Called with one array of indices for each sample.
        sizes: The samples' sizes.
        name: The random numbers follow from it.

    Returns:
        Not computable when the statistic is not defined on the data; an estimate without an interval when the data
        are too few, or show no variation.
    """
    value = float(statistic(*(np.arange(size)[None, :] for size in sizes))[0]) if min(sizes) else np.nan
    if not np.isfinite(value):
        return NotComputable("The data do not define this number.")
    return Estimate(value, _interval(statistic, value, sizes, name), sum(sizes))


def _interval(statistic: Statistic, value: float, sizes: Sequence[int], name: str) -> Interval | NotComputable:
    if min(sizes) < FEWEST:
        return NotComputable(f"Fewer than {FEWEST} values are too few to resample.")
    count = resamples(sum(sizes))
    random = generator("bootstrap", name)
    chunk = max(1, _CHUNK // sum(sizes))
    drawn = []
    for first in range(0, count, chunk):
        shape = min(chunk, count - first)
        drawn.append(statistic(*(random.integers(0, size, (shape, size)) for size in sizes)))
    values = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    if len(values) < _FEWEST_USABLE * count:
        return NotComputable("Too many resamples do not define this number: there are too few different values.")
    if np.ptp(values) <= 1e-12 * max(1.0, abs(value)):
        return NotComputable("Resampling gives the same number every time, so it shows no uncertainty.")
    tails = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    corrected = _bca(statistic, value, values, sizes, tails)
    method = "percentile bootstrap" if corrected is None else "BCa bootstrap"
    low, high = np.quantile(values, tails if corrected is None else corrected)
    return Interval(float(low), float(high), LEVEL, method, len(values))


def _bca(statistic: Statistic, value: float, values: Floats, sizes: Sequence[int], tails: Floats) -> Floats | None:
    """The quantiles to take instead of the tails; None where the correction is not defined."""
    if max(sizes) > _JACKKNIFE_MOST:
        return None
    tie = TOLERANCE * max(1.0, abs(value))  # a resample of everybody, in another order, has other last bits
    below = (np.count_nonzero(values < value - tie) + np.count_nonzero(values <= value + tie)) / (2 * len(values))
    if not 0 < below < 1:
        return None
    bias = special.ndtri(below)
    top = bottom = 0.0
    for position, size in enumerate(sizes):
        influence = _influence(statistic, sizes, position)
        if not np.isfinite(influence).all():
            return None
        influence = np.where(np.abs(influence) <= tie * size, 0.0, influence)
        top += float(np.sum(influence**3)) / size**3
        bottom += float(np.sum(influence**2)) / size**2
    acceleration = top / (6 * bottom**1.5) if bottom > 0 else 0.0
    shifted = bias + special.ndtri(tails)
    scale = 1 - acceleration * shifted
    if (scale <= 0).any():
        return None
    return np.asarray(special.ndtr(bias + shifted / scale), dtype=np.float64)


def _influence(statistic: Statistic, sizes: Sequence[int], position: int) -> Floats:
    """How much each member of a sample moves the statistic, by leaving it out."""
    size = sizes[position]
    without = np.arange(size - 1)[None, :] + (np.arange(size - 1)[None, :] >= np.arange(size)[:, None])
    left: list[Floats] = []
    chunk = max(1, _CHUNK // sum(sizes))
    for first in range(0, size, chunk):
        rows = without[first : first + chunk]
        whole = [np.broadcast_to(np.arange(other), (len(rows), other)) for other in sizes]
        whole[position] = rows
        left.append(statistic(*whole))
    estimates = np.concatenate(left)
    return np.asarray((size - 1) * (estimates.mean() - estimates), dtype=np.float64)


def mean_of(values: Floats) -> Statistic:
    """The mean, as a statistic of resamples."""
    return lambda indices: values[indices].mean(axis=1)


def median_of(values: Floats) -> Statistic:
    """The median, as a statistic of resamples."""
    return lambda indices: np.median(values[indices], axis=1)


def mean(values: Floats, name: str) -> Estimate:
    """The mean with its interval.

    Raises:
        ValueError: There is no value.
    """
    return _of_values(mean_of(values), values, name)


def median(values: Floats, name: str) -> Estimate:
    """The median with its interval.

    Raises:
        ValueError: There is no value.
    """
    return _of_values(median_of(values), values, name)


def _of_values(statistic: Statistic, values: Floats, name: str) -> Estimate:
    estimate = bootstrap(statistic, len(values), name=name)
    if isinstance(estimate, NotComputable):
        raise ValueError(f"{name}: {estimate.why}")  # noqa: TRY004
    return estimate


def permutation_pairs(x: Floats, y: Floats, name: str) -> float:
    """Two-sided p of the sum of products of two centred series, over permutations of their pairs.

    Of two series of ranks this is the permutation test of Spearman's rho. Exact where there are few permutations.

    Args:
        x, y: Of whole numbers, so that equal sums are equal in whatever order they are added.
    """
    found = stats.permutation_test(
        (x,),
        lambda permuted, axis: np.sum(permuted * y, axis=axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=resamples(len(x)),
        batch=_batch(len(x)),
        rng=generator("permutation", name),
    )
    return float(found.pvalue)


def permutation_groups(
    statistic: Callable[..., Floats], samples: Sequence[Floats], name: str, *, two_sided: bool
) -> float:
    """P of a statistic over permutations of who belongs to which sample; one-sided: as large or larger.

    Args:
        statistic: Called with one array per sample and ``axis``.
        two_sided: Also as small or smaller, doubled.
    """
    size = sum(len(sample) for sample in samples)
    found = stats.permutation_test(
        tuple(samples),
        statistic,
        permutation_type="independent",
        alternative="two-sided" if two_sided else "greater",
        vectorized=True,
        n_resamples=resamples(size),
        batch=_batch(size),
        rng=generator("permutation", name),
    )
    return float(found.pvalue)


def _batch(size: int) -> int:
    return max(1, _CHUNK // max(size, 1))
