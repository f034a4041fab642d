"""What the app asked for in its ``manifest.yml``: scopes, events, slash commands. Nothing else is granted to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml


class InvalidManifest(ValueError):
    """A manifest that Slack would not take, with one sentence that says why."""


@dataclass(frozen=True)
class SlashCommand:
    """A command as the manifest declares it. ``should_escape`` turns mentions into ids."""

    command: str
    description: str
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Manifest:
    """The parts of an app manifest that change how the workspace treats the app.

    Attributes:
        app_name: The app's name; its bot user is called the same unless the manifest says otherwise.
        scopes: The bot's scopes; ``None`` where there is no manifest: everything is granted.
        events: The bot events that the app is subscribed to.
        commands: The slash commands; ``None`` where there is no manifest: every command reaches the app, escaped.
        home_tab: Whether the app has a Home tab.
        messages_tab: Whether people and the app can write to each other.
        messages_read_only: Whether only the app may write there.
        interactive: Whether presses and submissions are sent to the app.
        socket_mode: Whether the app may open Socket Mode connections.
    """

    app_name: str = "Local app"
    scopes: frozenset[str] | None = None
    events: frozenset[str] = frozenset({"message.im", "app_home_opened"})
    commands: tuple[SlashCommand, ...] | None = None
    home_tab: bool = True
    messages_tab: bool = True
    messages_read_only: bool = False
    interactive: bool = True
    socket_mode: bool = True

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest in YAML (or JSON, which is YAML).

        Raises:
            InvalidManifest: The file is not there or is not a manifest.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise InvalidManifest(f"The manifest {path.name} cannot be read: {error}") from error
        if not isinstance(content, Mapping):
            raise InvalidManifest(f"The manifest {path.name} is not a mapping of settings.")
        return cls._from(content)

    @classmethod
    def _from(cls, content: Mapping[str, Any]) -> Self:
        features, settings = _part(content, "features"), _part(content, "settings")
        home, name = _part(features, "app_home"), str(_part(content, "display_information").get("name", cls.app_name))
        return cls(
            app_name=name,
            scopes=frozenset(_part(_part(content, "oauth_config"), "scopes").get("bot") or ()),
            events=frozenset(_part(settings, "event_subscriptions").get("bot_events") or ()),
            commands=tuple(
                SlashCommand(
                    command=str(each["command"]),
                    description=str(each.get("description", "")),
                    usage_hint=str(each.get("usage_hint", "")),
                    should_escape=bool(each.get("should_escape", False)),
                )
                for each in features.get("slash_commands") or ()
            ),
            home_tab=bool(home.get("home_tab_enabled", False)),
            messages_tab=bool(home.get("messages_tab_enabled", False)),
            messages_read_only=bool(home.get("messages_tab_read_only_enabled", False)),
            interactive=bool(_part(settings, "interactivity").get("is_enabled", False)),
            socket_mode=bool(settings.get("socket_mode_enabled", False)),
        )

    def grants(self, scope: str) -> bool:
        """Whether the bot has this scope."""
        return self.scopes is None or scope in self.scopes

    def command(self, name: str) -> SlashCommand | None:
        """The slash command of this name; ``None`` if the app has none."""
        if self.commands is None:
            return SlashCommand(name, "", should_escape=True)
        return next((each for each in self.commands if each.command == name), None)


def _part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name) or {}
    if not isinstance(value, Mapping):
        raise InvalidManifest(f"The manifest's {name} is not a mapping of settings.")
    return value
