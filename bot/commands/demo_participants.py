"""Simulated participants: go through the study in the local workspace as a person would, by reading and pressing.

They know nothing that a person could not read: the accuracy stands in the thread, the losses in the plot's
description. Their skill decides how they tune, so a demonstration shows what the study is about.
"""

import math
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from bot.sandbox.client.person import Entered, Person
from bot.sandbox.client.screen import Message, View

_PATIENCE = 600.0
"""Seconds for which a simulated participant waits for anything."""

_SOON = 5.0
"""Seconds after which a form that has not opened does not: Slack takes no longer than three."""

_MOST_PRESSES = 30
_MOST_SENDS = 3

_CHANCE = math.log(10)
"""The cross entropy of guessing among ten classes: who still sees about this after three epochs gives up."""


class Skill(StrEnum):
    """How somebody tunes: novices guess, medium ones begin with the presets, experts know where to look."""

    NOVICE = "novice"
    MEDIUM = "medium"
    EXPERT = "expert"


@dataclass(frozen=True)
class Attempt:
    """What is entered into the form: values by label, and the reason that is chosen for each."""

    values: Mapping[str, Entered]
    reason: str


@dataclass
class Taken:
    """What a simulated participant has seen so far.

    Attributes:
        tries: Accuracies in percent by the trial's number; ``None`` for one that ended without.
        best: The values of the best one.
    """

    tries: dict[int, float | None] = field(default_factory=dict)
    best: Attempt | None = None
    best_accuracy: float = -1.0


_GUESS = "It is just a guess."
_DEFAULT = "It is a suggested default value."
_PAST = "It is the value that has worked well for me in the past."
_LEARNED = "It is the value I learnt from previous submissions."
_MONTHS = {Skill.NOVICE: (0, 0), Skill.MEDIUM: (2, 8), Skill.EXPERT: (12, 60)}


