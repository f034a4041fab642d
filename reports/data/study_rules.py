"""The rules that the report depends on, read from the text that is stored with the study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from reports.results.arms import ArmRule
from reports.results.study_results import GroupRule
from storage.study_rules import GROUPS, Question, arms_of, group_of, parse_rules

PAPER: Mapping[str, Any] = {
    "study": {"task": "imagenette-squeezenet"},
    "time": {"limit_minutes": 120},
    "training": {"evaluation_seeds": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]},
    "groups": {"novice_up_to_months": 0, "medium_up_to_months": 9},
    "analysis": {"thresholds": [25, 50]},
}
"""The paper's values, for rules that do not say (of an older version, or of a bundle that somebody else made)."""


@dataclass(frozen=True)
class Rules:
    """The rules that the report depends on.

    Attributes:
        thresholds: Of figure 6, in percent, ascending.
        arms: The randomised conditions; empty for a study without.
    """

    tasks: tuple[str, ...]
    limit_minutes: float
    evaluation_seeds: tuple[int, ...]
    novice_up_to_months: float
    medium_up_to_months: float
    thresholds: tuple[float, ...]
    questions: tuple[Question, ...]
    arms: tuple[ArmRule, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the rules as a study keeps them (canonical JSON), or as TOML; a missing rule has the paper's value."""
        given = _parse(text)

        def rule(section: str, name: str) -> Any:
            return given.get(section, {}).get(name, PAPER[section][name])

        tasks = rule("study", "task")
        return cls(
            tasks=(tasks,) if isinstance(tasks, str) else tuple(tasks),
            limit_minutes=float(rule("time", "limit_minutes")),
            evaluation_seeds=tuple(rule("training", "evaluation_seeds")),
            novice_up_to_months=float(rule("groups", "novice_up_to_months")),
            medium_up_to_months=float(rule("groups", "medium_up_to_months")),
            thresholds=tuple(sorted(float(each) for each in rule("analysis", "thresholds"))),
            questions=tuple(
                Question(each["name"], each["label"], each["kind"], tuple(each.get("choices", ())))
                for each in given.get("questions", ())
            ),
            arms=tuple(_arm(each, float(rule("time", "limit_minutes"))) for each in given.get("arms", ())),
        )

    @property
    def longest_minutes(self) -> float:
        """The longest time limit of anybody."""
        return max((arm.limit_minutes for arm in self.arms), default=self.limit_minutes)

    def group(self, months: float) -> str:
        """The group of somebody with this many months of deep-learning experience."""
        return group_of(
            months, novice_up_to_months=self.novice_up_to_months, medium_up_to_months=self.medium_up_to_months
        )

    @property
    def groups(self) -> tuple[GroupRule, ...]:
        """The groups with their bounds."""
        return (
            GroupRule(GROUPS[0], None, self.novice_up_to_months),
            GroupRule(GROUPS[1], self.novice_up_to_months, self.medium_up_to_months),
            GroupRule(GROUPS[2], self.medium_up_to_months, None),
        )


def _arm(given: Mapping[str, Any], limit_minutes: float) -> ArmRule:
    return ArmRule(
        name=str(given["name"]),
        limit_minutes=float(given.get("minutes", limit_minutes)),
        presets=bool(given.get("presets", True)),
        epoch_accuracies=bool(given.get("epoch_accuracies", False)),
        suggestions=bool(given.get("suggestions", False)),
    )


def _parse(text: str) -> Mapping[str, Any]:
    given = parse_rules(text)
    sections = {name: value for name, value in given.items() if name in PAPER and isinstance(value, dict)}
    questions = given.get("questions")
    arms = [arm for arm in given["arms"] if isinstance(arm, Mapping) and "name" in arm] if arms_of(given) else []
    return {**sections, "questions": questions if isinstance(questions, list) else [], "arms": arms}
