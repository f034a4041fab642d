"""What must not be said to participants: what gives the study away, and values that they could enter."""

import re
from collections.abc import Iterator

from bot.participant.parse_configuration import short_names
from training.hyperparameters import HYPERPARAMETERS, format_value

_WORDS = (
    # data sets, networks, and where they come from
    "imagenette", "imagenet", "mnist", "cifar", "digits?", "handwritten", "squeeze ?net", "resnet", "torchvision",
    "scikit", "sklearn",
    # what is measured at the end, and what is asked
    "test accurac(y|ies)", "black magic", "human skill", "skills?", "how human", "impacts? network training",
    "hypothes[ie]s", "correlat\\w*", "variance", "experienced",
    # whom people are compared with
    "random search", "baselines?", "searchers?", "tpe", "optuna", "artificial", "novices?", "experts?", "medium group",
    "groups?", "condition", "arms?", "other participants", "other people", "others (did|have tried)", "compared?",
    "comparison", "leaderboard",
    # whose values are good
    "usual(ly)? values?", "usually", "recommend\\w*", "typical\\w*", "suggest(ed)? values?", "good values?",
    "works? well", "a good start",
)  # fmt: skip

GIVE_AWAYS = re.compile(rf"(?i)\b({'|'.join(_WORDS)})\b")
"""Words that say what is studied, how, on what, or which values are good."""

ALLOWED = (
    "*Suggested values*",
    "It is the value that has worked well for me in the past.",
    "It is a suggested default value.",
)
"""Texts with such words that stay: what an arm with suggestions is about, and reasons of the paper's Table 3."""

_NAMES = tuple(
    (name.lower(), each.name)
    for each in HYPERPARAMETERS
    if not each.choices
    for name in {each.label, each.name.replace("_", " "), *short_names(each.name)}
)
_NUMBER = re.compile(r"[-−+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_CLAUSE = re.compile(r"[.!?;]\s|[\n·|]|\s–\s|:\s")
_TOKEN = re.compile(rf"{_NUMBER.pattern}|[^\W\d_]+\d?", re.IGNORECASE)
_OF_THE_FORM = re.compile(
    r"(?i)at most [\d,]+ epochs|[\d,]+ steps of training|[\d.]+ (?:%|h|min|minutes|s)\b|trial \d+"
)
"""Numbers that follow from what somebody entered, and amounts of time."""

_NEAR = 4
"""Words that may stand between a hyperparameter and its number."""


def give_aways(text: str) -> list[str]:
    """The words of a text that give something away."""
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    return [found.group().lower() for found in GIVE_AWAYS.finditer(text)]


def numbers_beside(text: str) -> Iterator[tuple[str, str]]:
    """Hyperparameters with the numbers that stand beside their names, in the same part of a sentence."""
    for clause in _CLAUSE.split(_OF_THE_FORM.sub("", text).lower()):
        tokens = [found.group() for found in _TOKEN.finditer(clause)]
        numbers = {place for place, token in enumerate(tokens) if _NUMBER.fullmatch(token)}
        for words, name in _NAMES:
            parts = words.split()
            for place in range(len(tokens) - len(parts) + 1):
                if tokens[place : place + len(parts)] != parts:
                    continue
                near = {*range(place - _NEAR - 1, place), *range(place + len(parts), place + len(parts) + _NEAR + 1)}
                for number in sorted(numbers & near):
                    yield name, tokens[number].replace(",", "").rstrip(".")


def is_known(name: str, number: str) -> bool:
    """Whether a number is the preset of a hyperparameter, or one of its bounds."""
    each = next(one for one in HYPERPARAMETERS if one.name == name)
    known = {format_value(each.default)} if each.default is not None else set()
    for interval in (each.narrow, each.taken, *each.taken_by.values()):
        known |= {format_value(end) for end in (interval.low, interval.high) if abs(end) != float("inf")}
    return number in known
