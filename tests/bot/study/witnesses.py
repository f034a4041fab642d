"""Records for a test: everything that a person sees, and everything that the bot writes into its log."""

import logging
import threading
from typing import Self

from bot.sandbox.client.person import Person, WorkspaceError
from bot.sandbox.client.screen import Message, View


class Witness(threading.Thread):
    """Reads everything that a person gets to see, also what is replaced a moment later."""

    def __init__(self, person: Person) -> None:
        super().__init__(name=f"witness-{person.id}", daemon=True)
        self._person = person
        self._closing = threading.Event()
        self.seen: set[str] = set()

    def run(self) -> None:
        while not self._closing.is_set():
            try:
                self._person.wait_until(self._look, 0.5)
            except TimeoutError:
                continue
            except WorkspaceError:
                return

    def close(self) -> set[str]:
        """Look once more, and return every text."""
        self._closing.set()
        self.join()
        self._look()
        return self.seen

    def _look(self) -> bool:
        shown: list[Message | View] = [*self._person.messages(), *self._person.views()]
        if (home := self._person.home()) is not None:
            shown.append(home)
        self.seen |= {each.text_of_everything for each in shown}
        return self._closing.is_set()


class Log(logging.Handler):
    """What the program writes into its log, as ``blackmagic run`` would show it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def __enter__(self) -> Self:
        self._level = logging.getLogger().level
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self._level)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)
