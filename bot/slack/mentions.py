"""Finds the words of a text as Slack sends it, and the people whom it mentions."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

SLACKBOT = "USLACKBOT"
"""Slack's own bot. It has a conversation with everybody, and nothing but this ID tells that it is a bot."""

_WORD = re.compile(r"<[^>]*>|[^\s<]+")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{7,})")
_ANYBODY = re.compile(r"<[@!][^>]*>|@\S+|\b[UWS][A-Z0-9]{7,}\b|\S+@\S+")
_GROUP = re.compile(r"<([#!])(?:subteam\^)?([^|>]*)(?:\|([^>]*))?>")
_SEPARATORS = ",;"


def words_of(text: str) -> list[str]:
    """The words of a command's text; a mention is one of them."""
    return [word if word.startswith("<") else html.unescape(word) for word in _WORD.findall(text)]


def without_people(text: str) -> str:
    """The text with ``@…`` in place of every person, for the event log; at most 200 characters."""
    return _ANYBODY.sub("@…", " ".join(words_of(text)))[:200]


@dataclass(frozen=True)
class Mentions:
    """The people whom words mention (Slack users, each once), and the words that mention nobody, as they were typed."""

    people: tuple[str, ...]
    others: tuple[str, ...]


def people_in(words: Sequence[str]) -> Mentions:
    """Find the people whom words mention: as ``<@U…|name>``, which Slack sends for ``@name``, or as an ID."""
    people: dict[str, None] = {}
    others: list[str] = []
    for word in (part.strip(_SEPARATORS) for part in words):
        match = _PERSON.fullmatch(word)
        if match is not None:
            people[match[1] or match[2]] = None
        elif word and word.lower() != "and":
            others.append(_as_typed(word))
    return Mentions(tuple(people), tuple(others))


def _as_typed(word: str) -> str:
    """A user group or a channel as a person types it: Slack sends ``<!subteam^S…|@name>`` and ``<#C…|name>``."""
    match = _GROUP.fullmatch(word)
    if match is None:
        return word
    sign = "#" if match[1] == "#" else "@"
    return sign + (match[3] or match[2]).removeprefix(sign)
