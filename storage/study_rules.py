"""A study's rules: the text that is kept with it, as a mapping; the groups of participants; the extra questions."""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from training.bounds import Bounds

Group = Literal["novice", "medium", "expert"]

GROUPS: tuple[str, ...] = ("novice", "medium", "expert")
"""The paper's groups of participants, from the least to the most experience (section 3)."""

QuestionKind = Literal["number", "choice"]
"""How an extra question is answered: with a number, or with one of its choices."""

_WHERE_IT_RUNS = ("slack", "machine")
"""Sections of a study file that are no rules; they may name people."""


def group_of(months: float, *, novice_up_to_months: float, medium_up_to_months: float) -> Group:
    """The group of somebody with this many months of deep-learning experience."""
    if months <= novice_up_to_months:
        return "novice"
    return "medium" if months <= medium_up_to_months else "expert"


@dataclass(frozen=True)
class Question:
    """An extra question of the background form, as it is kept with a study; ``choices`` is empty for a number."""

    name: str
    label: str
    kind: QuestionKind
    choices: tuple[str, ...] = ()

    def as_number(self, answer: Any) -> float | None:
        """The answer as a number: of a choice its position, from 1. None for anything that does not answer it."""
        if self.kind == "choice":
            return float(self.choices.index(answer) + 1) if answer in self.choices else None
        try:
            return float(answer)
        except (TypeError, ValueError):
            return None

    @property
    def is_scale(self) -> bool:
        """Whether the choices are in an order: each begins with its position, as “1 – not at all”, “2”, “3” do."""
        return self.kind == "number" or all(
            choice.startswith(str(position)) for position, choice in enumerate(self.choices, start=1)
        )


def parse_rules(text: str) -> dict[str, Any]:
    """The rules in canonical JSON, or in TOML; empty when the text is neither."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        try:
            given = tomllib.loads(text)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}


def bounds_of(rules: Mapping[str, Any]) -> Bounds:
    """Which numbers a study's form accepts. Rules of versions that had only narrow bounds say nothing of them."""
    form = rules.get("form")
    said = form.get("bounds") if isinstance(form, Mapping) else None
    return Bounds.OPTIMIZER if said == Bounds.OPTIMIZER else Bounds.NARROW


def arms_of(rules: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a study's arms, in the order of the rules; what is not understood is passed over."""
    arms = rules.get("arms")
    found = (arm.get("name") for arm in arms if isinstance(arm, Mapping)) if isinstance(arms, list) else ()
    return tuple(name for name in found if isinstance(name, str))


def hides_presets(rules: Mapping[str, Any], arm: str | None) -> bool:
    """Whether the participants of an arm do not see the presets; ``None`` is a study without arms."""
    arms = rules.get("arms")
    found = [each for each in arms if isinstance(each, Mapping)] if isinstance(arms, list) else []
    return arm is not None and any(each.get("name") == arm and each.get("presets") is False for each in found)


def tasks_of(rules: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a study's tasks, in the order of the rules; what is not understood is passed over."""
    section = rules.get("study")
    tasks = section.get("task") if isinstance(section, Mapping) else None
    if isinstance(tasks, str):
        return (tasks,)
    return tuple(task for task in tasks if isinstance(task, str)) if isinstance(tasks, list) else ()


def assigns(rules: Mapping[str, Any]) -> bool:
    """Whether people are assigned anything at random: one of several tasks, or an arm."""
    return len(tasks_of(rules)) > 1 or bool(arms_of(rules))


def canonical(rules: Mapping[str, Any]) -> str:
    """The rules of a study file as canonical JSON, without where it runs."""
    kept = {name: value for name, value in rules.items() if name not in _WHERE_IT_RUNS}
    return json.dumps(kept, sort_keys=True, indent=1, default=str)


def hash_of(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def without_nothing(value: Any) -> Any:
    """The same without ``None``, which TOML cannot say."""
    if isinstance(value, Mapping):
        return {name: without_nothing(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nothing(each) for each in value if each is not None]
    return value


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two sets of rules, a line for each value: ``time.limit_minutes: 120 → 90``."""
    old, new = dict(values_of("", before)), dict(values_of("", after))
    for place in sorted(old.keys() | new.keys()):
        if place not in old:
            yield f"+ {place}: {in_json(new[place])}"
        elif place not in new:
            yield f"- {place}: {in_json(old[place])}"
        elif old[place] != new[place]:
            yield f"  {place}: {in_json(old[place])} → {in_json(new[place])}"


def values_of(place: str, part: Any) -> Iterator[tuple[str, Any]]:
    """Every value by its place; what has a name of its own (a question, a task) is called by it."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from values_of(f"{place}.{key}" if place else key, value)
    elif isinstance(part, list) and part and all(isinstance(each, Mapping) and "name" in each for each in part):
        for each in part:
            yield from values_of(f"{place}.{each['name']}", each)
    elif part != []:
        yield place, part


def in_json(value: Any) -> str:
    """A value of the rules as JSON."""
    return json.dumps(value, ensure_ascii=False)
