"""People who take part while everything breaks, and who note which of their forms were taken."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum, auto

from bot.commands.simulated.participants import Pauses, SimulatedParticipant, TimeIsUp
from bot.commands.simulated.tuning import OPTIMIZER, Attempt, Skill
from bot.sandbox.client.person import Person, WorkspaceError
from bot.sandbox.client.screen import Message, View
from tests.soak.books import Answer, Books, Submission

TRIAL_FORM, CHOICE_FORMS = "New configuration", ("Your final choice", "Final configuration")
RATE = "Learning rate"

_GUESS = "It is just a guess."
_LEFT, _LEAVE = "You have left the study", "Leave the study"

_PAUSES = Pauses(moment=0.3, soon=4.0, later=4.0)
"""Nobody waits longer each time: something always breaks here."""


class Part(Enum):
    """What somebody does in the study."""

    FINISHES = auto()
    CANCELS = auto()
    WITHDRAWS = auto()
    RUNS_OUT = auto()


class NotingPerson(Person):
    """Notes each form that it sends, and sometimes presses a button twice.

    Args:
        url, user: As those of :class:`Person`.
        books: Where it is noted.
        chance: Decides which buttons are pressed twice.
    """

    def __init__(self, url: str, user: str, books: Books, chance: random.Random) -> None:
        super().__init__(url, user)
        self._books = books
        self._chance = chance

    def submit(self, view: View | None = None) -> Mapping[str, str]:
        """Submit a modal, and note what came of it."""
        shown = view or self.modal()
        form = None if shown is None else self.view(shown.id)
        if form is None or form.title not in (TRIAL_FORM, *CHOICE_FORMS):
            return super().submit(view)
        begun = time.time()
        rate = float(form.field(RATE).value) if form.title == TRIAL_FORM else None  # type: ignore[arg-type]

        def note(answer: Answer) -> None:
            self._books.sent(Submission(self.id, form.id, rate, answer, begun, time.time()))

        try:
            errors = super().submit(form)
        except WorkspaceError:
            note(Answer.UNANSWERED)
            raise
        taken = not errors and self.view(form.id) is None
        note(Answer.ACCEPTED if taken else Answer.REFUSED)
        return errors

    def press(
        self,
        shown: Message | View,
        label_or_action_id: str,
        choice: str | None = None,
        *,
        confirm: bool = True,
    ) -> None:
        """Press a button, and sometimes once more."""
        super().press(shown, label_or_action_id, choice, confirm=confirm)
        if isinstance(shown, Message) and self._chance.random() < 0.2:
            super().press(shown, label_or_action_id, choice, confirm=confirm)


class Participant(SimulatedParticipant):
    """Takes part once. When all is calm again, it submits once more and finishes.

    Args:
        person: Whom it acts for.
        part: What it does.
        books: Tell which learning rate a form gets.
        chance: Decides what is left to chance.
        calm: Set when no more faults come.
        stopped: Set when the run is over.
    """

    def __init__(
        self,
        person: NotingPerson,
        part: Part,
        books: Books,
        chance: random.Random,
        calm: threading.Event,
        stopped: threading.Event,
    ) -> None:
        super().__init__(
            person,
            chance.choice(list(Skill)),
            tries=chance.randint(2, 5),
            seed=chance.getrandbits(32),
            stopped=stopped,
            pauses=_PAUSES,
        )
        self.part = part
        self._books = books
        self._calm = calm
        self._chance = chance
        self._since = ""
        self.doing = "enters"

    def run(self) -> None:
        """Go through the study, from the messages on that are there now."""
        self._since = max((each.ts for each in self.person.messages()), default="")
        super().run()

    def _enter(self) -> None:
        super()._enter()
        self.doing = "tunes"

    def _tune(self) -> None:
        number = 0
        try:
            while number < self._tries and not self._calm.is_set():
                number += 1
                self._try(number, self._next_attempt())
            if self._calm.is_set():
                number += 1
                self.doing = "submits once more"
                self._try(number, attempt(self._chance, quick=True))
        except TimeIsUp:
            pass

    def _try(self, number: int, attempt: Attempt) -> None:
        self._submit(number, attempt)
        self._watch(number, attempt)

    def _next_attempt(self) -> Attempt:
        if self.part is Part.CANCELS and self._chance.random() < 0.5:
            return attempt(self._chance, endless=True)
        return attempt(self._chance)

    def _fill(self, form: View, values: Mapping[str, str], reasons: Mapping[str, str]) -> None:
        if form.title == TRIAL_FORM:
            values = {**values, RATE: self._books.rate_of(form.id)}
        super()._fill(form, values, reasons)

    def _finish(self) -> None:
        self.doing = "finishes"
        if self.part is Part.WITHDRAWS and not self._calm.is_set():
            self._pursue(self._left, self._leave, "the goodbye")
            return
        if self.part is Part.RUNS_OUT:
            self.doing = "waits for the end of its time"
            while not self._calm.is_set() and self._thanks() is None:
                if self._stopped.wait(0.5):
                    return
        if self._thanks() is None:
            super()._finish()

    def _left(self) -> Message | None:
        return next((each for each in self._messages() if _LEFT in each.text), None)

    def _leave(self) -> None:
        offer = self._offering(_LEAVE)
        if offer is None:
            self.person.say("withdraw")
        else:
            self.person.press(offer, _LEAVE)

    def _messages(self) -> tuple[Message, ...]:
        return tuple(each for each in super()._messages() if each.ts > self._since)


def attempt(chance: random.Random, *, endless: bool = False, quick: bool = False, given_up: bool = True) -> Attempt:
    """A configuration. Its learning rate is the form's; one that is endless is given up, unless it is not to be."""
    epochs, batch = ("1000", "10") if endless else ("1", "100") if quick else (str(chance.randint(1, 6)), "20")
    values = {
        "Epochs": epochs,
        "Batch size": batch,
        "Loss function": "Cross entropy",
        OPTIMIZER: chance.choice(["SGD", "Adam", "RMSprop"]),
        RATE: "0.001",
    }
    return Attempt(values, _GUESS, given_up=endless and given_up)


class Chair(threading.Thread):
    """Somebody takes part here; when they have ended, the next person does.

    Args:
        number: Names the people.
        url: The workspace's address.
        join: Lets somebody into the workspace, and returns their id.
        books: What people sent.
        seed: Of all that is left to chance.
        calm: Set when no more faults come: then the last one finishes.
        stopped: Set when the run is over.
    """

    def __init__(
        self,
        number: int,
        url: str,
        join: Callable[[str], str],
        books: Books,
        seed: int,
        calm: threading.Event,
        stopped: threading.Event,
    ) -> None:
        super().__init__(name=f"chair-{number}", daemon=True)
        self._number, self._url, self._join = number, url, join
        self._books, self._calm, self._stopped = books, calm, stopped
        self._chance = random.Random(f"{seed}:{number}")
        self.people: list[str] = []
        self.now: Participant | None = None

    def run(self) -> None:
        """Let one person after the other take part."""
        while not self._calm.is_set():
            user = self._join(f"Person {self._number}.{len(self.people) + 1}")
            self.people.append(user)
            part = self._chance.choices(list(Part), weights=[5, 3, 2, 2])[0]
            person = NotingPerson(self._url, user, self._books, self._chance)
            self.now = Participant(person, part, self._books, self._chance, self._calm, self._stopped)
            self.now.run()  # on this thread
            if self.now.error is not None:
                self._books.failed(f"{user} {self.now.doing}: {self.now.error}")
                return
            self._books.has_gone_on()
