"""The Slack app asks for what the bot uses, and for nothing else."""

import re
from pathlib import Path

import pytest

from bot.researcher.commands import COMMAND
from bot.sandbox.manifest import Manifest
from bot.sandbox.web_api import dispatch

ROOT = Path(__file__).parents[2]

SCOPES_OF_EVENTS = {"message.im": {"im:history"}, "app_home_opened": set()}
"""What a subscription needs besides (https://docs.slack.dev/reference/events)."""


@pytest.fixture(scope="module")
def manifest():
    return Manifest.read(ROOT / "manifest.yml")


@pytest.fixture(scope="module")
def source():
    """The bot's own code, without the local workspace."""
    files = [each for each in (ROOT / "bot").rglob("*.py") if "sandbox" not in each.parts]
    return "\n".join(each.read_text(encoding="utf-8") for each in files)


def test_the_scopes_are_those_of_the_methods_that_are_called_and_of_what_is_listened_to(manifest, source):
    methods = {each.name.replace(".", "_"): each for each in dispatch.METHODS.values()}
    called = [methods[name] for name in set(re.findall(r"client\.([a-z]+_\w+)\(", source)) if name in methods]
    assert {"chat.postMessage", "chat.update", "views.open", "files.completeUploadExternal"} <= {
        each.name for each in called
    }
    for each in called:
        assert not each.scopes or manifest.scopes & set(each.scopes), f"{each.name} needs one of {each.scopes}"
    needed = {scope for each in called for scope in each.scopes} | {"commands"}
    needed |= {scope for event in manifest.events for scope in SCOPES_OF_EVENTS[event]}
    assert manifest.scopes <= needed


def test_the_events_are_those_that_are_listened_to(manifest, source):
    listened = set(re.findall(r'app\.event\("(\w+)"\)', source))
    assert {event.split(".")[0] for event in manifest.events} == listened


def test_the_commands_are_those_that_are_answered_with_mentions_escaped(manifest):
    assert [each.command for each in manifest.commands] == [COMMAND]
    assert all(each.should_escape for each in manifest.commands)


def test_presses_and_socket_mode_are_on(manifest):
    assert manifest.interactive
    assert manifest.socket_mode
    assert manifest.messages_tab
    assert not manifest.messages_read_only


def test_the_home_tab_is_on(manifest):
    assert manifest.home_tab
