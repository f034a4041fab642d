"""One call of a Web API method: its arguments, however they were encoded, and the register of methods."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.records import BOT_USER, Channel
from bot.sandbox.state.workspace import Workspace
from bot.sandbox.validation.errors import Refused


@dataclass(frozen=True)
class Call:
    """A call that passed the token, scope and rate checks."""

    context: Context
    method: str
    arguments: Json

    @property
    def workspace(self) -> Workspace:
        """The workspace it is about."""
        return self.context.workspace

    def text(self, name: str, default: str = "") -> str:
        """An optional argument as text."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def optional(self, name: str) -> str | None:
        """An optional argument; ``None`` if it is missing or empty."""
        return self.text(name) or None

    def required(self, name: str, error: str = "invalid_arguments") -> str:
        """A required argument.

        Raises:
            Refused: It is missing; ``error`` says how Slack calls that.
        """
        value = self.text(name)
        if not value:
            messages = [f"[ERROR] missing required field: {name}"] if error == "invalid_arguments" else []
            raise Refused(error, messages)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """An optional yes or no."""
        return self.text(name, str(default)).lower() in {"true", "1"}

    def structure(self, name: str, error: str) -> Any:
        """An argument that is JSON: as it came in a JSON body, or as text in a form. ``None`` if it is missing.

        Raises:
            Refused: It cannot be read; ``error`` says how Slack calls that.
        """
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refused(error) from None

    def channel(self, *, user_ids: bool = False) -> Channel:
        """The conversation that ``channel`` names.

        Args:
            user_ids: Whether a user id may stand for the conversation with that person.

        Raises:
            Refused: ``channel_not_found``; ``not_in_channel`` if the app is not in it.
        """
        name = self.required("channel", "channel_not_found")
        if user_ids and name in self.workspace.members:
            return self._direct_channel(name)
        by_name = name.removeprefix("#")
        for channel in self.workspace.channels.values():
            if channel.id == name or (user_ids and channel.kind == "channel" and channel.name == by_name):
                if BOT_USER not in channel.members:
                    raise Refused("channel_not_found" if channel.private else "not_in_channel")
                return channel
        raise Refused("channel_not_found")

    def _direct_channel(self, user: str) -> Channel:
        direct = self.workspace.direct_channel(user)
        if direct is None:
            raise Refused("channel_not_found")
        return direct

    def page(self, items: list[Json], default: int = 100) -> tuple[list[Json], str]:
        """The part of a list that ``cursor`` and ``limit`` ask for, and the cursor of the next part.

        Raises:
            Refused: ``invalid_cursor`` or ``invalid_limit``.
        """
        start, limit = self.text("cursor") or "0", self.text("limit") or str(default)
        if not start.isdigit():
            raise Refused("invalid_cursor")
        if not limit.isdigit() or not 1 <= int(limit) <= 1000:
            raise Refused("invalid_limit")
        end = int(start) + int(limit)
        return items[int(start) : end], str(end) if end < len(items) else ""


Handler = Callable[[Call], Json]


@dataclass(frozen=True)
class Method:
    """A Web API method: what it does, and one of which scopes it needs."""

    name: str
    handler: Handler
    scopes: tuple[str, ...] = ()
    app_token: bool = False


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, app_token: bool = False) -> Callable[[Handler], Handler]:
    """Register a function as the method of this name.

    Args:
        name: Such as ``chat.update``.
        scopes: One of these is needed; none: no scope.
        app_token: Whether it takes the app-level token instead of the bot's.
    """

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, handler, scopes, app_token)
        return handler

    return register
