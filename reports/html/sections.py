"""What the page shows, in which order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reports.figures.catalogue import OTHER
from reports.figures.plate import Plate
from reports.tables.columns import Sheet


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: In the address: ``#accuracy``.
        figures, tables: Names without a task's.
        beside: Tables that stand beside the figures.
        folded: Tables that are there but folded: the numbers of the figures.
    """

    name: str
    title: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


SECTIONS: tuple[Section, ...] = (
    Section("people", "Who took part", ("figure-3",), (), ("figure-3",), beside=("counts",)),
    Section("random", "What random settings achieve", ("figure-1",), ("random-settings",), ("figure-1",)),
    Section(
        "accuracy",
        "Experience and final accuracy",
        ("figure-4", "figure-5"),
        ("table-2", "differences", "all-groups", "correlations", "regressions"),
        ("figure-5", "figure-4"),
    ),
    Section(
        "conditions",
        "What the arms differ in",
        ("arms",),
        ("arms-people", "arms-differences", "arms-levene", "arms-all"),
        ("arms",),
    ),
    Section(
        "efficiency",
        "How many tries it takes",
        ("figure-6", "tries-needed", "figure-7", "figure-7-this-try"),
        ("tries-needed", "tries-log-rank"),
        ("figure-6", "figure-7"),
    ),
    Section("strategies", "How they begin, and why", ("figure-8", "figure-9"), (), ("figure-8", "figure-9")),
    Section(
        "search",
        "How they search",
        ("search-steps", "search-distance", "search-values"),
        (),
        ("search", "search-distance", "search-values"),
    ),
    Section(
        "machines",
        "People against machines",
        ("machines-tries", "machines-time", "machines-difference"),
        ("against-random", "against-tpe"),
        ("machines-tries", "machines-time"),
    ),
    Section(
        "hyperparameters",
        "Which hyperparameters matter, and what is chance",
        ("importance", "components"),
        (),
        ("importance", "components"),
    ),
    Section("next-study", "A follow-up", ("follow-up",), (), ("follow-up",)),
)


@dataclass(frozen=True)
class Numbered:
    """A figure, and what it is called on the page: ``Figure 4``, ``Figure S2``.

    Attributes:
        other: What stands beside it: the other reading, where it gives other numbers.
    """

    label: str
    plate: Plate
    other: "Numbered | None" = None


def numbered(plates: Mapping[str, Plate]) -> Mapping[str, Numbered]:
    """Figures in the page's order: the paper's under its numbers, ours S1, S2, …

    Args:
        plates: By names without the task's.
    """
    found: dict[str, Numbered] = {}
    ours = 0
    for name in (name for section in SECTIONS for name in section.figures if name in plates):
        label = name.replace("figure-", "Figure ").replace("-this-try", "b")
        if not name.startswith("figure-"):
            ours += 1
            label = f"Figure S{ours}"
        beside = None
        if (other := plates.get(f"{name}-{OTHER}")) is not None:
            beside = Numbered(f"{label}, other reading", replace(other, title=plates[name].title))
        found[name] = Numbered(label, plates[name], beside)
    return found


def of_section(section: Section, figures: Mapping[str, Numbered]) -> tuple[Numbered, ...]:
    """A section's figures."""
    return tuple(figures[name] for name in section.figures if name in figures)


def tables_of(names: tuple[str, ...], sheets: Mapping[str, Sheet]) -> tuple[Sheet, ...]:
    """The named tables that there are."""
    return tuple(sheets[name] for name in names if name in sheets)
