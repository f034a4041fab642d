"""The Slack app asks for what the bot uses, and for nothing else."""

import re
from pathlib import Path

import pytest
import yaml
from slack_sdk import WebClient

from bot.researcher.listeners import COMMAND
from bot.sandbox.validation.manifest import Manifest
from bot.sandbox.web_api import dispatch

ROOT = Path(__file__).parents[3]

SCOPES_OF_EVENTS = {"message.im": {"im:history"}, "app_home_opened": set()}
"""What a subscription needs besides (https://docs.slack.dev/reference/events)."""


def methods_called(source):
    """The Web API methods that the bot calls through the SDK; the local workspace must know each of them."""
    methods = {each.name.replace(".", "_"): each for each in dispatch.METHODS.values()}
    called = {name for name in re.findall(r"client\.([a-z]+_\w+)\(", source) if hasattr(WebClient, name)}
    assert called <= methods.keys()
    return [methods[name] for name in called]


@pytest.fixture(scope="module")
def manifest():
    return Manifest.read(ROOT / "manifest.yml")


@pytest.fixture(scope="module")
def source():
    """The bot's own code, without the local workspace."""
    files = [each for each in (ROOT / "bot").rglob("*.py") if "sandbox" not in each.parts]
    return "\n".join(each.read_text(encoding="utf-8") for each in files)


def test_the_scopes_are_those_of_the_methods_that_are_called_and_of_what_is_listened_to(manifest, source):
    called = methods_called(source)
    assert {
        "chat.postMessage",
        "chat.update",
        "views.open",
        "files.completeUploadExternal",
        "usergroups.users.list",
    } <= {each.name for each in called}
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


def test_presses_and_socket_mode_are_on_since_they_are_listened_to(manifest, source):
    assert manifest.interactive == bool(re.search(r"app\.(action|view)\(", source))
    assert manifest.socket_mode == ("SocketModeHandler(" in source)
    assert manifest.messages_tab
    assert not manifest.messages_read_only


def test_the_home_tab_is_on_since_it_is_published(manifest, source):
    assert manifest.home_tab == ("views.publish" in {each.name for each in methods_called(source)})


def test_the_manifest_asks_for_nothing_that_is_not_used(manifest, source):
    """Shortcuts, link previews, workflow steps, user scopes: nobody listens to them, and the manifest has none."""
    content = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    assert not re.search(r"app\.(shortcut|step|function|options)\(", source)
    assert set(content["features"]) == {"app_home", "bot_user", "slash_commands"}
    assert set(content["oauth_config"]["scopes"]) == {"bot"}
    assert set(content["settings"]) == {
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    }


def test_the_manifest_keeps_the_lengths_that_slack_takes():
    content = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    information = content["display_information"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    for command in content["features"]["slash_commands"]:
        assert re.fullmatch(r"/[a-z0-9_-]{1,31}", command["command"])
        assert len(command["description"]) <= 100
        assert len(command["usage_hint"]) <= 1000
