"""Tables of the registered analysis: the primary test, and the deviations."""

from collections.abc import Sequence

from reports.results.registration import Deviation, PrimaryResult
from reports.tables.columns import FROM, TO, Column, Heading, Layout, Sheet, high, low, or_none

PRIMARY = Layout[PrimaryResult](
    labels=(Heading("test", "test"),),
    columns=(
        Column("measure", "effect", lambda each: each.measure),
        Column("effect", "value", lambda each: each.effect.value, 2),
        Column("low", FROM, lambda each: low(each.effect), 2),
        Column("high", TO, lambda each: high(each.effect), 2),
        Column("p", "p", lambda each: each.p, 3, is_p=True),
        Column("p_permutation", "p by permutation", lambda each: or_none(each.p_permutation), 3, is_p=True),
        Column("alpha", "level", lambda each: each.alpha, 3),
        Column("n", "people", lambda each: each.n),
        Column("significant", "significant", lambda each: "yes" if each.is_significant else "no"),
    ),
)


def deviations(found: Sequence[Deviation]) -> Sheet:
    """A row for each deviation."""
    headings = (Heading("kind", "kind"), Heading("count", "count"), Heading("what", "what"))
    rows = tuple((each.kind.replace("_", " "), each.count, each.sentence) for each in found)
    return Sheet("deviations", "Deviations", headings, rows, is_sortable=False)
