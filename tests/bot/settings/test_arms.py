"""``[[arms]]`` of ``study.toml``: what an arm may say, and that a study without arms keeps its rules."""

import json
from pathlib import Path

import pytest

from bot.settings.arms import Condition
from bot.settings.settings import Settings, SettingsError
from storage.study_rules import arms_of, assigns, parse_rules
from tests.bot.settings.test_settings import changed

HERE = "# From here on: where the study runs."

TWO = """
[[arms]]
name = "control"
[[arms]]
name = "bare"
presets = false
minutes = 60
"""


def with_arms(folder: Path, arms: str) -> Path:
    return changed(folder, HERE, f"{arms}\n{HERE}")


def test_an_arm_says_what_differs_and_the_rest_is_as_without_arms(tmp_path):
    settings = Settings.load(with_arms(tmp_path, TWO))
    assert settings.arm_names == ("control", "bare")
    assert settings.condition("control") == settings.condition(None) == Condition(120)
    assert settings.condition("bare") == Condition(60, presets=False)


def test_arms_are_rules_as_they_stand_there(tmp_path):
    settings = Settings.load(with_arms(tmp_path, TWO))
    rules = parse_rules(settings.rules())
    assert rules["arms"] == [{"name": "control"}, {"minutes": 60.0, "name": "bare", "presets": False}]
    assert arms_of(rules) == settings.arm_names
    assert assigns(rules)
    other = Settings.load(with_arms(tmp_path, TWO.replace("60", "90")))
    assert other.rules_hash() != settings.rules_hash()


def test_a_study_without_arms_has_the_rules_that_it_had(tmp_path):
    """So a study that opened before there were arms goes on: its rules have the seed of its blocks, and no arms."""
    begun = changed(tmp_path, 'consent = "consent.md"', 'block_seed = 10\nconsent = "consent.md"')
    rules = json.loads(Settings.load(begun).rules())
    assert rules["study"]["block_seed"] == 10
    assert "arms" not in rules
    assert not assigns(rules)
    assert "block_seed" not in json.loads(Settings.load(changed(tmp_path, HERE, HERE)).rules())["study"]


def arm(name: str, *lines: str) -> str:
    return "\n".join(["[[arms]]", f'name = "{name}"', *lines])


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        (arm("alone"), "a study has no arms, or two at least"),
        (arm("a", "minutes = 5") + "\n" + arm("A"), "the arms must have different names"),
        (arm("a") + "\n" + arm("b"), "the arms a and b are the same"),
        (arm("a", "minutes = 120") + "\n" + arm("b"), "the arms a and b are the same"),
        (arm("a", "presets = true") + "\n" + arm("b", "suggestions = false"), "the arms a and b are the same"),
        (arm("novice", "minutes = 5") + "\n" + arm("b"), "an arm cannot be called novice"),
        (arm("a, b", "minutes = 5") + "\n" + arm("b"), "arms.0.name"),
        (arm("", "minutes = 5") + "\n" + arm("b"), "arms.0.name"),
        (arm("a", "minutes = 0") + "\n" + arm("b"), "arms.0.minutes"),
        (arm("a", 'presets = "no"') + "\n" + arm("b"), "arms.0.presets"),
        (arm("a", "colour = 5") + "\n" + arm("b"), "arms.0.colour: Extra inputs are not permitted"),
        ("\n".join(arm(f"a{number}", f"minutes = {number + 1}") for number in range(7)), "arms: Tuple should have"),
    ],
)
def test_a_mistake_is_named(tmp_path, arms, said):
    with pytest.raises(SettingsError) as told:
        Settings.load(with_arms(tmp_path, arms))
    assert said in str(told.value)
    assert "\n" not in str(told.value)
