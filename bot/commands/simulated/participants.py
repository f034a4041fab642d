"""Simulated participants: go through the study in the local workspace as a person would, by reading and pressing.

They know nothing that a person could not read: the accuracy stands in the thread, the losses in the plot. And they do
what a person does on a slow machine or beside a quick one: they read a message again before each press, look again
when a press was refused, and fill in a form again that closed or came back.
"""

import math
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from bot.commands.simulated.tuning import MONTHS, OPTIMIZER, Attempt, Experience, Skill, guess, next_attempt
from bot.sandbox.client.person import Person, WorkspaceError
from bot.sandbox.client.screen import Message, View
from training.hyperparameters import HYPERPARAMETERS, format_value

# What participants read on buttons, in titles and in messages.
_AGREE, _BACKGROUND, _START = "I agree", "Tell us about you", "Start"
_NEW, _CANCEL, _FINISH, _CHOOSE = "New configuration", "Cancel", "Finish", "Choose"
_BACKGROUND_FORM, _TRIAL_FORM = "About you", "New configuration"
_CHOICE_FORM, _CHOICE, _VALUES_FORM = "Your final choice", "Final configuration", "Final configuration"
_CALLED, _SESSION, _THANKS = "A place is free now", "Your session", "Thank you for taking part"
_ENDED = re.compile(r"Trial \d+ · (?:validation accuracy ([\d.,]+)\s%|cancelled|diverged|failed)")
_IN_TRAINING = re.compile(r"training, epoch (\d+)")

_PATIENCE = 900.0
"""Seconds for which a simulated participant tries to reach anything but its turn in the queue."""

_SOON, _LATER = 5.0, 30.0
"""Seconds between two tries of one thing, at first and at most: a form opens within three seconds or not at all."""

_USUAL: Mapping[str, str] = {
    each.label: format_value(each.default) for each in HYPERPARAMETERS if each.default is not None
}
"""What a participant enters where the form has no preset and nothing else comes to their mind."""

_MOST_REFUSALS = 10
"""After so many sentences at its fields a participant takes a form to be impossible to send."""

_EPOCHS_WITH_PLOT, _EPOCHS_WITHOUT = 2, 20
"""A participant gives a hopeless trial up after so many epochs, where a plot shows them and where none does."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Pauses:
    """How soon somebody tries again, in seconds.

    Attributes:
        moment: Until they look again at what has just refused a press; it doubles up to ``soon``.
        soon, later: Until they try a thing again that did not come, at first and at most; it doubles.
    """

    moment: float = 0.2
    soon: float = _SOON
    later: float = _LATER


class Stopped(Exception):
    """The demonstration ends before this participant has finished."""


class TimeIsUp(Exception):
    """The session's time is over: only the final choice is left."""


