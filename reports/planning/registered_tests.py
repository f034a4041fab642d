"""The tests of the report that a study may register, and be planned for."""

from enum import StrEnum


class RegisteredTest(StrEnum):
    """A test of the report.

    ``SPEARMAN`` is the paper's primary one: months of experience against final accuracy. The others compare final
    accuracies between groups: ``KRUSKAL_WALLIS`` all at once, the others in pairs with Holm's correction.
    ``LEVENE`` compares spreads around means, as in the paper's table 2; ``BROWN_FORSYTHE`` around medians.
    """

    SPEARMAN = "spearman"
    KRUSKAL_WALLIS = "kruskal-wallis"
    MANN_WHITNEY = "mann-whitney"
    LEVENE = "levene"
    BROWN_FORSYTHE = "brown-forsythe"

    @property
    def is_of_pairs(self) -> bool:
        """Whether it compares each pair of groups."""
        return self in (RegisteredTest.MANN_WHITNEY, RegisteredTest.LEVENE, RegisteredTest.BROWN_FORSYTHE)

    @property
    def is_of_spreads(self) -> bool:
        """Whether it compares standard deviations rather than levels."""
        return self in (RegisteredTest.LEVENE, RegisteredTest.BROWN_FORSYTHE)
