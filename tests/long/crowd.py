"""People who take part quickly, each with a part to play, so that a whole study fits in some minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bot.commands.simulated.participants import SimulatedParticipant
from bot.commands.simulated.tuning import Attempt, Skill
from bot.sandbox.client.person import Person

PATIENCE = 600.0

_GUESS = "It is just a guess."


class Part(Enum):
    """What somebody does in the study."""

    FINISHES = auto()
    CANCELS = auto()
    DIVERGES = auto()
    WITHDRAWS = auto()
    RUNS_OUT = auto()


@dataclass(frozen=True)
class Role:
    """A part, and the group of the one who plays it."""

    part: Part
    skill: Skill


def attempt(learning_rate: str, *, optimizer: str = "SGD", epochs: str = "1", given_up: bool = False) -> Attempt:
    """A configuration that has trained in a moment, or in a few."""
    values = {
        "Epochs": epochs,
        "Batch size": "100" if epochs == "1" else "8",
        "Loss function": "Cross entropy",
        "Optimizer": optimizer,
        "Learning rate": learning_rate,
    }
    return Attempt(values, _GUESS, given_up)


ENDLESS = attempt("0.001", epochs="1000", given_up=True)

PLANS: dict[Part, Sequence[Attempt]] = {
    Part.FINISHES: [attempt("0.01"), attempt("0.003", optimizer="Adam"), attempt("0.001", optimizer="RMSprop")],
    Part.CANCELS: [attempt("0.01"), ENDLESS],
    Part.DIVERGES: [attempt("100", epochs="3"), attempt("0.01")],
    Part.WITHDRAWS: [attempt("0.01")],
    Part.RUNS_OUT: [attempt("0.01")],
}


class Hasty(SimulatedParticipant):
    """Goes through the study as :class:`SimulatedParticipant` does, with the configurations of a part.

    Args:
        person: Whom it acts for.
        role: What it plays.
        seed: Of its answers about itself.
    """

    def __init__(self, person: Person, role: Role, *, seed: int) -> None:
        self._plan = PLANS[role.part]
        super().__init__(person, role.skill, tries=len(self._plan), seed=seed)
        self.role = role

    def _next_attempt(self) -> Attempt:
        return self._plan[min(self._experience.attempts, len(self._plan) - 1)]

    def _finish(self) -> None:
        if self.role.part is Part.WITHDRAWS:
            self.person.say("withdraw")
            offered = self.person.wait_for("Leave the study", PATIENCE)
            self.person.press(offered, "Leave the study")
            self.person.wait_for("You have left the study", PATIENCE)
        elif self.role.part is Part.RUNS_OUT:
            self.person.wait_for("Your time is up", PATIENCE)
            self.person.wait_for("Thank you for taking part", PATIENCE)
        else:
            super()._finish()
