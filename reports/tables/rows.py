"""The rows of the tables, each as long as the columns of its table in :mod:`reports.tables.catalogue`."""

from collections.abc import Iterator, Mapping, Sequence

from reports.results.further import (
    AgainstRandom,
    AgainstTpe,
    Components,
    FollowUp,
    GroupSearch,
    Importance,
    Machines,
    Regression,
    Regressions,
)
from reports.results.measures import Correlation, Curve, Estimate, Interval, NotComputable, PairTest, SeveralTest
from reports.results.paper import (
    Box,
    DefaultStart,
    Difference,
    Experience,
    GroupComments,
    GroupStart,
    PersonPoint,
    RandomSettings,
    Threshold,
)
from reports.results.study_results import Counts
from reports.wording import called
from training.hyperparameters import HYPERPARAMETERS

Cell = str | int | float | None
Row = tuple[Cell, ...]

_LABELS = {each.name: each.label for each in HYPERPARAMETERS}


def counts(found: Counts) -> Iterator[Row]:
    """How many there are of everything."""
    yield from (
        ("people invited", found.invited),
        ("… who consented", found.consented),
        ("… who told their background", found.described),
        ("… who began", found.began),
        ("people analysed", found.analysed),
    )
    yield from ((f"… {group}", count) for group, count in found.by_group.items())
    yield from (
        ("… for whom the clock chose", found.chosen_by_clock),
        ("people in a session now", found.unfinished),
        ("people who withdrew (in no figure)", found.withdrawn),
        ("sessions that a researcher ended", found.cancelled),
        ("people who never submitted anything", found.empty),
        ("trials of the people analysed", found.submitted),
        ("… different configurations", found.different),
    )
    yield from ((f"… {state}", count) for state, count in found.trials.items())
    yield "hours trained in them", round(found.seconds_trained / 3600, 1)
    yield "evaluations of final choices", sum(found.evaluations.values())
    yield from ((f"… {state}", count) for state, count in found.evaluations.items() if count)
    for searcher, states in found.searcher_trials.items():
        yield (
            f"artificial participants: {called(searcher)}",
            found.artificial_participants.get(searcher, 0),
        )
        yield from ((f"… trials {state}", count) for state, count in states.items() if count)


def random_bins(found: RandomSettings | NotComputable) -> Iterator[Row]:
    """Figure 1's bars."""
    if isinstance(found, RandomSettings):
        edges = found.histogram.edges
        yield from zip(edges[:-1], edges[1:], found.histogram.counts, strict=True)


def random_settings(found: RandomSettings | NotComputable) -> Iterator[Row]:
    """Figure 1's numbers."""
    if isinstance(found, NotComputable):
        yield None, None, None, None, None, found.why
    else:
        yield found.spread.n, found.spread.mean, _or_none(found.spread.sd), *_bounds(found.mean), None


def experience(found: Experience | NotComputable) -> Iterator[Row]:
    """Figure 3's bars."""
    if isinstance(found, Experience):
        edges = found.histogram.edges
        for group, each in found.by_group.items():
            yield from ((group, low, high, count) for low, high, count in zip(edges[:-1], edges[1:], each, strict=True))


def points(found: Sequence[PersonPoint]) -> Iterator[Row]:
    """Everybody of figure 4."""
    yield from ((each.code, each.group, each.months, each.accuracy, each.sd, each.evaluations) for each in found)


def boxes(found: Mapping[str, Box | NotComputable]) -> Iterator[Row]:
    """Figure 5's boxes."""
    for group, box in found.items():
        if isinstance(box, NotComputable):
            yield group, 0, *(None,) * 11, box.why
            continue
        yield (
            group,
            box.n,
            box.mean,
            *_bounds(box.mean_estimate),
            _or_none(box.sd),
            box.median,
            *_bounds(box.median_estimate),
            box.q1,
            box.q3,
            box.values[0],
            box.values[-1],
            None,
        )


