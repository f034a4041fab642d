"""Whatever somebody writes into ``study.toml``: the program says in a sentence what is wrong, or takes it."""

import copy
import json
import tomllib
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.settings.settings import Settings, SettingsError
from tests.bot.payloads.mutations import TEXTS
from tests.bot.study_file import ROOT

TEXT = (ROOT / "study.toml").read_text(encoding="utf-8")
CONTENT = tomllib.loads(TEXT)
MANY = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))

VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from(
            [0, -1, 2**31, 2**63, 10**400, 1e308, "..", "/", "~", "\0", "nobody/../x", "UTC/../..", "24:61"]
        ),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=2)),
    max_leaves=4,
)


def toml(value):
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value).replace("\x7f", "\\u007f") if isinstance(value, str | bool | int) else str(value)


@st.composite
def mutated(draw):
    """The repository's file with some other values, and some that are missing."""
    content = copy.deepcopy(CONTENT)
    for _ in range(draw(st.integers(1, 3))):
        where = content
        while True:
            keys = sorted(where) if isinstance(where, dict) else list(range(len(where)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(where[key], dict | list) and draw(st.integers(0, 3)):
                where = where[key]
                continue
            if draw(st.integers(0, 2)):
                where[key] = draw(VALUES)
            else:
                del where[key]
            break
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in content.items()).encode(errors="replace")


@st.composite
def damaged(draw):
    """The file's bytes, of which some are others or missing."""
    data = TEXT.encode()
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(start + 40, len(data))))
    return data[:start] + draw(st.binary(max_size=8)) + data[end:]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "consent.md").write_text("You agree.", encoding="utf-8")
    return folder / "study.toml"


def read(path, content):
    """Read a file as the bot does before it starts. A SettingsError says what is wrong; nothing else is raised."""
    path.write_bytes(content)
    with suppress(SettingsError):
        settings_read = Settings.load(path)
        settings_read.study_tasks()
        settings_read.rules_hash()


@MANY
@given(content=mutated())
def test_other_values_are_taken_or_refused_with_a_sentence(path, content):
    read(path, content)


@MANY
@given(content=damaged())
def test_a_damaged_file_is_taken_or_refused_with_a_sentence(path, content):
    read(path, content)
