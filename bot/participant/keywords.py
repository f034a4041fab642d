"""The words that the bot understands, with what people write instead of them and how they mistype them."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from enum import StrEnum


class Word(StrEnum):
    """What somebody wants who writes to the bot."""

    HELP = "help"
    START = "start"
    TUNE = "tune"
    TIME = "time"
    HISTORY = "history"
    CANCEL = "cancel"
    FINISH = "finish"
    WITHDRAW = "withdraw"


_SAID: Mapping[Word, str] = {
    Word.HELP: "help hi hello hey guide commands menu explain explanation instructions info",
    Word.START: "start begin go ready",
    Word.TUNE: "tune new configuration configure form next another retry train",
    Word.TIME: "time clock deadline left remaining long minutes hours countdown when",
    Word.HISTORY: "history results result trials tries list table best scores accuracy overview",
    Word.CANCEL: "cancel stop abort kill interrupt",
    Word.FINISH: "finish end done finished final choose quit exit",
    Word.WITHDRAW: "withdraw withdrawal leave forget delete unsubscribe optout",
}

_WORDS: Mapping[str, Word] = {said: word for word, all_said in _SAID.items() for said in all_said.split()}

_SHORTEST_MISTYPED = 4
"""Shorter words differ from one another by too little."""

_ALIKE = 0.75
"""One letter of four wrong, or two neighbours swapped in a longer word."""

_MOST_TOKENS = 20
"""In a longer text a single word says little."""

_POLITE = frozenset(("please", "the", "it", "this", "my", "that", "trial", "current", "now", "just"))


def understood(text: str) -> Word | None:
    """The first word of the text that is one of ours; mistyped ones count where nothing else does."""
    tokens = _tokens(text)[:_MOST_TOKENS]
    for token in tokens:
        if token in _WORDS:
            return _WORDS[token]
    return next((word for token in tokens if (word := _mistyped(token)) is not None), None)


def is_plain_cancel(text: str) -> bool:
    """Whether the text asks for nothing but *cancel*, so that it can be done without asking back."""
    return [token for token in _tokens(text) if token not in _POLITE] == [Word.CANCEL]


def numbers_in(text: str) -> tuple[int, ...]:
    """The whole numbers in a text, such as the trial in *cancel trial 3*."""
    return tuple(int(found) for found in re.findall(r"\b\d{1,6}\b", text))


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _mistyped(token: str) -> Word | None:
    if len(token) < _SHORTEST_MISTYPED:
        return None
    candidates = [known for known in Word if abs(len(known) - len(token)) <= 2 and known[0] == token[0]]
    closest = max(candidates, key=lambda known: _alikeness(known, token), default=None)
    return closest if closest is not None and _alikeness(closest, token) >= _ALIKE else None


def _alikeness(known: str, token: str) -> float:
    return SequenceMatcher(None, known, token, autojunk=False).ratio()