def pairs(centre: str, found: Sequence[PairTest | NotComputable]) -> Iterator[Row]:
    """Table 2 by one centre."""
    for each in found:
        if isinstance(each, NotComputable):
            yield centre, *(None,) * 9, each.why
            continue
        freedom = ", ".join(str(number) for number in each.freedom)
        yield (
            centre,
            each.first,
            each.second,
            each.n_first,
            each.n_second,
            each.statistic,
            freedom,
            each.p,
            each.p_permutation,
            each.p_holm,
            None,
        )


def differences(found: Sequence[Difference | NotComputable]) -> Iterator[Row]:
    """Mann–Whitney, by pair."""
    for each in found:
        if isinstance(each, NotComputable):
            yield *(None,) * 14, each.why
            continue
        test = each.test
        yield (
            test.first,
            test.second,
            test.n_first,
            test.n_second,
            each.mean.value,
            *_bounds(each.mean),
            each.rank_biserial.value,
            *_bounds(each.rank_biserial),
            test.statistic,
            test.p,
            test.p_permutation,
            test.p_holm,
            None,
        )


def several(found: Mapping[str, SeveralTest | NotComputable]) -> Iterator[Row]:
    """Kruskal–Wallis, by what is compared."""
    for of, each in found.items():
        if isinstance(each, NotComputable):
            yield of, *(None,) * 7, each.why
        else:
            groups = ", ".join(each.groups)
            yield (
                of,
                groups,
                each.n,
                each.statistic,
                each.freedom,
                each.p,
                each.p_permutation,
                each.epsilon_squared,
                None,
            )


def thresholds(found: Sequence[Threshold]) -> Iterator[Row]:
    """Figure 6's numbers."""
    for threshold in found:
        for group, each in threshold.groups.items():
            if isinstance(each, NotComputable):
                yield threshold.accuracy, group, 0, *(None,) * 7, each.why
                continue
            mean, why = (each.mean, None) if isinstance(each.mean, Estimate) else (None, each.mean.why)
            yield (
                threshold.accuracy,
                group,
                each.n,
                each.reached,
                each.never,
                mean.value if mean else None,
                *(_bounds(mean) if mean else (None, None)),
                _or_none(each.median),
                each.mean_at_least,
                why,
            )


def curves(found: Mapping[str, Curve | NotComputable]) -> Iterator[Row]:
    """Every point of every curve."""
    for group, curve in found.items():
        if isinstance(curve, Curve):
            for point in zip(curve.at, curve.mean, curve.error, curve.n, strict=True):
                yield group, *point


def starts(found: DefaultStart) -> Iterator[Row]:
    """Figure 8's numbers."""
    for group, each in found.groups.items():
        if not isinstance(each, GroupStart):
            yield group, *(None,) * 9, each.why
            continue
        yield (
            group,
            each.defaults,
            each.others,
            each.share.value,
            *_bounds(each.share),
            each.above,
            len(each.accuracies),
            each.others_above,
            len(each.others_accuracies),
            None,
        )


def comments(found: Mapping[str, GroupComments | NotComputable]) -> Iterator[Row]:
    """Figure 9's numbers."""
    for group, each in found.items():
        if isinstance(each, GroupComments):
            for kind, share in each.shares.items():
                yield group, each.people, each.silent, kind, each.counts[kind], share


def correlation(of: str, found: Correlation | NotComputable) -> Iterator[Row]:
    """One correlation."""
    if isinstance(found, NotComputable):
        yield of, *(None,) * 6, found.why
    else:
        yield of, found.n, found.rho.value, *_bounds(found.rho), found.p, found.p_permutation, None


def regressions(found: Regressions) -> Iterator[Row]:
    """Both regressions, a row for each coefficient."""
    for model, each in (("experience alone", found.experience), ("with covariates", found.adjusted)):
        if isinstance(each, NotComputable):
            yield model, *(None,) * 10, each.why
        else:
            yield from _coefficients(model, each)


