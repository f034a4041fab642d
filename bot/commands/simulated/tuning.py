"""How simulated participants choose configurations: novices guess, others begin with presets or with experience."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

OPTIMIZER = "Optimizer"
"""The label of the field that decides which other fields the form has."""

_GUESS = "It is just a guess."
_DEFAULT = "It is a suggested default value."
_PAST = "It is the value that has worked well for me in the past."
_LEARNED = "It is the value I learnt from previous submissions."

_BAD_IDEA_AT = 1
"""Which of a novice's attempts is the bad idea, counted from 0; with a single attempt it is that one."""


class Skill(StrEnum):
    """How somebody tunes: novices guess, medium ones begin with the presets, experts know where to look."""

    NOVICE = "novice"
    MEDIUM = "medium"
    EXPERT = "expert"


MONTHS: Mapping[Skill, tuple[int, int]] = {Skill.NOVICE: (0, 0), Skill.MEDIUM: (2, 8), Skill.EXPERT: (12, 60)}
"""Months of deep-learning experience, from and to."""


@dataclass(frozen=True)
class Attempt:
    """What a participant enters into the form.

    Attributes:
        values: What is entered, by the field's label.
        reason: The reason that is chosen for some of the values.
        given_up: Whether the participant cancels the trial as soon as there are losses to see. Such a trial never
            ends by itself, however quick the machine is.
    """

    values: Mapping[str, str]
    reason: str
    given_up: bool = False


@dataclass(frozen=True)
class Experience:
    """What a participant has learnt in the session so far.

    Attributes:
        attempts: How many attempts have ended.
        best: The attempt with the highest validation accuracy; ``None`` before any trial was complete.
        best_accuracy: Its validation accuracy in percent.
    """

    attempts: int = 0
    best: Attempt | None = None
    best_accuracy: float = -1.0

    def with_result(self, attempt: Attempt, accuracy: float | None) -> "Experience":
        """The experience after one more trial; ``accuracy`` is ``None`` for a trial that ended without one."""
        if accuracy is None or accuracy <= self.best_accuracy:
            return Experience(self.attempts + 1, self.best, self.best_accuracy)
        return Experience(self.attempts + 1, attempt, accuracy)


def next_attempt(skill: Skill, experience: Experience, tries: int, chance: random.Random) -> Attempt:
    """What somebody of this skill tries next.

    Args:
        skill: How they tune.
        experience: What they have learnt so far.
        tries: How many attempts they make in all, at least 1.
        chance: Decides what is left to chance.
    """
    match skill:
        case Skill.NOVICE:
            return _bad_idea() if experience.attempts == min(_BAD_IDEA_AT, tries - 1) else guess(chance)
        case Skill.MEDIUM:
            return _from_presets(experience, chance)
        case Skill.EXPERT:
            return _refine(experience, chance)


def guess(chance: random.Random) -> Attempt:
    """Anything goes, the optional settings included."""
    optimizer = chance.choice(["Adam", "Adadelta", "Adagrad", "RMSprop", "SGD"])
    values = {
        "Epochs": str(chance.randint(2, 4)),
        "Batch size": str(chance.choice([20, 50, 100, 200])),
        "Loss function": chance.choice(["Cross entropy", "L1 loss", "Mean squared error", "Negative log likelihood"]),
        OPTIMIZER: optimizer,
        "Learning rate": chance.choice(["0.1", "0.5", "0,01", "0.001", "1e-5"]),
        "Weight decay": chance.choice(["0", "0.1", "0.01", ".5"]),
    }
    if optimizer in ("SGD", "RMSprop"):
        values["Momentum"] = chance.choice(["0", "0.5", "0.9"])
    return Attempt(values, _GUESS)


def _bad_idea() -> Attempt:
    """Very many epochs with a learning rate at which nothing is learnt: the loss stays where it began."""
    values = {
        "Epochs": "1000",
        "Batch size": "20",
        "Loss function": "Cross entropy",
        OPTIMIZER: "SGD",
        "Learning rate": "1e-8",
    }
    return Attempt(values, _GUESS, given_up=True)


def _from_presets(experience: Experience, chance: random.Random) -> Attempt:
    """The presets first; then one thing at a time."""
    number = experience.attempts
    rates = ["0.001", "0.01", "0.0005", "0.0003", "0.002", "0.0002"]
    values = {
        "Epochs": str(4 + number % 2),
        "Batch size": chance.choice(["64", "100"]),
        "Loss function": "Cross entropy",
        OPTIMIZER: "Adam" if number % 3 != 1 else "RMSprop",
        "Learning rate": rates[number % len(rates)],
    }
    return Attempt(values, _DEFAULT if number == 0 else _LEARNED)


def _refine(experience: Experience, chance: random.Random) -> Attempt:
    """A good start, the edge of what is stable, then around the best."""
    number, best = experience.attempts, experience.best
    rate = 4e-4
    if number == 1:
        rate = 1e-2
    elif best is not None:
        rate = float(best.values["Learning rate"]) * chance.choice([0.6, 0.8, 1.3])
    values = {
        "Epochs": "5",
        "Batch size": "64",
        "Loss function": "Cross entropy",
        OPTIMIZER: "Adam",
        "Learning rate": f"{rate:.1e}",
    }
    return Attempt(values, _PAST if number == 0 else _LEARNED)
