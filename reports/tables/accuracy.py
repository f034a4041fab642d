"""Tables of final accuracies: random settings, everybody, groups, tests between groups, components of variance."""

from collections.abc import Iterator

from reports.results.further import Components
from reports.results.measures import Estimate, NotComputable, PairTest, SeveralTest
from reports.results.paper import Box, Difference, PersonPoint, RandomSettings
from reports.tables.columns import FROM, GROUP, TO, Column, Entry, Heading, Layout, high, low, or_none
from reports.tables.people import Bin, bins

# --- random settings --------------------------------------------------------------------------------------------------

RANDOM_BINS = Layout[Bin](
    labels=(),
    columns=(
        Column("from", "from %", lambda each: each.low, 0),
        Column("to", "to %", lambda each: each.high, 0),
        Column("count", "settings", lambda each: each.height),
    ),
    has_note=False,
)


def random_bins(found: RandomSettings | NotComputable) -> Iterator[Entry[Bin]]:
    """The bars of figure 1."""
    if isinstance(found, RandomSettings):
        yield from (Entry((), each) for each in bins(found.histogram))


RANDOM_SETTINGS = Layout[RandomSettings](
    labels=(),
    columns=(
        Column("n", "n", lambda found: found.spread.n),
        Column("mean", "mean %", lambda found: found.spread.mean, 1),
        Column("sd", "sd", lambda found: or_none(found.spread.sd), 1),
        Column("low", FROM, lambda found: low(found.mean), 1),
        Column("high", TO, lambda found: high(found.mean), 1),
    ),
)

# --- everybody, and groups --------------------------------------------------------------------------------------------

POINTS = Layout[PersonPoint](
    labels=(),
    columns=(
        Column("code", "code", lambda point: point.code),
        Column("group", "group", lambda point: point.group),
        Column("months", "months", lambda point: point.months, 1),
        Column("accuracy", "test accuracy %", lambda point: point.accuracy, 1),
        Column("sd", "sd between seeds", lambda point: point.sd, 2),
        Column("evaluations", "evaluations", lambda point: point.evaluations),
    ),
    has_note=False,
)

BOXES = Layout[Box](
    labels=(GROUP,),
    columns=(
        Column("n", "n", lambda box: box.n, otherwise=0),
        Column("mean", "mean", lambda box: box.mean, 1),
        Column("low", FROM, lambda box: low(box.mean_estimate), 1),
        Column("high", TO, lambda box: high(box.mean_estimate), 1),
        Column("sd", "sd", lambda box: or_none(box.sd), 1),
        Column("median", "median", lambda box: box.median, 1),
        Column("median_low", FROM, lambda box: low(box.median_estimate), 1),
        Column("median_high", TO, lambda box: high(box.median_estimate), 1),
        Column("q1", "first quartile", lambda box: box.q1, 1),
        Column("q3", "third", lambda box: box.q3, 1),
        Column("lowest", "lowest", lambda box: box.values[0], 1),
        Column("highest", "highest", lambda box: box.values[-1], 1),
    ),
)

# --- tests between groups ---------------------------------------------------------------------------------------------

LEVENE = Layout[PairTest](
    labels=(Heading("centre", "deviations from the"),),
    columns=(
        Column("first", "first", lambda test: test.first),
        Column("second", "second", lambda test: test.second),
        Column("n_first", "n", lambda test: test.n_first),
        Column("n_second", "n", lambda test: test.n_second),
        Column("statistic", "W", lambda test: test.statistic, 2),
        Column("freedom", "df", lambda test: ", ".join(str(number) for number in test.freedom)),
        Column("p", "p", lambda test: test.p, 3, is_p=True),
        Column("p_permutation", "p, permutation", lambda test: test.p_permutation, 3, is_p=True),
        Column("p_holm", "p, Holm", lambda test: test.p_holm, 3, is_p=True),
    ),
)

DIFFERENCES = Layout[Difference](
    labels=(),
    columns=(
        Column("first", "first", lambda found: found.test.first),
        Column("second", "second", lambda found: found.test.second),
        Column("n_first", "n", lambda found: found.test.n_first),
        Column("n_second", "n", lambda found: found.test.n_second),
        Column("difference", "mean difference", lambda found: found.mean.value, 1),
        Column("low", FROM, lambda found: low(found.mean), 1),
        Column("high", TO, lambda found: high(found.mean), 1),
        Column("rank_biserial", "rank-biserial r", lambda found: found.rank_biserial.value, 2),
        Column("r_low", FROM, lambda found: low(found.rank_biserial), 2),
        Column("r_high", TO, lambda found: high(found.rank_biserial), 2),
        Column("statistic", "U", lambda found: found.test.statistic, 1),
        Column("p", "p", lambda found: found.test.p, 3, is_p=True),
        Column("p_permutation", "p, permutation", lambda found: found.test.p_permutation, 3, is_p=True),
        Column("p_holm", "p, Holm", lambda found: found.test.p_holm, 3, is_p=True),
    ),
)

SEVERAL = Layout[SeveralTest](
    labels=(Heading("of", "of"),),
    columns=(
        Column("groups", "groups", lambda test: ", ".join(test.groups)),
        Column("n", "n", lambda test: test.n),
        Column("statistic", "H", lambda test: test.statistic, 2),
        Column("freedom", "df", lambda test: test.freedom),
        Column("p", "p", lambda test: test.p, 3, is_p=True),
        Column("p_permutation", "p, permutation", lambda test: test.p_permutation, 3, is_p=True),
        Column("epsilon_squared", "ε²", lambda test: test.epsilon_squared, 2),
    ),
)

# --- components of variance -------------------------------------------------------------------------------------------

COMPONENTS = Layout[float | Estimate](
    labels=(Heading("what", "what"),),
    columns=(
        Column("value", "value", lambda found: found.value if isinstance(found, Estimate) else found, 2),
        Column("low", FROM, lambda found: low(found) if isinstance(found, Estimate) else None, 2),
        Column("high", TO, lambda found: high(found) if isinstance(found, Estimate) else None, 2),
    ),
)


def components(found: Components | NotComputable) -> Iterator[Entry[float | Estimate]]:
    """Components of the evaluations' variance."""
    if isinstance(found, NotComputable):
        yield Entry(("components",), found)
        return
    yield Entry(("people",), found.people)
    yield Entry(("seeds",), found.seeds)
    yield Entry(("sd between people (points)",), found.sd_people)
    yield Entry(("sd between seeds (points)",), found.sd_seeds)
    yield Entry(("sd of the rest (points)",), found.sd_rest)
    yield Entry(("ICC(1,1) of one evaluation",), found.icc)
    yield Entry(("ICC(1,k) of the mean",), found.icc_mean)
