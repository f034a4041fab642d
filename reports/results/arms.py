"""Numbers of the report that compare arms: the randomised conditions of a study."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.results.measures import NotComputable, PairTest, Reading, SeveralTest
from reports.results.paper import Box, Difference


@dataclass(frozen=True)
class ArmRule:
    """An arm of the rules; what it leaves out is as without arms."""

    name: str
    limit_minutes: float
    presets: bool
    epoch_accuracies: bool
    suggestions: bool


@dataclass(frozen=True)
class AssignmentLine:
    """What the assignment of tasks and arms followed from.

    Attributes:
        commitment: SHA-256 of the secret, in hexadecimal.
        secret: The secret, once the study is closed.
    """

    commitment: str
    secret: str | None


@dataclass(frozen=True)
class Comparison:
    """Samples compared with one another.

    Attributes:
        boxes: By sample, or why one has none.
        levene: One entry for each pair: deviations from the mean of each (the default), or from its median.
        differences: Mann–Whitney, one entry for each pair.
        kruskal: All at once.
    """

    boxes: Mapping[str, Box | NotComputable]
    levene: Reading[tuple[PairTest | NotComputable, ...]]
    differences: tuple[Difference | NotComputable, ...]
    kruskal: SeveralTest | NotComputable


@dataclass(frozen=True)
class Suggestions:
    """What people made of suggested values, by trials.

    Attributes:
        shown: Trials whose form showed suggested values.
        taken: Those of them whose participant took the values over.
    """

    shown: int
    taken: int


@dataclass(frozen=True)
class Arms:
    """Final accuracies by arm, and who is in each.

    Attributes:
        people: Analysed people with an accuracy, by arm and group.
        suggestions: By arm.
        comparison: Final accuracies in percent; of several tasks together, minus the mean of the task's people.
    """

    people: Mapping[str, Mapping[str, int]]
    suggestions: Mapping[str, Suggestions]
    comparison: Comparison
