"""Arms: randomised conditions of a study, as ``study.toml`` describes them under ``[[arms]]``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, StrictBool

from storage.study_rules import GROUPS

_TAKEN = frozenset({*GROUPS, "people", "random", "tpe"})
"""What reports call others."""


@dataclass(frozen=True)
class Condition:
    """What holds for one participant: the rules of the study, or those of their arm.

    Attributes:
        limit_minutes: How long their session is.
        presets: Whether the form shows the presets of the paper's Table 1. Without them, a participant enters every
            value that the optimizer uses.
        epoch_accuracies: Whether they read the validation accuracy after each epoch, not only at a trial's end.
        suggestions: Whether the form shows values that TPE suggests.
    """

    limit_minutes: float
    presets: bool = True
    epoch_accuracies: bool = False
    suggestions: bool = False


class ArmSection(BaseModel):
    """One arm. Its name is in reports, and no participant reads it. What it leaves out is as without arms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._+-]{0,38}[A-Za-z0-9.+])?$")]
    presets: StrictBool | None = None
    epoch_accuracies: StrictBool | None = None
    suggestions: StrictBool | None = None
    minutes: PositiveFloat | None = None

    def condition(self, limit_minutes: float) -> Condition:
        """What holds for its participants.

        Args:
            limit_minutes: How long sessions are where the arm does not say.
        """
        usual = Condition(limit_minutes)
        return Condition(
            limit_minutes=limit_minutes if self.minutes is None else self.minutes,
            presets=usual.presets if self.presets is None else self.presets,
            epoch_accuracies=usual.epoch_accuracies if self.epoch_accuracies is None else self.epoch_accuracies,
            suggestions=usual.suggestions if self.suggestions is None else self.suggestions,
        )


def check_names(arms: Sequence[ArmSection]) -> None:
    """Check how many arms there are, and what they are called.

    Raises:
        ValueError: There is a single arm, two have one name, or one has a name that reports use for others.
    """
    names = [arm.name.casefold() for arm in arms]
    if len(arms) == 1:
        raise ValueError("a study has no arms, or two at least: people are assigned to them at random")
    if len(set(names)) != len(names):
        raise ValueError("the arms must have different names")
    if taken := [arm.name for arm in arms if arm.name.casefold() in _TAKEN]:
        raise ValueError(f"an arm cannot be called {taken[0]}: reports call others by that name")


def check_differences(arms: Sequence[ArmSection], limit_minutes: float) -> None:
    """Check that no two arms are the same condition.

    Args:
        arms: All arms.
        limit_minutes: How long sessions are where an arm does not say.

    Raises:
        ValueError: Two are.
    """
    named: dict[Condition, str] = {}
    for arm in arms:
        other = named.setdefault(arm.condition(limit_minutes), arm.name)
        if other != arm.name:
            raise ValueError(
                f"the arms {other} and {arm.name} are the same: let them differ in presets, epoch_accuracies, "
                "suggestions or minutes"
            )
