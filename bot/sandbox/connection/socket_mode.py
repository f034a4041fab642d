"""Socket Mode: the web sockets to the app, envelopes over them, acknowledgements back.

An envelope goes to one connection, any of those that are open, also where two processes use one token. An event that
is not acknowledged in time is delivered again; for everything else the person who acted is told.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import contextlib
import itertools
import json
import logging
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import WSMsgType, web

from bot.sandbox.json_types import Json
from bot.sandbox.state.records import APP_ID, BOT_USER, TEAM_ID, VERIFICATION_TOKEN
from bot.sandbox.state.workspace import Workspace

logger = logging.getLogger(__name__)

_TICKET_SECONDS = 30.0
_CLOSE_SECONDS = 1.0

Reason = Literal["warning", "refresh_requested"]


class NotAcknowledged(Exception):
    """The app did not acknowledge an envelope in time."""


class NotConnected(NotAcknowledged):
    """The app has no connection that an envelope could go to."""


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    number: int
    transport: asyncio.Transport | None
    warned: bool = False


class SocketMode:
    """The connections of the app. Lives on the server's event loop."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tickets: dict[str, float] = {}
        self._connections: list[_Connection] = []
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}
        self._sent_at: dict[str, tuple[str, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def new_ticket(self) -> str:
        """A ticket for one connection, as ``apps.connections.open`` gives it out."""
        now = time.monotonic()
        self._tickets = {key: expires for key, expires in self._tickets.items() if expires > now}
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = now + _TICKET_SECONDS
        return ticket

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        if self._tickets.pop(request.query.get("ticket", ""), 0.0) < time.monotonic():
            return web.Response(status=403, text="This connection's ticket was used before, or is too old.")
        # No compression: the SDK's built-in client cannot read compressed frames.
        socket = web.WebSocketResponse(timeout=_CLOSE_SECONDS, compress=False)
        await socket.prepare(request)
        connection = _Connection(socket, next(self._numbers), request.transport)
        if len(self._connections) >= self._workspace.rules.max_connections:
            await self._disconnect(connection, "too_many_websockets")
            await socket.close()
            return socket
        self._connections.append(connection)
        self._note("opened", connection)
        await self._send(connection, self._hello())
        work = [self._spawn(self._refresh_when_old(connection)), self._spawn(self._ping(connection))]
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            for task in work:
                task.cancel()
            self._connections.remove(connection)
            self._note("closed", connection)
        return socket

    async def refresh(self, reason: Reason = "refresh_requested") -> None:
        """Ask the app to replace every open connection; ``refresh_requested`` closes them afterwards."""
        for connection in list(self._connections):
            await self._ask_to_leave(connection, reason)

    def drop(self) -> None:
        """Cut every connection, without a word over it."""
        for connection in list(self._connections):
            self._note("dropped", connection)
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self) -> None:
        """Close every connection and stop delivering."""
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._connections):
            await connection.socket.close()

    async def deliver(self, kind: Literal["interactive", "slash_commands"], name: str, payload: Json) -> Json | None:
        """Send what a person did to the app and wait for its acknowledgement.

        Returns:
            The payload of the acknowledgement, if it has one.

        Raises:
            NotAcknowledged: The app is not connected or did not answer in ``ack_seconds``.
        """
        answered = kind == "slash_commands" or payload.get("type") == "view_submission"
        return await self._deliver(kind, name, payload, {"accepts_response_payload": answered})

    def send_event(self, event: Json) -> None:
        """Send an event to the app, and again until it is acknowledged or given up."""
        payload = {
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM_ID,
            "context_team_id": TEAM_ID,
            "context_enterprise_id": None,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.new_id("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM_ID,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": self._workspace.new_id("EC"),
        }
        self._spawn(self._deliver_event(payload))

    async def _deliver_event(self, payload: Json) -> None:
        rules = self._workspace.rules
        name = str(payload["event"].get("subtype") or payload["event"]["type"])
        reason, wanted = "", 2 if rules.duplicate_events else 1
        for attempt, wait in enumerate((0.0, *rules.redelivery_seconds)):
            await asyncio.sleep(wait)
            extra = {"accepts_response_payload": False, "retry_attempt": attempt, "retry_reason": reason}
            # A duplicate looks to the app as if its acknowledgement had been lost.
            reason = "timeout"
            try:
                await self._deliver("events_api", name, payload, extra)
            except NotAcknowledged:
                continue
            wanted -= 1
            if wanted == 0:
                return
        if wanted == (2 if rules.duplicate_events else 1):
            self._workspace.traffic.add("warning", name, "given up", detail="the app never acknowledged this event")

    async def _deliver(self, kind: str, name: str, payload: Json, extra: Json) -> Json | None:
        envelope_id = secrets.token_hex(16)
        connection = self._next_connection()
        if connection is None:
            self._workspace.traffic.add("envelope", name, "not connected", detail=kind)
            raise NotConnected(f"The app is not connected: {name} reached nobody.")
        answer: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        started = time.monotonic()
        self._remember(envelope_id, name, started)
        retry = f", attempt {extra['retry_attempt'] + 1}" if extra.get("retry_attempt") else ""
        self._workspace.traffic.add("envelope", name, "sent", detail=f"{kind}{retry}, connection {connection.number}")
        try:
            envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload} | extra
            await self._send_with_faults(connection, envelope)
            return await asyncio.wait_for(answer, self._workspace.rules.ack_seconds)
        except TimeoutError:
            waited = (time.monotonic() - started) * 1000
            self._workspace.traffic.add("ack", name, "timeout", ms=waited, detail=kind)
            raise NotAcknowledged(f"The app did not acknowledge {name} in time.") from None
        finally:
            self._waiting.pop(envelope_id, None)

    def _acknowledged(self, text: str) -> None:
        try:
            content = json.loads(text)
            envelope_id = content["envelope_id"]
        except (ValueError, KeyError, TypeError):
            logger.warning("The app sent something that is no acknowledgement over Socket Mode.")
            return
        name, started = self._sent_at.get(envelope_id, ("unknown envelope", time.monotonic()))
        waiting = self._waiting.get(envelope_id)
        in_time = waiting is not None and not waiting.done()
        self._workspace.traffic.add(
            "ack", name, "ok" if in_time else "too late", ms=(time.monotonic() - started) * 1000
        )
        if waiting is not None and not waiting.done():
            payload = content.get("payload")
            waiting.set_result(payload if isinstance(payload, dict) and payload else None)

    def _next_connection(self) -> _Connection | None:
        """Any of the open ones; a connection that was asked to leave only when there is no other."""
        staying = [each for each in self._connections if not each.warned] or self._connections
        return secrets.choice(staying) if staying else None

    async def _ping(self, connection: _Connection) -> None:
        # Nothing is concluded from a missing pong: on this machine a dead connection closes by itself.
        while not connection.socket.closed:
            await asyncio.sleep(self._workspace.rules.ping_seconds)
            with contextlib.suppress(ConnectionError, RuntimeError):
                await connection.socket.ping(b"Ping from the local workspace")

    async def _refresh_when_old(self, connection: _Connection) -> None:
        age = self._workspace.rules.refresh_seconds
        if age is None:
            return
        await asyncio.sleep(age)
        await self._ask_to_leave(connection, "warning")
        await asyncio.sleep(self._workspace.rules.warning_seconds)
        await self._ask_to_leave(connection, "refresh_requested")

    async def _ask_to_leave(self, connection: _Connection, reason: Reason) -> None:
        connection.warned = True
        self._note(reason, connection)
        await self._disconnect(connection, reason)
        if reason == "refresh_requested":
            self._spawn(self._close_soon(connection))

    async def _send_with_faults(self, connection: _Connection, envelope: Json) -> None:
        faults = self._workspace.faults
        await asyncio.sleep(faults.delay())
        await self._send(connection, envelope)
        if faults.strikes(faults.repeats):
            self._spawn(self._repeat(envelope, faults.delay()))

    async def _repeat(self, envelope: Json, delay: float) -> None:
        await asyncio.sleep(delay)
        connection = self._next_connection()
        if connection is not None:
            await self._send(connection, envelope)

    async def _disconnect(self, connection: _Connection, reason: str) -> None:
        content = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local-workspace"}}
        await self._send(connection, content)

    async def _close_soon(self, connection: _Connection) -> None:
        # The answers to what was sent over it before may still be on their way.
        await asyncio.sleep(min(1.0, self._workspace.rules.warning_seconds))
        await connection.socket.close()

    async def _send(self, connection: _Connection, content: Json) -> None:
        try:
            await connection.socket.send_str(json.dumps(content))
        except (ConnectionError, RuntimeError) as error:
            logger.debug("Socket Mode connection %d is gone: %s", connection.number, error)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {
                "host": "local-workspace",
                "build_number": 1,
                "approximate_connection_time": int(self._workspace.rules.refresh_seconds or 18_060),
            },
        }

    def _remember(self, envelope_id: str, name: str, started: float) -> None:
        self._sent_at[envelope_id] = (name, started)
        while len(self._sent_at) > 2_000:
            del self._sent_at[next(iter(self._sent_at))]

    def _note(self, status: str, connection: _Connection) -> None:
        self._workspace.traffic.add(
            "connection", f"connection {connection.number}", status, detail=f"{len(self._connections)} open"
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
