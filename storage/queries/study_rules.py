"""A study's rules as a mapping, from the text that is kept with it."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from typing import Any

_WHERE_IT_RUNS = ("slack", "machine")
"""Sections of a study file that are no rules; they may name people."""


def parse_rules(text: str) -> dict[str, Any]:
    """The rules in canonical JSON, or in TOML; empty when the text is neither."""
    try:
        given = json.loads(text)
    except ValueError:
        try:
            given = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return {}
    return given if isinstance(given, dict) else {}


def canonical(rules: Mapping[str, Any]) -> str:
    """The rules of a study file as canonical JSON, without where it runs."""
    kept = {name: value for name, value in rules.items() if name not in _WHERE_IT_RUNS}
    return json.dumps(kept, sort_keys=True, indent=1, default=str)


def hash_of(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def without_nothing(value: Any) -> Any:
    """The same without ``None``, which TOML cannot say."""
    if isinstance(value, Mapping):
        return {name: without_nothing(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nothing(each) for each in value if each is not None]
    return value
