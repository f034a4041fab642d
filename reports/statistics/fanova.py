"""Functional analysis of variance of a random forest: which share of its variance each variable accounts for alone.

Hutter, Hoos and Leyton-Brown (2014). The numbers are those of Optuna's ``FanovaImportanceEvaluator``, from the same
forest (a test compares them). Optuna walks each tree in Python for every split point; here all of a tree's leaves meet
all split points of a variable in one array, which took a twentieth of the time with 500 trials and a thirtieth with
1,000, and so lets a report use all trials of a study of the paper's size.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from reports.statistics.arrays import TOLERANCE, Floats


class NoVariance(ValueError):
    """No tree of the forest splits: the values are too much alike."""


def shares(columns: Floats, values: Floats, variables: Sequence[Sequence[int]], *, trees: int, seed: int) -> Floats:
    """The share of variance of each variable, the mean over trees; at most 1 together, interactions are the rest.

    Args:
        columns: Shape (observations, columns), each within 0 … 1.
        values: What the forest predicts, one per observation.
        variables: The columns of each variable: one, or the indicators of a choice.
        trees: In the forest, grown to single observations.

    Raises:
        NoVariance: There is no variance to be accounted for.
    """
    forest = RandomForestRegressor(n_estimators=trees, max_depth=64, random_state=seed)
    forest.fit(columns, values)
    found = [_tree_shares(each.tree_, variables) for each in forest.estimators_]
    known = [each for each in found if each is not None]
    if not known:
        raise NoVariance
    return np.asarray(np.mean(known, axis=0))


def _tree_shares(tree: object, variables: Sequence[Sequence[int]]) -> Floats | None:
    low, high, values = _leaves(tree)
    sizes = high - low
    volume = np.prod(sizes, axis=1)
    mean = np.average(values, weights=volume)
    variance = np.average((values - mean) ** 2, weights=volume)
    if variance <= TOLERANCE:
        return None
    return np.array([_marginal_variance(low, high, values, volume, list(each)) for each in variables]) / variance


def _leaves(tree: object) -> tuple[Floats, Floats, Floats]:
    """The boxes of the tree's leaves, shape (leaves, columns) each, and what it predicts in them."""
    feature, threshold = tree.feature, tree.threshold  # type: ignore[attr-defined]
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    low = np.zeros((len(feature), tree.n_features))  # type: ignore[attr-defined]
    high = np.ones_like(low)
    nodes = np.array([0])
    while len(nodes := nodes[feature[nodes] >= 0]):
        for children, side in ((left[nodes], high), (right[nodes], low)):
            low[children], high[children] = low[nodes], high[nodes]
            side[children, feature[nodes]] = threshold[nodes]
        nodes = np.concatenate([left[nodes], right[nodes]])
    leaves = feature < 0
    return low[leaves], high[leaves], tree.value[leaves].reshape(-1)  # type: ignore[attr-defined]


def _marginal_variance(low: Floats, high: Floats, values: Floats, volume: Floats, columns: list[int]) -> float:
    """The variance of what the tree predicts by these columns, averaged over all others."""
    cells = [_cells(low[:, column], high[:, column]) for column in columns]
    inside = np.ones((len(values), 1), dtype=bool)
    for column, (middles, _) in zip(columns, cells, strict=True):
        meets = (low[:, column, None] < middles) & (middles <= high[:, column, None])
        inside = (inside[:, :, None] & meets[:, None, :]).reshape(len(values), -1)
    weights = volume / np.prod(high[:, columns] - low[:, columns], axis=1)
    marginal = ((weights * values) @ inside) / (weights @ inside)
    sizes = reduce(np.multiply.outer, [lengths for _, lengths in cells]).ravel()
    mean = np.average(marginal, weights=sizes)
    return float(np.average((marginal - mean) ** 2, weights=sizes))


def _cells(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The intervals between a column's split points: their middles and lengths."""
    edges = np.unique(np.concatenate([low, high]))
    return (edges[1:] + edges[:-1]) / 2, np.diff(edges)
