"""Tables of arms: who is in them, and how their final accuracies compare."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reports.results.arms import Arms
from reports.results.measures import NotComputable, Reading
from reports.results.paper import Box
from reports.tables import accuracy
from reports.tables.columns import Column, Entry, Heading, Layout, Sheet
from storage.study_rules import GROUPS

_ARM = Heading("arm", "arm")

_BOXES = Layout[Box](labels=(_ARM,), columns=accuracy.BOXES.columns)


@dataclass(frozen=True)
class _Members:
    groups: Mapping[str, int]
    shown: int
    taken: int


_PEOPLE = Layout[_Members](
    labels=(_ARM,),
    columns=(
        Column("people", "people", lambda arm: sum(arm.groups.values())),
        *(Column(group, group, lambda arm, group=group: arm.groups.get(group, 0)) for group in GROUPS),  # type: ignore[misc]
        Column("shown", "trials with a suggestion", lambda arm: arm.shown),
        Column("taken", "… taken over", lambda arm: arm.taken),
    ),
    has_note=False,
)

SHEETS = ("arms-people", "arms", "arms-levene", "arms-differences", "arms-all")


def sheets(reading: Reading[Arms | NotComputable]) -> Iterator[Sheet]:
    """All tables of the arms; none for a study without arms."""
    found = reading.default
    if isinstance(found, NotComputable):
        return
    people, boxes, levene, differences, together = SHEETS
    yield Sheet.of(people, "Who is in which arm", _PEOPLE, _members(found))
    yield Sheet.of_readings(boxes, "Final accuracy per arm", _BOXES, reading, _boxes)
    yield from comparisons(found, levene, differences, together)


def comparisons(found: Arms, levene: str, differences: str, together: str) -> Iterator[Sheet]:
    """The tests between arms, under these names."""
    compared = found.comparison
    yield Sheet.of(
        levene,
        "Levene’s test between arms",
        accuracy.LEVENE,
        [
            Entry((centre,), test)
            for centre, tests in (("mean", compared.levene.default), ("median", compared.levene.alternative))
            for test in tests
        ],
        f"{compared.levene.definition} {compared.levene.otherwise} Holm’s correction is over all pairs.",
    )
    yield Sheet.of(
        differences,
        "Final accuracy between arms: Mann–Whitney",
        accuracy.DIFFERENCES,
        [Entry((), each) for each in compared.differences],
        "The rank-biserial correlation goes from −1 to 1; positive where the second arm is better.",
    )
    yield Sheet.of(
        together,
        "All arms at once: Kruskal–Wallis",
        accuracy.SEVERAL,
        [Entry(("final accuracy",), compared.kruskal)],
    )


def _members(found: Arms) -> Iterator[Entry[_Members]]:
    for arm, groups in found.people.items():
        used = found.suggestions[arm]
        yield Entry((arm,), _Members(groups, used.shown, used.taken))


def _boxes(found: Arms | NotComputable) -> Iterator[Entry[Box]]:
    if not isinstance(found, NotComputable):
        yield from (Entry((arm,), box) for arm, box in found.comparison.boxes.items())