class SimulatedParticipant(threading.Thread):
    """Takes part once, on a thread of its own.

    Args:
        person: Whom it acts for.
        skill: How it tunes.
        tries: How many configurations it submits.
        seed: Of its choices.
        say: Told what it does, in a line.

    Attributes:
        error: What stopped it, if anything did.
    """

    def __init__(
        self, person: Person, skill: Skill, *, tries: int, seed: int, say: Callable[[str], None] = lambda _: None
    ) -> None:
        super().__init__(name=f"participant-{person.id}", daemon=True)
        self.person, self.skill = person, skill
        self._tries, self._say = tries, say
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self._taken = Taken()
        self.error: Exception | None = None

    def run(self) -> None:
        """Go through the study."""
        try:
            self._enter()
            for _ in range(self._tries):
                self._try(self._next_attempt())
            self._finish()
        except Exception as error:  # noqa: BLE001 - whoever waits for the thread looks at it
            self.error = error
            self._say(f"{self.person.name} stopped: {error}")

    def _enter(self) -> None:
        """Consent, background, and Start; waiting in line if there is one."""
        person = self.person
        person.open_messages()
        person.press(self._wait("I agree"), "I agree")
        person.press(self._wait("Tell us about you"), "Tell us about you")
        form = person.wait_for_modal("About you", _PATIENCE)
        person.fill(self._background(form))
        person.submit()
        task = self._wait("Your task")
        person.press(task, "Start")
        self._say(f"{person.name} ({self.skill}) presses Start")
        self._take_seat()
        with suppress(TimeoutError):
            person.wait_for_modal("New configuration", _SOON)

    def _take_seat(self) -> None:
        """Wait for the session; answer the call from the line, and another one if a pause came between."""
        answered = ""
        while self._begun() is None:
            look = partial(self._begun_or_called, answered)
            found = self.person.wait_until(look, _PATIENCE, lambda: "a place")
            if "A place is free" in found.text:
                self._say(f"{self.person.name} is called from the line")
                self.person.press(found, "Start")
                answered = found.ts

    def _begun(self) -> Message | None:
        return next((each for each in self.person.messages() if each.bot and "New configuration" in each.buttons), None)

    def _begun_or_called(self, after: str) -> Message | None:
        return self._begun() or self._called(after)

    def _called(self, after: str) -> Message | None:
        calls = (each for each in self.person.messages() if "A place is free" in each.text and "Start" in each.buttons)
        return next((each for each in calls if each.ts > after), None)

    def _open(self, button: str, title: str) -> View:
        """The form of this title; pressed for if it is not open, and once more when Slack was too busy to open it."""
        for _ in range(_MOST_PRESSES):
            form = self.person.modal()
            if form is not None and form.title == title:
                return form
            root = self._begun()
            if root is None:
                raise RuntimeError("There is no session to tune in.")
            self.person.press(root, button)
            with suppress(TimeoutError):
                return self.person.wait_for_modal(title, _SOON)
        raise RuntimeError(f"“{button}” was pressed {_MOST_PRESSES} times, and no form came.")

    def _background(self, form: View) -> dict[str, Entered]:
        """An answer for every question, whatever the study asks."""
        months = self._random.randint(*_MONTHS[self.skill])
        answers: dict[str, Entered] = {}
        for asked in form.fields:
            if "deep-learning" in asked.label:
                answers[asked.block_id] = months
            elif asked.options:
                answers[asked.block_id] = self._random.choice(asked.options)
            else:
                answers[asked.block_id] = months // 12 + self._random.randint(0, 3)
        return answers

    def _try(self, attempt: Attempt) -> None:
        """Submit one configuration and watch it train."""
        form = self._open("New configuration", "New configuration")
        self._fill(form, attempt)
        self._send(form.title)
        number = len(self._taken.tries) + 1
        self._say(f"{self.person.name} submits trial {number}")
        self._watch(number, attempt)

    def _fill(self, form: View, attempt: Attempt) -> None:
        """The optimizer first, since it decides which fields there are; then the values, and some reasons."""
        person = self.person
        optimizer = str(attempt.values["Optimizer"])
        shown = person.fill({"Optimizer": optimizer})
        wanted = attempt.values.keys()

        def redrawn() -> View | None:
            view = person.modal()
            labels = {each.label for each in view.fields} if view else set()
            return view if view and wanted <= labels else None

        if form.field("Optimizer").value != optimizer or not wanted <= {each.label for each in shown.fields}:
            person.wait_until(redrawn, 30, lambda: f"the settings of {optimizer}")
        person.fill({label: value for label, value in attempt.values.items() if label != "Optimizer"})
        for label in self._random.sample(sorted(wanted), k=2):
            person.fill({f"{label}: why?": attempt.reason})

    def _send(self, title: str) -> None:
        """Submit the form, and once more if it came back: sent before it showed what its optimizer needs, it does."""
        for _ in range(_MOST_SENDS):
            if errors := self.person.submit():
                raise RuntimeError(f"The form was refused: {dict(errors)}")
            left = self.person.modal()
            if left is None:
                return
            if left.title != title:
                raise RuntimeError(f"The form was refused: {left.text_of_everything}")
        raise RuntimeError(f"The form came back {_MOST_SENDS} times.")

    def _watch(self, number: int, attempt: Attempt) -> None:
        """Follow a trial in the thread; give up on one that does not learn."""
        person, title = self.person, f"Trial {number} · "
        pressed = False

        def reply() -> Message | None:
            return next((each for each in person.messages() if each.bot and each.text.startswith(title)), None)

        def look() -> Message | None:
            nonlocal pressed
            message = reply()
            if message is None:
                return None
            if "Cancel" not in message.buttons and "is being cancelled" not in message.text:
                return message
            if not pressed and self._is_hopeless(message):
                pressed = True
                self._say(f"{person.name} cancels trial {number}")
                person.press(message, "Cancel")
            return None

        ended = person.wait_until(look, _PATIENCE, lambda: f"the end of trial {number}")
        found = re.search(r"validation accuracy ([\d.]+)\s%", ended.text)
        accuracy = float(found[1]) if found else None
        self._taken.tries[number] = accuracy
        result = f"{accuracy:.1f} %" if accuracy is not None else ended.text.removeprefix(title).split(".")[0]
        self._say(f"{person.name}: trial {number}, {result}")
        if accuracy is not None and accuracy > self._taken.best_accuracy:
            self._taken.best, self._taken.best_accuracy = attempt, accuracy
        time.sleep(self._random.uniform(0.2, 0.8))  # looks at the result

    @staticmethod
    def _is_hopeless(message: Message) -> bool:
        """What the plot tells: after three epochs the network still does no better than guessing."""
        told = re.search(r"after the last of (\d+): ([\d.]+);", message.text_of_everything)
        by_chance = "cross entropy" in message.text or "negative log likelihood" in message.text
        return told is not None and by_chance and int(told[1]) >= 3 and abs(float(told[2]) / _CHANCE - 1) < 0.05

    def _finish(self) -> None:
        """Name the best trial as the final choice, or new values where there is none."""
        person = self.person
        form = self._open("Finish", "Your final choice")
        choice = form.field("Final configuration").options[0]
        person.fill({"Final configuration": choice})
        person.submit()
        if self._taken.best is None:
            values = person.wait_for_modal("Final configuration", _PATIENCE)
            self._fill(values, self._next_attempt())
            person.submit()
        self._wait("Thank you for taking part")
        self._say(f"{person.name} has finished")

    def _wait(self, words: str) -> Message:
        return self.person.wait_for(words, _PATIENCE)

    # How each of them tunes

    def _next_attempt(self) -> Attempt:
        match self.skill:
            case Skill.NOVICE:
                return self._guess()
            case Skill.MEDIUM:
                return self._from_presets()
            case Skill.EXPERT:
                return self._refine()

    def _guess(self) -> Attempt:
        """Anything goes, the optional settings included."""
        pick = self._random
        optimizer = pick.choice(["Adam", "Adadelta", "Adagrad", "RMSprop", "SGD"])
        values: dict[str, Entered] = {
            "Epochs": str(pick.randint(3, 6)),
            "Batch size": str(pick.choice([20, 50, 100, 200, 500])),
            "Loss function": pick.choice(["Cross entropy", "L1 loss", "Mean squared error", "Negative log likelihood"]),
            "Optimizer": optimizer,
            "Learning rate": pick.choice(["0.1", "0.5", "0,01", "0.001", "1e-5"]),
            "Weight decay": pick.choice(["0", "0.1", "0.01", ".5"]),
        }
        if optimizer in ("SGD", "RMSprop"):
            values["Momentum"] = pick.choice(["0", "0.5", "0.9"])
        return Attempt(values, _GUESS)

    def _from_presets(self) -> Attempt:
        """The presets first; then one thing at a time."""
        number = len(self._taken.tries)
        rates = ["0.001", "0.01", "0.0005", "0.0003", "0.002", "0.0002"]
        values: dict[str, Entered] = {
            "Epochs": str(5 + number % 3),
            "Batch size": self._random.choice(["64", "100"]),
            "Loss function": "Cross entropy",
            "Optimizer": "Adam" if number % 3 != 1 else "RMSprop",
            "Learning rate": rates[number % len(rates)],
        }
        return Attempt(values, _DEFAULT if number == 0 else _LEARNED)

    def _refine(self) -> Attempt:
        """A good start, the edge of what is stable, then around the best."""
        number, best = len(self._taken.tries), self._taken.best
        rate = 4e-4
        if number == 1:
            rate = 1e-2
        elif best is not None:
            rate = float(str(best.values["Learning rate"])) * self._random.choice([0.6, 0.8, 1.3])
        values: dict[str, Entered] = {
            "Epochs": "20" if number == 1 else "8",  # the edge is watched, and left when it does not learn
            "Batch size": "32" if number < 2 else "64",
            "Loss function": "Cross entropy",
            "Optimizer": "Adam",
            "Learning rate": f"{rate:.1e}",
        }
        return Attempt(values, _PAST if number == 0 else _LEARNED)
