"""What data without all of people's background do not have, and what a report cannot compute without it."""

from collections.abc import Mapping

from storage.schema.states import Background

_ANSWERS = "the regression with covariates is computed without the answers to the study's own questions"

_WITHOUT_MONTHS = (
    "Not computed: figures 3 and 4, every correlation with months of experience, the regressions, and the size of a "
    "follow-up."
)

LEFT_OUT: Mapping[Background, str] = {
    Background.FULL: "",
    Background.STANDARD: (
        "So that people cannot be recognised, these data have education in two bands only (before a master, or a "
        f"master and more) and no other answers but months of experience: {_ANSWERS}."
    ),
    Background.BANDED: (
        "So that people cannot be recognised, these data have the group of each person instead of months of "
        f"experience, education in two bands only, and no other answers. {_WITHOUT_MONTHS}"
    ),
    Background.NONE: (
        "So that people cannot be recognised, these data have nothing of what people told of themselves: neither "
        f"months of experience nor groups, no education, no other answers. {_WITHOUT_MONTHS} Nothing is compared "
        "between groups either."
    ),
}
"""In sentences; empty where nothing is left out."""
