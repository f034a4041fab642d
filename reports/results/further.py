"""Numbers beyond the paper: regressions, search behaviour, machines, importance, components, a follow-up."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.results.measures import Correlation, Curve, Estimate, Interval, NotComputable, Reading, SeveralTest, Spread
from reports.results.paper import Difference


@dataclass(frozen=True)
class Coefficient:
    """One of a regression: per unit of the covariate, in percentage points of accuracy."""

    name: str
    value: float
    error: float
    t: float
    p: float
    interval: Interval


@dataclass(frozen=True)
class Regression:
    """Least squares of final accuracy, with standard errors that allow for unequal variances (HC3).

    Attributes:
        coefficients: The intercept first. ``log(1 + months)`` is the natural logarithm.
        per_doubling: What doubling 1 + months adds, in percentage points.
        left_out: Covariates that could not be used, each with the reason.
        incomplete: People left out because an answer is missing.
    """

    coefficients: tuple[Coefficient, ...]
    per_doubling: Estimate
    r_squared: float
    r_squared_adjusted: float
    n: int
    left_out: tuple[str, ...]
    incomplete: int


@dataclass(frozen=True)
class Regressions:
    """Final accuracy on experience alone, and with tries and background as covariates."""

    experience: Regression | NotComputable
    adjusted: Regression | NotComputable


@dataclass(frozen=True)
class GroupSearch:
    """How a group searches: means over its people, each of whom counts once.

    Attributes:
        people: With at least one step: a try after their first complete one.
        steps: Of all of them.
        distance: How far a step is from the best so far (0: the same, 1: as far as can be).
        changed: How many of the 15 values differ from the best so far.
        one_value: Share of steps that change one value.
        same: Share of steps that change nothing.
        exploitation, exploration: Shares of steps; with ``same`` they add up to 1.
        improved: Share of steps whose accuracy beats the best so far.
        exploration_interval: Of ``exploration``.
    """

    group: str
    people: int
    steps: int
    distance: Estimate
    changed: Estimate
    one_value: Estimate
    same: float
    exploitation: float
    exploration: float
    improved: float
    exploration_interval: Interval | NotComputable


@dataclass(frozen=True)
class SearchBehaviour:
    """What people do between tries.

    Attributes:
        groups: Exploration told by the number of values changed (default), or by the distance. TPE's artificial
            participants are there as ``tpe``.
        distance_by_try: Mean distance from the best so far at the k-th try, by group (``Curve.mean`` is a distance).
        changed_values: Share of steps that change each hyperparameter, by group, in table 1's order.
        random_distance: The mean distance between two settings of random search: what a random strategy would show.
        experience_distance, experience_changed: How they go with months.
        kruskal_distance: Whether groups differ in distance.
    """

    groups: Reading[Mapping[str, GroupSearch | NotComputable]]
    distance_by_try: Mapping[str, Curve | NotComputable]
    changed_values: Mapping[str, Mapping[str, float]]
    random_distance: float | NotComputable
    experience_distance: Correlation | NotComputable
    experience_changed: Correlation | NotComputable
    kruskal_distance: SeveralTest | NotComputable


@dataclass(frozen=True)
class AgainstRandom:
    """A group (or ``people``, ``tpe``) against random search with as many tries each.

    Attributes:
        n: People.
        best: Their mean best validation accuracy at the end.
        random_best: What random search expects with each one's number of tries, averaged.
        advantage: ``best`` minus ``random_best``, paired, in percentage points.
        ahead: The chance that a person drawn at random beats a random search with as many tries; ties count half.
        worth: The number of random tries whose expected best is as good as ``best``; None when more than were drawn.
    """

    group: str
    n: int
    best: float
    random_best: float
    advantage: Estimate
    ahead: float
    worth: int | None


@dataclass(frozen=True)
class AgainstTpe:
    """People (or a group) against TPE in final test accuracy. ``difference.first`` is TPE: positive is for people."""

    group: str
    n_people: int
    n_tpe: int
    people: Spread
    tpe: Spread
    difference: Difference


@dataclass(frozen=True)
class Machines:
    """People against random search and TPE: anytime curves of the best validation accuracy so far.

    Attributes:
        by_tries: At equal tries: ``people``, each group, ``random`` (exact expectation), ``tpe``.
        by_time: At equal time, in minutes: a person's clock, thinking included, against a machine's training time
            (default); or training time for both.
        against_random, against_tpe: By ``people`` and group (``tpe`` is in the first too).
        random_drawn: Settings that random search's curves come from.
    """

    by_tries: Mapping[str, Curve | NotComputable]
    by_time: Reading[Mapping[str, Curve | NotComputable]]
    against_random: Mapping[str, AgainstRandom | NotComputable]
    against_tpe: Mapping[str, AgainstTpe | NotComputable]
    random_drawn: int


@dataclass(frozen=True)
class Importance:
    """How much of the variance of validation accuracy each hyperparameter accounts for (fANOVA; Hutter et al., 2014).

    Attributes:
        shares: By hyperparameter, the largest first; they add up to 1.
        sd: Of each share between forests of different seeds.
        main_effects: What all of them account for one by one, of the whole variance; the rest is how they act together.
        n: Trials used; ``of`` how many there are (a random part is taken of very many).
    """

    shares: Mapping[str, float]
    sd: Mapping[str, float]
    main_effects: float
    n: int
    of: int


@dataclass(frozen=True)
class Components:
    """Where the ten evaluations' variance comes from (two-way random effects: people and seeds).

    Attributes:
        people: With every seed evaluated; ``seeds`` how many seeds.
        sd_people, sd_seeds, sd_rest: Standard deviations of the components, in percentage points; the last is what is
            neither person nor seed. A negative estimate counts as 0.
        icc: ICC(1,1) of Shrout and Fleiss (1979): the share of variance between people, of a single evaluation.
        icc_mean: ICC(1,k): of the mean of all seeds.
    """

    people: int
    seeds: int
    sd_people: float
    sd_seeds: float
    sd_rest: float
    icc: Estimate
    icc_mean: Estimate


@dataclass(frozen=True)
class PowerLine:
    """How many people a follow-up needs if the true correlation is ``rho``; nothing is simulated of one of 0.

    Attributes:
        what: ``as observed``, ``nearer end of its interval`` (to 0), ``half of it``.
        at: Numbers of people; ``power`` the chance to find it, at each.
        needed: People needed by power (``"0.8"``, ``"0.9"``); None when more than :attr:`FollowUp.most`.
    """

    what: str
    rho: float
    at: tuple[int, ...]
    power: tuple[float, ...]
    needed: Mapping[str, int | None]


@dataclass(frozen=True)
class FollowUp:
    """Simulated follow-ups: months as observed here, ties and all, tied to accuracy by a normal copula.

    Attributes:
        alpha: Level of the two-sided test of Spearman's rho.
        studies: Simulated at each number of people.
        most: The largest number of people looked at.
    """

    lines: tuple[PowerLine, ...]
    alpha: float
    studies: int
    most: int