def _coefficients(model: str, found: Regression) -> Iterator[Row]:
    for each in found.coefficients:
        yield (
            model,
            each.name,
            each.value,
            each.error,
            each.t,
            each.p,
            each.interval.low,
            each.interval.high,
            found.n,
            found.r_squared,
            found.r_squared_adjusted,
            None,
        )
    doubling = found.per_doubling
    yield (
        model,
        "per doubling of 1 + months",
        doubling.value,
        None,
        None,
        None,
        *_bounds(doubling),
        found.n,
        None,
        None,
        None,
    )
    for why in found.left_out:
        yield model, *(None,) * 10, why


def searches(found: Mapping[str, GroupSearch | NotComputable]) -> Iterator[Row]:
    """Search behaviour by group."""
    for group, each in found.items():
        if isinstance(each, NotComputable):
            yield group, *(None,) * 13, each.why
            continue
        yield (
            group,
            each.people,
            each.steps,
            each.distance.value,
            *_bounds(each.distance),
            each.changed.value,
            *_bounds(each.changed),
            each.one_value.value,
            each.same,
            each.exploitation,
            each.exploration,
            each.improved,
            None,
        )


def changed(found: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    """Which values steps change."""
    for group, shares in found.items():
        yield from ((_LABELS.get(name, name), group, share) for name, share in shares.items())


def against_random(found: Machines) -> Iterator[Row]:
    """People and groups against random search."""
    for group, each in found.against_random.items():
        if not isinstance(each, AgainstRandom):
            yield group, *(None,) * 8, each.why
            continue
        advantage = each.advantage
        yield (
            group,
            each.n,
            each.best,
            each.random_best,
            advantage.value,
            *_bounds(advantage),
            each.ahead,
            each.worth,
            None,
        )


def against_tpe(found: Machines) -> Iterator[Row]:
    """People and groups against TPE."""
    for group, each in found.against_tpe.items():
        if not isinstance(each, AgainstTpe):
            yield group, *(None,) * 10, each.why
            continue
        difference = each.difference
        yield (
            group,
            each.n_people,
            each.n_tpe,
            each.people.mean,
            each.tpe.mean,
            difference.mean.value,
            *_bounds(difference.mean),
            difference.rank_biserial.value,
            difference.test.p,
            difference.test.p_permutation,
            None,
        )


def importance(found: Importance | NotComputable) -> Iterator[Row]:
    """fANOVA's shares."""
    if isinstance(found, NotComputable):
        yield None, None, None, None, found.why
    else:
        for name, share in found.shares.items():
            yield _LABELS.get(name, name), share, found.sd.get(name), found.n, None


def components(found: Components | NotComputable) -> Iterator[Row]:
    """Components of the evaluations' variance."""
    if isinstance(found, NotComputable):
        yield "components", None, None, None, found.why
        return
    yield "people", found.people, None, None, None
    yield "seeds", found.seeds, None, None, None
    yield "sd between people (points)", found.sd_people, None, None, None
    yield "sd between seeds (points)", found.sd_seeds, None, None, None
    yield "sd of the rest (points)", found.sd_rest, None, None, None
    yield "ICC(1,1) of one evaluation", found.icc.value, *_bounds(found.icc), None
    yield "ICC(1,k) of the mean", found.icc_mean.value, *_bounds(found.icc_mean), None


def follow_up(found: FollowUp | NotComputable) -> Iterator[Row]:
    """Power at each number of people."""
    if isinstance(found, NotComputable):
        yield None, None, None, None, found.why
        return
    for line in found.lines:
        yield from ((line.what, line.rho, at, power, None) for at, power in zip(line.at, line.power, strict=True))


def _bounds(found: Estimate) -> tuple[float | None, float | None]:
    interval = found.interval
    return (interval.low, interval.high) if isinstance(interval, Interval) else (None, None)


def _or_none(value: float | NotComputable) -> float | None:
    return None if isinstance(value, NotComputable) else value
