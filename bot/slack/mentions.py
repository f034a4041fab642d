"""The words of a text as Slack sends it, and the people whom it mentions."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"<[^>]*>|[^\s<]+")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{7,})")
_ANYBODY = re.compile(r"<[@!][^>]*>|@\S+|\b[UWS][A-Z0-9]{7,}\b|\S+@\S+")
_SEPARATORS = ",;"


def words_of(text: str) -> list[str]:
    """The words of a command's text; a mention is one of them."""
    return [each if each.startswith("<") else html.unescape(each) for each in _WORD.findall(text)]


def without_people(text: str) -> str:
    """The text with ``@…`` where it names somebody, for the event log, at most 200 characters."""
    return _ANYBODY.sub("@…", " ".join(words_of(text)))[:200]


@dataclass(frozen=True)
class Named:
    """Whom a command names: Slack users, each once, and words that name nobody."""

    people: tuple[str, ...]
    others: tuple[str, ...]


def people_in(words: Sequence[str]) -> Named:
    """The people whom words mention: ``<@U…|name>``, as Slack sends ``@name``, or an ID."""
    people: dict[str, None] = {}
    others: list[str] = []
    for word in (each.strip(_SEPARATORS) for each in words):
        found = _PERSON.fullmatch(word)
        if found is not None:
            people[found[1] or found[2]] = None
        elif word and word.lower() != "and":
            others.append(word)
    return Named(tuple(people), tuple(others))
