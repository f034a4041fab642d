"""``&``, ``<`` and ``>`` as Slack escapes them: in what a person writes, and in what the app gets back of its own.

Slack keeps the app's texts escaped, so a text that was exactly as long as Slack allows comes back too long.
This is known of messages; of the texts of views nothing like it is, and they come back here as they were sent.
"""

import html
import re
from typing import Any

_TOKEN = re.compile(r"(<(?:[@#!]|https?:|mailto:)[^<>\n]*>)")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_TEXT_OBJECTS = frozenset({"plain_text", "mrkdwn"})


def escape(text: str) -> str:
    """A text as a person typed it, with these characters escaped."""
    return html.escape(text, quote=False)


def sent_back(text: str, *, tokens: bool = True) -> str:
    """A text of the app as it comes back to it.

    Args:
        text: As the app sent it. What is escaped there already stays as it is.
        tokens: Whether mentions, dates and links between ``<`` and ``>`` are kept, as in mrkdwn.
    """
    parts = _TOKEN.split(_BARE_AMPERSAND.sub("&amp;", text)) if tokens else [_BARE_AMPERSAND.sub("&amp;", text)]
    for index in range(0, len(parts), 2):  # the others are tokens
        parts[index] = parts[index].replace("<", "&lt;").replace(">", "&gt;")
    return "".join(parts)


def texts_sent_back(part: Any) -> Any:
    """A copy of blocks, actions or states in which every text object is as it comes back to the app."""
    if isinstance(part, list):
        return [texts_sent_back(each) for each in part]
    if not isinstance(part, dict):
        return part
    copy = {key: texts_sent_back(value) for key, value in part.items()}
    if part.get("type") in _TEXT_OBJECTS and isinstance(part.get("text"), str):
        copy["text"] = sent_back(part["text"], tokens=part["type"] == "mrkdwn")
    return copy
