"""The local workspace as a running server: ``with LocalWorkspace(...) as workspace:``."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.sandbox.client.person import Person
from bot.sandbox.connection.context import Context
from bot.sandbox.connection.socket_mode import Reason, SocketMode
from bot.sandbox.server import downloads
from bot.sandbox.server.access import Access
from bot.sandbox.server.human_side import HumanSide
from bot.sandbox.state.faults import Faults
from bot.sandbox.state.journal import Traffic
from bot.sandbox.state.people import Kind, Member, Role
from bot.sandbox.state.records import BOT_USER, ChannelPlan
from bot.sandbox.state.workspace import Workspace
from bot.sandbox.validation.manifest import Manifest
from bot.sandbox.validation.rate_limits import RateLimits
from bot.sandbox.validation.strictness import Rules
from bot.sandbox.web_api import dispatch, files, response_url

PEOPLE = (
    Member("First participant"),
    Member("Second participant"),
    Member("Researcher", "researcher"),
    Member("Admin", "admin"),
)
"""Who is in the workspace unless something else is asked for."""

CHANNELS = (ChannelPlan("study-reports"),)

_LARGEST_REQUEST = 32 * 1024 * 1024
_START_SECONDS, _STOP_SECONDS = 60.0, 60.0

_T = TypeVar("_T")


class LocalWorkspace:
    """A Slack workspace on 127.0.0.1, in a thread of its own, everything in memory.

    Args:
        port: Where to listen; 0 takes a free port.
        people: Who is there from the start.
        channels: The channels that are there from the start.
        rules: Slack's limits, or tighter or looser ones.
        manifest: The app's ``manifest.yml``: its scopes, events and commands. ``None``: everything is granted, and
            the app is subscribed to direct messages and its Home tab.
        bot_token, app_token: The tokens that the app has to present.

    Raises:
        InvalidManifest: When the manifest cannot be used.
        ValueError: Two people have the same id.
        OSError: On start, when the port is in use.
    """

    bot_user = BOT_USER

    def __init__(
        self,
        port: int = 0,
        *,
        people: Sequence[Member] = PEOPLE,
        channels: Sequence[ChannelPlan] = CHANNELS,
        rules: Rules | None = None,
        manifest: Path | str | None = None,
        bot_token: str = "xoxb-local",  # noqa: S107 (it opens nothing but this workspace)
        app_token: str = "xapp-local",  # noqa: S107
    ) -> None:
        self.bot_token, self.app_token = bot_token, app_token
        self.rules = rules or Rules()
        self._people, self._channels = tuple(people), tuple(channels)
        self._manifest = Manifest() if manifest is None else Manifest.read(Path(manifest))
        self._port = port
        self._clients: dict[str, Person] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="local-workspace", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._context: Context | None = None
        self._access: Access | None = None
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Returns when the server can be reached."""
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise TimeoutError(f"The local workspace did not start within {_START_SECONDS:g} seconds.")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Close every connection and forget everything. A second call does nothing."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)

    @property
    def url(self) -> str:
        """The server's address, such as ``http://127.0.0.1:8090``."""
        return self._parts.url

    @property
    def page_url(self) -> str:
        """The page's address, with the key of this start: whoever has it can act as everybody here."""
        if self._access is None:
            raise RuntimeError("The local workspace is not running: start it first.")
        return f"{self.url}/?key={self._access.key}"

    @property
    def api_url(self) -> str:
        """What ``SLACK_API_URL`` must be for the bot; ends in ``/api/``."""
        return f"{self.url}/api/"

    @property
    def people(self) -> tuple[Member, ...]:
        """Everybody in the workspace."""
        return self._in_loop(lambda: tuple(self._parts.workspace.members.values()))

    def person(self, id_or_name: str) -> Person:
        """Somebody in the workspace, to act as them: always the same client of theirs.

        Raises:
            KeyError: Nobody has this id or name.
        """
        for member in self.people:
            if id_or_name in {member.id, member.name}:
                return self._client(member)
        raise KeyError(f"Nobody in this workspace is called {id_or_name}.")

    def add_person(self, name: str, role: Role = "participant", kind: Kind = Kind.MEMBER) -> Person:
        """Let somebody in."""
        member = self._in_loop(lambda: self._parts.workspace.join(Member(name, role, kind=kind)))
        return self._client(member)

    def _client(self, member: Member) -> Person:
        return self._clients.setdefault(member.id, Person(self.page_url, member.id))

    def deactivate(self, id_or_name: str) -> None:
        """Deactivate somebody's account.

        Raises:
            KeyError: Nobody has this id or name.
        """
        person = self.person(id_or_name)
        self._in_loop(lambda: self._parts.workspace.deactivate(person.id))

    def refuse(self, method: str, error: str, *, channel: str = "") -> None:
        """Refuse the app's calls of a method from now on: those into one conversation, or all of them.

        Args:
            method: Such as ``chat.postMessage``.
            error: Slack's name for the refusal, such as ``restricted_action``; empty: refuse no longer.
            channel: The id of the conversation; empty: every call.
        """

        def note() -> None:
            refusals = self._parts.workspace.refusals
            refusals.pop((method, channel), None)
            if error:
                refusals[method, channel] = error

        self._in_loop(note)

    def channel_id(self, name: str) -> str:
        """The id of the channel of this name.

        Raises:
            KeyError: No channel has this name.
        """
        channels = self._in_loop(lambda: tuple(self._parts.workspace.channels.values()))
        for channel in channels:
            if channel.kind == "channel" and channel.name == name.lstrip("#"):
                return channel.id
        raise KeyError(f"There is no channel called {name}.")

    def traffic(self, name: str | None = None, after: int = 0) -> list[Traffic]:
        """The calls, envelopes and acknowledgements so far, oldest first; with ``name`` only those of that name."""
        entries = self._in_loop(lambda: self._parts.workspace.traffic.since(after))
        return [entry for entry in entries if name is None or entry.name == name]

    def file_ids(self) -> list[str]:
        """The files that the app has in the workspace and has not deleted, oldest first."""
        return self._in_loop(lambda: [each.id for each in self._parts.workspace.files.values() if each.completed])

    @property
    def connections(self) -> int:
        """How many Socket Mode connections the app has."""
        return self._in_loop(lambda: self._parts.socket_mode.connections)

    def wait_for_app(self, seconds: float = _START_SECONDS) -> None:
        """Wait until the app is connected.

        Raises:
            TimeoutError: It was not in time.
        """
        deadline = time.monotonic() + seconds
        while self.connections == 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"No app connected within {seconds:g} seconds.")
            time.sleep(0.02)

    def refresh_connections(self, reason: Reason = "refresh_requested") -> None:
        """Ask the app to reconnect, as Slack does every few hours."""
        self._wait(self._parts.socket_mode.refresh(reason))

    def drop_connections(self) -> None:
        """Cut every connection of the app, as a broken network does."""
        self._in_loop(self._parts.socket_mode.drop)

    def misbehave(self, faults: Faults | None = None) -> None:
        """Let things go wrong between Slack and the app from now on; by default nothing goes wrong any more."""
        inside = self._parts.workspace

        def switch() -> None:
            inside.faults = faults or Faults()

        self._in_loop(switch)

    @property
    def _parts(self) -> Context:
        if self._context is None:
            raise RuntimeError("The local workspace is not running: start it first.")
        return self._context

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._open())
        except BaseException as failure:  # noqa: BLE001 (raised again in the thread that starts us)
            self._failure = failure
            self._loop.close()
            self._started.set()
            return
        self._started.set()
        self._loop.run_forever()
        self._loop.close()

    async def _open(self) -> None:
        workspace = Workspace(self._people, self._channels, self.rules, self._manifest)
        socket_mode, limits = SocketMode(workspace), RateLimits(self.rules)
        # The address is part of what the routes answer, so the socket is bound before they are added.
        listener = socket.create_server(("127.0.0.1", self._port))
        self._access = Access(listener.getsockname()[1])
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[self._access.middleware])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        url = f"http://127.0.0.1:{self._access.port}"
        self._context = Context(workspace, socket_mode, limits, url, self.bot_token, self.app_token)
        _add_routes(app, self._context, self._access)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def _close(self) -> None:
        self._parts.workspace.changes.close()
        await self._parts.socket_mode.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _in_loop(self, question: Callable[[], _T]) -> _T:
        """Ask the server's thread, which alone touches the state."""

        async def ask() -> _T:
            return question()

        return self._wait(ask())

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_STOP_SECONDS)


def _add_routes(app: web.Application, context: Context, access: Access) -> None:
    async def call(request: web.Request) -> web.StreamResponse:
        return await dispatch.answer(request, context)

    async def upload(request: web.Request) -> web.StreamResponse:
        return await files.receive(request, context)

    async def download(request: web.Request) -> web.StreamResponse:
        return await downloads.for_app(request, context)

    async def show(request: web.Request) -> web.StreamResponse:
        return await downloads.for_person(request, context)

    async def response(request: web.Request) -> web.StreamResponse:
        return await response_url.answer(request, context)

    app.router.add_route("*", "/api/{method}", call)
    app.router.add_post("/upload/v1/{ticket}", upload)
    app.router.add_get("/files/{id}/{name}", download)
    app.router.add_get("/ui/{user}/files/{id}/{name}", show)
    app.router.add_post("/response/{ticket}", response)
    app.router.add_get("/link/", context.socket_mode.accept)
    HumanSide(context, access).add_routes(app.router)
