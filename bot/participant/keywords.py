"""The words that the bot understands. It also understands their synonyms, and words with a typo."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from enum import StrEnum


class Word(StrEnum):
    """What a person may want when they write to the bot."""

    HELP = "help"
    START = "start"
    TUNE = "tune"
    TIME = "time"
    HISTORY = "history"
    CANCEL = "cancel"
    FINISH = "finish"
    WITHDRAW = "withdraw"


_SYNONYMS: Mapping[Word, str] = {
    Word.HELP: "help hi hello hey guide commands menu explain explanation instructions info",
    Word.START: "start begin go ready",
    Word.TUNE: "tune new configuration configure form next another retry train",
    Word.TIME: "time clock deadline left remaining long minutes hours countdown when",
    Word.HISTORY: "history results result trials tries list table best scores accuracy overview",
    Word.CANCEL: "cancel stop abort kill interrupt",
    Word.FINISH: "finish end done finished final choose quit exit",
    Word.WITHDRAW: "withdraw withdrawal leave forget delete unsubscribe optout",
}

_WORDS: Mapping[str, Word] = {synonym: word for word, synonyms in _SYNONYMS.items() for synonym in synonyms.split()}

_SHORTEST_MISTYPED = 4
"""The shortest word that may have a typo: shorter words are too much alike."""

_SIMILAR = 0.75
"""The smallest similarity: one wrong letter of four, or two swapped letters in a longer word."""

_MOST_TOKENS = 20
"""The number of words that are read: in a longer text a single word means little."""

_POLITE = frozenset(("please", "the", "it", "this", "my", "that", "trial", "current", "now", "just"))


def understood(text: str) -> Word | None:
    """The first word of the text that the bot understands. A word with a typo counts if no other word does."""
    tokens = _tokens(text)[:_MOST_TOKENS]
    for token in tokens:
        if token in _WORDS:
            return _WORDS[token]
    return next((word for token in tokens if (word := _mistyped(token)) is not None), None)


def is_plain_cancel(text: str) -> bool:
    """Whether the text says only *cancel*, so that the bot need not ask."""
    return [token for token in _tokens(text) if token not in _POLITE] == [Word.CANCEL]


def numbers_in(text: str) -> tuple[int, ...]:
    """The whole numbers in a text, such as the trial in *cancel trial 3*."""
    return tuple(int(digits) for digits in re.findall(r"\b\d{1,6}\b", text))


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _mistyped(token: str) -> Word | None:
    if len(token) < _SHORTEST_MISTYPED:
        return None
    candidates = [word for word in Word if abs(len(word) - len(token)) <= 2 and word[0] == token[0]]
    closest = max(candidates, key=lambda word: _similarity(word, token), default=None)
    return closest if closest is not None and _similarity(closest, token) >= _SIMILAR else None


def _similarity(word: str, token: str) -> float:
    return SequenceMatcher(None, word, token, autojunk=False).ratio()
