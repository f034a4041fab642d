"""How people begin, and why they choose what they choose: the paper's figures 8 and 9."""

from collections.abc import Mapping

import numpy as np

from reports.analysis import final_accuracy
from reports.analysis.tries import nobody
from reports.data.population import Population
from reports.data.study_data import COMMENTS
from reports.results.measures import Correlation, NotComputable, Reading
from reports.results.paper import Comments, DefaultStart, GroupComments, GroupStart
from reports.statistics import inference
from reports.statistics.arrays import Flags, Floats, rounded
from storage.schema.comments import COMMENT_TEXTS, Comment
from storage.study_rules import GROUPS
from training.hyperparameters import HYPERPARAMETERS

ABOVE = 50.0
"""“All participants who started with defaults achieved a final performance greater than 50%.”"""


# --- figure 8 ---------------------------------------------------------------------------------------------------------


def default_start(population: Population) -> DefaultStart:
    """Figure 8: people with every optional hyperparameter of the optimizer at its default in their first try."""
    tried = population.tries > 0
    starts = np.zeros(len(population), dtype=bool)
    first = np.array([row.trials.start for row in population.rows], dtype=np.int64)[tried]
    starts[tried] = all_optional_at_default(population.trials.values[first])
    accuracies = rounded(final_accuracy.accuracies(population))
    known = starts & np.isfinite(accuracies)
    return DefaultStart(
        groups={
            group: _group_start(group, starts[members], accuracies[members])
            if (members := population.members(group) & tried).any()
            else nobody(group)
            for group in GROUPS
        },
        above=ABOVE,
        all_above=bool((accuracies[known] > ABOVE).all()) if known.any() else None,
    )


def all_optional_at_default(values: Floats) -> Flags:
    """Whether each configuration (rows of table 1's 15 values) leaves all optional hyperparameters at their defaults.

    What the optimizer does not use holds its default in every stored configuration.
    """
    optional = [position for position, each in enumerate(HYPERPARAMETERS) if not each.mandatory]
    defaults = np.array([float(HYPERPARAMETERS[position].default or 0.0) for position in optional])
    return np.asarray((values[:, optional] == defaults).all(axis=1))


def _group_start(group: str, starts: Flags, accuracies: Floats) -> GroupStart:
    known = np.isfinite(accuracies)
    with_defaults, others = np.sort(accuracies[starts & known]), np.sort(accuracies[~starts & known])
    return GroupStart(
        group=group,
        defaults=int(np.count_nonzero(starts)),
        others=int(np.count_nonzero(~starts)),
        share=inference.share(int(np.count_nonzero(starts)), len(starts)),
        accuracies=tuple(float(each) for each in with_defaults),
        above=int(np.count_nonzero(with_defaults > ABOVE)),
        others_accuracies=tuple(float(each) for each in others),
        others_above=int(np.count_nonzero(others > ABOVE)),
    )


# --- figure 9 ---------------------------------------------------------------------------------------------------------


def comments(population: Population, name: str) -> Comments:
    """Figure 9, and the correlation of guessing with experience."""
    counts = np.zeros((len(population), len(COMMENTS)))
    given = population.trials.comments[population.indices]
    for kind in range(len(COMMENTS)):
        np.add.at(counts[:, kind], population.owners, np.count_nonzero(given == kind, axis=1))
    return Comments(
        groups=Reading(
            _groups(population, counts, each_person_once=False),
            _groups(population, counts, each_person_once=True),
            "Shares of all comments that a group left.",
            "The mean of the shares of all people who left comments: each person counts once.",
        ),
        guessing=_guessing(population, counts, name),
        texts={str(comment): COMMENT_TEXTS[comment] for comment in COMMENTS},
    )


def _groups(
    population: Population, counts: Floats, *, each_person_once: bool
) -> Mapping[str, GroupComments | NotComputable]:
    return {group: _group(group, counts[population.members(group)], each_person_once) for group in GROUPS}


def _group(group: str, counts: Floats, each_person_once: bool) -> GroupComments | NotComputable:
    if not len(counts):
        return nobody(group)
    speaking = counts[counts.sum(axis=1) > 0]
    if not len(speaking):
        return NotComputable(f"Nobody in the group {group} left a comment.")
    per_person = speaking / speaking.sum(axis=1, keepdims=True)
    shares = per_person.mean(axis=0) if each_person_once else speaking.sum(axis=0) / speaking.sum()
    return GroupComments(
        group=group,
        people=len(speaking),
        silent=len(counts) - len(speaking),
        counts={str(kind): int(each) for kind, each in zip(COMMENTS, speaking.sum(axis=0), strict=True)},
        shares={str(kind): float(each) for kind, each in zip(COMMENTS, shares, strict=True)},
    )


def _guessing(population: Population, counts: Floats, name: str) -> Correlation | NotComputable:
    speaks = counts.sum(axis=1) > 0
    guesses = counts[speaks, COMMENTS.index(Comment.GUESS)] / counts[speaks].sum(axis=1)
    return inference.spearman(
        population.months[speaks], guesses, name=f"{name}/guessing", of=("months of experience", "shares of guesses")
    )
