"""The analysis plan: what a study's rules say about its hypothesis, its primary test and its number of people."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

PrimaryTest = Literal["spearman", "mann-whitney"]
"""The tests that can be registered as the primary one; :data:`PRIMARY_TESTS` says what each is."""

Interim = Literal["hidden", "shown"]
"""Whether test results can be read before the study is closed."""

PRIMARY_TESTS: Mapping[str, str] = {
    "spearman": (
        "Spearman’s rank correlation between months of deep-learning experience and the mean test accuracy of the "
        "final choice, two-sided, with p by the t approximation. In a study of several tasks, both are ranked within "
        "each task."
    ),
    "mann-whitney": (
        "Mann–Whitney’s test of the mean test accuracy of the final choice between the groups novice and expert, "
        "two-sided. The effect is the rank-biserial correlation, positive where experts are better. In a study of "
        "several tasks, the mean accuracy of each task is subtracted first."
    ),
}
"""Each primary test in words, by its name in the rules. The default is the main test of the paper's section 3.1."""

ALPHA = 0.05
"""The significance level, unless the rules say otherwise."""

_LEFT_OPEN = re.compile(r"\[\s*(?:…|\.\.\.)")
"""A place in a template that is still to be filled in: ``[…]``, ``[… what …]``."""

_MOST_PEOPLE = 2**31


@dataclass(frozen=True)
class AnalysisPlan:
    """The analysis plan of a study.

    Attributes:
        hypothesis: What is expected; empty if nobody wrote it down.
        primary_test: A name in :data:`PRIMARY_TESTS`.
        alpha: The significance level of the primary test, between 0 and 1.
        target_participants: How many people are to be analysed; ``None`` if nobody decided it.
        stopping_rule: When the study ends; empty if nobody wrote it down.
        exclusion_rules: Whose data is left out, one rule each; empty if nobody wrote it down.
        interim: Whether test results can be read before the study is closed.
    """

    hypothesis: str = ""
    primary_test: str = "spearman"
    alpha: float = ALPHA
    target_participants: int | None = None
    stopping_rule: str = ""
    exclusion_rules: tuple[str, ...] = ()
    interim: Interim = "hidden"

    @classmethod
    def read(cls, section: object) -> Self:
        """Read the section ``analysis`` of a study's rules. What is missing or cannot be understood has its default."""
        given: Mapping[str, Any] = section if isinstance(section, Mapping) else {}
        target, alpha, rules = given.get("target_participants"), given.get("alpha"), given.get("exclusion_rules")
        test = given.get("primary_test")
        is_count = isinstance(target, int) and not isinstance(target, bool) and 0 < target < _MOST_PEOPLE
        is_level = isinstance(alpha, int | float) and not isinstance(alpha, bool) and 0 < alpha < 1
        return cls(
            hypothesis=_text(given.get("hypothesis")),
            primary_test=test if isinstance(test, str) and test in get_args(PrimaryTest) else "spearman",
            alpha=float(alpha) if is_level and alpha is not None else ALPHA,
            target_participants=target if is_count else None,
            stopping_rule=_text(given.get("stopping_rule")),
            exclusion_rules=tuple(map(_text, rules)) if isinstance(rules, list | tuple) else (),
            interim="shown" if given.get("interim") == "shown" else "hidden",
        )

    @property
    def test_in_words(self) -> str:
        """The primary test in two or three sentences."""
        return PRIMARY_TESTS[self.primary_test]

    @property
    def blanks(self) -> tuple[str, ...]:
        """The keys of ``study.toml`` that are still to be filled in, such as ``analysis.hypothesis``."""
        texts = {
            "hypothesis": (self.hypothesis,),
            "target_participants": ("" if self.target_participants is None else "31",),
            "stopping_rule": (self.stopping_rule,),
            "exclusion_rules": self.exclusion_rules or ("",),
        }
        return tuple(f"analysis.{key}" for key, given in texts.items() if any(map(_is_blank, given)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_blank(text: str) -> bool:
    return not text.strip() or _LEFT_OPEN.search(text) is not None
