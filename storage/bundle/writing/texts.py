"""Texts on their way into a public table: nobody's Slack ID or address."""

import re
from collections.abc import Iterable

HIDDEN = "@…"
"""What stands where somebody was mentioned."""

# Each pattern begins only where nothing before could have begun it too, and ends at the next such place. So the time
# that a text takes is in proportion to its length, whatever is in it.
_MENTIONED = (
    re.compile(
        r'<[@!](?:subteam\^)?[A-Za-z0-9]+(?:\|[^<>"\n]*)?>'
    ),  # <@U0123456789>, <@U0123456789|ada>, <!subteam^S01>
    re.compile(r'<#[A-Za-z0-9]+(?:\|[^<>"\n]*)?>'),  # a channel
    re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}"),  # an address
    re.compile(r"(?<!\w)@[^\W\d_][\w.-]*"),  # @ada
    re.compile(r"(?<![A-Za-z0-9])[UW][A-Z0-9]{8,}(?![A-Za-z0-9])"),  # a user's ID; it may be letters only
    re.compile(r"(?<![A-Za-z0-9])(?=[A-Z]*[0-9])[ABCDGST][A-Z0-9]{8,}(?![A-Za-z0-9])"),  # of a channel, a team, an app
)


class Redaction:
    """Takes people out of texts.

    Args:
        known: Slack IDs that are known to the database, found in any case of letters.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        known = sorted({each for each in known if each}, key=len, reverse=True)
        self._known = (
            re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, known))})(?![A-Za-z0-9])", re.IGNORECASE)
            if known
            else None
        )

    def __call__(self, text: str) -> str:
        """The text with ``@…`` for every mention, address and Slack ID, lines ending alike, and no null characters."""
        text = text.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
        for pattern in _MENTIONED:
            text = pattern.sub(HIDDEN, text)
        return self._known.sub(HIDDEN, text) if self._known else text