class SimulatedParticipant(threading.Thread):
    """Takes part once, on a thread of its own.

    Args:
        person: The member of the workspace that it acts for.
        skill: How it tunes.
        tries: How many configurations it submits, at least 1.
        seed: Of its choices.
        stopped: Ends its part early once it is set.
        tell: Is told in a line what it does.
        pauses: How soon it tries again.

    Attributes:
        error: What stopped it, if anything did.
    """

    def __init__(
        self,
        person: Person,
        skill: Skill,
        *,
        tries: int,
        seed: int,
        stopped: threading.Event | None = None,
        tell: Callable[[str], None] = lambda _: None,
        pauses: Pauses = Pauses(),
    ) -> None:
        super().__init__(name=f"participant-{person.id}", daemon=True)
        self.person, self.skill = person, skill
        self._name = person.name
        self._tries, self._stopped, self._tell = tries, stopped or threading.Event(), tell
        self._pauses = pauses
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self._experience = Experience()
        self.error: Exception | None = None

    def run(self) -> None:
        """Go through the study."""
        try:
            self._enter()
            self._tune()
            self._finish()
        except Exception as error:  # noqa: BLE001 - the demonstration looks at it when the thread has ended
            self.error = error
            if not isinstance(error, Stopped):
                self._tell(f"{self._name} stopped: {error}")

    # From the first look to the session

    def _enter(self) -> None:
        """Agree, tell the background and press Start; wait in the queue if there is one."""
        person = self.person
        self._pursue(lambda: self._offering(_AGREE), person.open_messages, "the consent text")
        self._pursue(lambda: self._offering(_BACKGROUND), lambda: self._press(_AGREE), "the questions")
        self._pursue(lambda: self._offering(_START), self._send_background, "the task")
        self._tell(f"{self._name} ({self.skill}) presses Start")
        answered: set[str] = set()

        def called() -> Message | None:
            offer = self._offering(_START)
            return offer if offer is not None and offer.ts not in answered else None

        def start() -> None:
            offer = self._offering(_START)
            if offer is None:  # in the queue there is nothing to press until one is called
                return
            if offer.ts not in answered and _CALLED in offer.text:
                self._tell(f"{self._name} is called from the queue")
            answered.add(offer.ts)
            self.person.press(offer, _START)

        self._pursue(self._session, start, "a place", patience=math.inf, react_to=called)
        with suppress(TimeoutError):  # the form opens by itself
            self.person.wait_for_modal(_TRIAL_FORM, _SOON)

    def _send_background(self) -> None:
        """Answer every question, whatever the study asks."""
        form = self._open(_BACKGROUND_FORM, lambda: self._offering(_BACKGROUND), _BACKGROUND)
        months = self._random.randint(*MONTHS[self.skill])
        answers: dict[str, str] = {}
        for field in form.fields:
            if "deep-learning" in field.label:
                answers[field.block_id] = str(months)
            elif field.options:
                answers[field.block_id] = self._random.choice(field.options)
            else:
                answers[field.block_id] = str(months // 12 + self._random.randint(0, 3))
        self.person.fill(answers)
        self.person.submit(form)

    # The session

    def _tune(self) -> None:
        """Submit configurations and watch them train, until there were enough or the time is up."""
        try:
            for number in range(1, self._tries + 1):
                attempt = self._next_attempt()
                self._submit(number, attempt)
                self._watch(number, attempt)
        except TimeIsUp:
            self._tell(f"{self._name}: the time is up")

    def _next_attempt(self) -> Attempt:
        """What is tried next."""
        return next_attempt(self.skill, self._experience, self._tries, self._random)

    def _submit(self, number: int, attempt: Attempt) -> None:
        """Bring a configuration to training: open the form, fill it in, send it, until the trial is in the thread."""
        reasons = {
            f"{label}: why?": attempt.reason for label in self._random.sample(sorted(attempt.values.keys()), k=2)
        }
        taken = False
        refusals = 0

        def send() -> None:
            nonlocal taken, refusals
            if taken:  # the trial's message is on its way
                return
            form = self._open(_TRIAL_FORM, lambda: self._offering(_NEW), _NEW)
            self._fill(form, attempt.values, reasons)
            if errors := self.person.submit(form):
                refusals += 1
                refusal = f"“{form.title}” was refused: {' '.join(errors.values())}"
                raise WorkspaceError(refusal) if refusals < _MOST_REFUSALS else RuntimeError(refusal)
            # A form that was sent before it showed what its optimizer needs comes back, and is filled in again.
            taken = self.person.view(form.id) is None

        self._pursue(lambda: self._trial(number), send, f"trial {number}", timed=True)
        self._tell(f"{self._name} submits trial {number}")

    def _watch(self, number: int, attempt: Attempt) -> None:
        """Follow a trial in the thread to its end; cancel one that is given up once there are losses to see."""

        pressed_at = -math.inf
        told = False

        def ended() -> re.Match[str] | None:
            message = self._trial(number)
            return None if message is None else _ENDED.match(message.text)

        def hopeless() -> Message | None:
            if not attempt.given_up or time.monotonic() - pressed_at < _SOON:
                return None
            message = self._trial(number)
            epoch = None if message is None else _IN_TRAINING.search(message.text)
            if message is None or epoch is None or _CANCEL not in message.buttons:
                return None
            enough = _EPOCHS_WITH_PLOT if _shows_losses(message) else _EPOCHS_WITHOUT
            return message if int(epoch[1]) > enough else None

        def cancel() -> None:
            nonlocal pressed_at, told
            message = hopeless()
            if message is None:
                return
            if not told:
                told = True
                self._tell(f"{self._name} cancels trial {number}, which learns nothing")
            self.person.press(message, _CANCEL)
            pressed_at = time.monotonic()

        result = self._pursue(ended, cancel, f"the end of trial {number}", patience=math.inf, react_to=hopeless)
        accuracy = float(result[1].replace(",", ".")) if result[1] else None
        self._experience = self._experience.with_result(attempt, accuracy)
        self._tell(f"{self._name}: {result[0]}")

    def _finish(self) -> None:
        """Name the best trial as the final choice, or enter values where no trial was complete."""

        values = guess(self._random).values

        def choose() -> None:
            form = self.person.modal()
            if form is None or form.title != _VALUES_FORM:
                form = self._open(_CHOICE_FORM, lambda: self._session(_FINISH, _CHOOSE), _FINISH, _CHOOSE)
                self.person.fill({_CHOICE: form.field(_CHOICE).options[0]})
                self.person.submit(form)
                form = self.person.modal()
            if form is not None and form.title == _VALUES_FORM:
                self._fill(form, values, {})
                self.person.submit(form)

        self._pursue(self._thanks, choose, "the thanks")
        self._tell(f"{self._name} has finished")

    # How somebody gets on, whatever the machine does

    def _pursue(
        self,
        reached: Callable[[], _T | None],
        act: Callable[[], object],
        what: str,
        *,
        patience: float = _PATIENCE,
        react_to: Callable[[], object] = lambda: None,
        timed: bool = False,
    ) -> _T:
        """Look whether something is reached; if not, act, wait a little, look again, until it is.

        Args:
            reached: Returns what is pursued once it is there. It is looked at before every act.
            act: What a person does about it. It reads the screen first, and may be refused.
            what: What is pursued, for the error.
            patience: Seconds after which the participant gives up.
            react_to: Something on the screen that calls for the act before the wait is over.
            timed: Whether it can only be done while the session's time runs.

        Raises:
            TimeoutError: It was not reached.
            TimeIsUp: The session's time is over.
            Stopped: The demonstration ends.
        """
        pauses = self._pauses
        deadline, wait, pause, refusal = time.monotonic() + patience, pauses.soon, pauses.moment, ""

        def look() -> _T | None:
            if self._stopped.is_set():
                raise Stopped
            found = reached()
            if found is None and timed and self._session(_CHOOSE) is not None:
                raise TimeIsUp
            return found

        while time.monotonic() < deadline:
            try:
                if (found := look()) is not None:
                    return found
                act()
                pause = pauses.moment
                self.person.wait_until(lambda: look() is not None or react_to() is not None, wait)
            except WorkspaceError as error:  # refused: the screen is read again, soon at first
                refusal = str(error)
                self._stopped.wait(pause)
                pause = min(2 * pause, pauses.soon)
            except TimeoutError as error:
                refusal = str(error)
                wait = min(2 * wait, pauses.later)
        raise TimeoutError(f"{what} did not come within {patience:g} s. {refusal}")

    def _open(self, title: str, look: Callable[[], Message | None], *buttons: str) -> View:
        """The form of this title; one of the buttons is pressed for it where it is not open.

        Raises:
            TimeoutError: It did not open.
            WorkspaceError: The button is not there, or the press was refused.
        """
        form = self.person.modal()
        if form is not None and form.title == title:
            return form
        if form is not None:  # a note, or a form that is not needed any more
            self.person.close(everything=True)
        offer = look()
        if offer is None:
            raise WorkspaceError(f"No message offers {' or '.join(buttons)} now.")
        self.person.press(offer, next(each for each in buttons if each in offer.buttons))
        return self.person.wait_for_modal(title, _SOON)

    def _fill(self, form: View, values: Mapping[str, str], reasons: Mapping[str, str]) -> None:
        """The optimizer first, since it decides which fields there are; then all that is not in the form yet.

        Raises:
            WorkspaceError: The form was closed or changed meanwhile.
        """
        person = self.person
        if form.field(OPTIMIZER).value != values[OPTIMIZER]:
            person.fill({OPTIMIZER: values[OPTIMIZER]})

        def redrawn() -> View | None:
            view = person.view(form.id)
            if view is None:
                raise WorkspaceError(f"“{form.title}” was closed.")
            return view if values.keys() <= {field.label for field in view.fields} else None

        try:
            shown = person.wait_until(redrawn, _LATER / 2)
        except TimeoutError:
            return  # the form was not redrawn; it is once it is sent
        present = {field.label: field.value for field in shown.fields}
        empty = {label for label in _USUAL if label in present and not present[label]}  # the form shows no presets
        wanted = {**{label: _USUAL[label] for label in empty}, **values, **reasons}
        shown = person.fill({label: value for label, value in wanted.items() if present.get(label) != value})
        present = {field.label: field.value for field in shown.fields}
        if shown.id != form.id or any(present.get(label) != value for label, value in wanted.items()):
            raise WorkspaceError(f"“{form.title}” was changed while it was filled in.")

    def _press(self, button: str) -> None:
        """Press a button of the newest message that offers it, as it is now."""
        offer = self._offering(button)
        if offer is None:
            raise WorkspaceError(f"No message offers {button} now.")
        self.person.press(offer, button)

    # What is on the screen

    def _messages(self) -> tuple[Message, ...]:
        """What the bot has written, the newest first."""
        return tuple(each for each in reversed(self.person.messages()) if each.bot and not each.deleted)

    def _offering(self, button: str) -> Message | None:
        return next((each for each in self._messages() if button in each.buttons), None)

    def _session(self, *buttons: str) -> Message | None:
        """The message over the session's thread; with ``buttons`` only while it offers one of them."""
        for each in self._messages():
            if any(block["type"] == "header" and block["text"]["text"] == _SESSION for block in each.blocks):
                return each if not buttons or set(buttons) & set(each.buttons) else None
        return None

    def _trial(self, number: int) -> Message | None:
        return next((each for each in self._messages() if each.text.startswith(f"Trial {number} · ")), None)

    def _thanks(self) -> Message | None:
        return next((each for each in self._messages() if _THANKS in each.text), None)


def _shows_losses(message: Message) -> bool:
    return any(block["type"] in {"data_visualization", "image"} for block in message.blocks)
