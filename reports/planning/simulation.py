"""Simulated studies of one size, and which of them find the effect: decided by the functions of the report."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy import special

from reports.analysis.follow_up import is_found
from reports.planning.design import ALL, ANY, Design, Different, Effect
from reports.planning.recruits import at_normal, beta_quantiles
from reports.planning.registered_tests import RegisteredTest
from reports.statistics import inference
from reports.statistics.arrays import TOLERANCE, Flags, Floats, rounded
from reports.statistics.copula import as_observed, places, tied_to
from reports.statistics.resampling import generator

_NUMBERS = 1_000_000
"""The numbers that are drawn at once: the same on every machine, since the random numbers depend on it."""

_SMALLEST_SHARE = 2.0**-54


def found(design: Design, effect: Effect, people: int) -> Mapping[str, Flags]:
    """Which of the simulated studies with so many people find the effect, by outcome.

    All effects meet the same random numbers, so that their powers differ by less chance than they were apart.

    Returns:
        ``any`` for every test, that is what it finds; of a test of pairs also ``all``, and each pair.
    """
    random = generator("plan", design.seed, people)
    parts: dict[str, list[Flags]] = {}
    for studies in _parts(design.studies, people):
        for outcome, flags in _one_part(design, effect, (studies, people), random).items():
            parts.setdefault(outcome, []).append(flags)
    return {outcome: np.concatenate(flags) for outcome, flags in parts.items()}


def _parts(studies: int, people: int) -> Iterator[int]:
    most = max(1, _NUMBERS // people)
    for first in range(0, studies, most):
        yield min(most, studies - first)


def _one_part(
    design: Design, effect: Effect, shape: tuple[int, int], random: np.random.Generator
) -> Mapping[str, Flags]:
    sizes = design.sizes(shape[1])
    if isinstance(effect, Different):
        return _compare(design, _drawn(effect, sizes, random.standard_normal(shape)))
    first, second = random.standard_normal((2, *shape))
    if not design.fixed:
        months = as_observed(design.recruits.months, first)
        return {ANY: is_found(months, tied_to(first, second, effect.rho), design.alpha)}
    shares = np.clip(random.random(shape), _SMALLEST_SHARE, 1 - _SMALLEST_SHARE)
    skill = tied_to(special.ndtri(_within_bands(sizes, shares)), second, effect.rho)
    if design.test is RegisteredTest.SPEARMAN:
        return {ANY: is_found(_months(design, sizes, shares), skill, design.alpha)}
    return _compare(design, _split(at_normal(design.recruits.accuracies, skill), sizes))


# --- people -----------------------------------------------------------------------------------------------------------


def _split(values: Floats, sizes: Sequence[int]) -> list[Floats]:
    return np.split(values, np.cumsum(sizes)[:-1], axis=-1)


def _within_bands(sizes: Sequence[int], shares: Floats) -> Floats:
    """Where people stand among all by experience, from 0 to 1: within the band of their group."""
    ends = np.cumsum(sizes) / sum(sizes)
    starts = np.concatenate([[0.0], ends[:-1]])
    return np.asarray(np.repeat(starts, sizes) + shares * np.repeat(ends - starts, sizes))


def _months(design: Design, sizes: Sequence[int], shares: Floats) -> Floats:
    """People's months, drawn within their group as they were observed."""
    drawn = [
        np.sort(group.months)[places(part, len(group.months))]
        for group, part in zip(design.recruits.groups, _split(shares, sizes), strict=True)
    ]
    return np.concatenate(drawn, axis=-1)


def _drawn(effect: Different, sizes: Sequence[int], normal: Floats) -> list[Floats]:
    """Accuracies of each group, of its mean and standard deviation."""
    return [
        at_normal(beta_quantiles(mean, sd), part)
        for mean, sd, part in zip(effect.means, effect.sds, _split(normal, sizes), strict=True)
    ]


# --- tests ------------------------------------------------------------------------------------------------------------


def _compare(design: Design, samples: Sequence[Floats]) -> Mapping[str, Flags]:
    """What the test finds between these groups: arrays of shape (studies, people of the group)."""
    if design.test is RegisteredTest.KRUSKAL_WALLIS:
        return {ANY: _several(samples, design.alpha)}
    studies = samples[0].shape[0]
    p = {
        name: _pair(design.test, x, y)
        for name, (x, y) in zip(design.pairs, combinations(samples, 2), strict=True)
        if x.shape[-1] > 1 and y.shape[-1] > 1
    }
    nothing = np.zeros(studies, dtype=np.bool_)
    if not p:
        return dict.fromkeys((ANY, ALL, *design.pairs), nothing)
    corrected = inference.holm_along(np.stack(list(p.values()), axis=-1))
    pairs = {name: _significant(corrected[:, place], design.alpha) for place, name in enumerate(p)}
    every = np.stack([pairs.get(name, nothing) for name in design.pairs])
    return {ANY: every.any(axis=0), ALL: every.all(axis=0), **dict(zip(design.pairs, every, strict=True))}


def _several(samples: Sequence[Floats], alpha: float) -> Flags:
    present = [rounded(sample) for sample in samples if sample.shape[-1] > 1]
    if len(present) < 2:
        return np.zeros(samples[0].shape[0], dtype=np.bool_)
    _, p = inference.kruskal_wallis(present)
    return _significant(_known(p), alpha)


def _pair(test: RegisteredTest, x: Floats, y: Floats) -> Floats:
    """The p of each study; 1 where the report has none."""
    if test is RegisteredTest.MANN_WHITNEY:
        return _known(inference.mann_whitney(rounded(x), rounded(y))[1])
    median = test is RegisteredTest.BROWN_FORSYTHE
    u, v = (inference.deviations(values, median=median) for values in (x, y))
    return _known(inference.deviations_differ(u, v)[1])


def _known(p: Floats) -> Floats:
    return np.nan_to_num(p, nan=1.0)


def _significant(p: Floats, alpha: float) -> Flags:
    return np.asarray(p <= alpha + TOLERANCE)  # an exact p may equal alpha but for its last bit
