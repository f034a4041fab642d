"""A line in the log for each event of the study: what happened to what, by whom. It names codes only."""

import logging

from storage import events
from storage.database import Store
from storage.schema.tables import Event

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often the event log of the database is read."""

_TEXTS = ("why", "during", "task", "state", "ended_as")
"""The details that are texts of the bot. Other texts were typed by somebody, and may name people."""


class EventLines:
    """Logs the events that are new since it was made.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        newest = events.read(store, limit=1)
        self._read_to = newest[-1].id if newest else 0

    def write(self) -> None:
        """Log the new events."""
        for event in events.read(self._store, after=self._read_to):
            log.info("%s", line(event), extra={"participant": event.participant, "subject": event.subject})
            self._read_to = event.id


def line(event: Event) -> str:
    """An event in one line: ``P4071 session:3 time_given_back by bot (seconds=420.0, why=the bot was down)``."""
    known = [
        f"{key}={value}" for key, value in event.details.items() if key in _TEXTS or not isinstance(value, str | list)
    ]
    words = [event.participant or "", event.subject, str(event.kind), "by", event.actor]
    return " ".join(word for word in words if word) + (f" ({', '.join(known)})" if known else "")
