"""What was registered before the study opened, what came of it, and what deviated from it."""

from dataclasses import dataclass

from reports.results.measures import Estimate, NotComputable


@dataclass(frozen=True)
class RegisteredPlan:
    """What was settled before the study opened.

    Attributes:
        day: When (ISO, UTC).
        primary_test: The name of the primary test; ``test_in_words`` says what it is.
        alpha: Its significance level.
        target_participants: How many people were to be analysed; ``None`` if that was not decided.
        interim: ``hidden`` or ``shown``: whether results could be read before the study was closed.
        rules_hash, consent_hash, code_hash: SHA-256 of the rules, of the consent text, of the program's files.
    """

    day: str
    hypothesis: str
    primary_test: str
    test_in_words: str
    alpha: float
    target_participants: int | None
    stopping_rule: str
    exclusion_rules: tuple[str, ...]
    interim: str
    rules_hash: str
    consent_hash: str
    code_version: str
    code_hash: str


@dataclass(frozen=True)
class PrimaryResult:
    """The result of a test that can be registered as the primary one.

    Attributes:
        test: Its name: see :data:`storage.registration.plan.PRIMARY_TESTS`.
        measure: What the effect is called: ``ρ``, ``rank-biserial correlation``.
        effect: From −1 to 1, with its bootstrap interval.
        p: Two-sided; this is what is compared with ``alpha``.
        p_permutation: Two-sided, over permutations; not computable where nothing was resampled.
        alpha: The significance level.
        n: People.
    """

    test: str
    measure: str
    effect: Estimate
    p: float
    p_permutation: float | NotComputable
    alpha: float
    n: int

    @property
    def is_significant(self) -> bool:
        """Whether p is below the significance level."""
        return self.p < self.alpha


@dataclass(frozen=True)
class Deviation:
    """Something that went otherwise than planned.

    Attributes:
        kind: What it is, such as ``time_extended``.
        count: How many people, looks, … it is about; never 0.
        sentence: The same for a reader. It names no participant.
    """

    kind: str
    count: int
    sentence: str


@dataclass(frozen=True)
class RegisteredAnalysis:
    """The confirmatory part of the report.

    Attributes:
        plan: What was registered.
        primary: The registered primary test.
        deviations: All that is known from what is stored, also of a study that was not registered.
    """

    plan: RegisteredPlan | NotComputable
    primary: PrimaryResult | NotComputable
    deviations: tuple[Deviation, ...]
