"""Whether the app can connect over Socket Mode, and how many connections it has.

Slack greets a new connection with the number of connections that the app has
(https://docs.slack.dev/apis/events-api/using-socket-mode). With more than ours, another bot runs with the same tokens,
and each of them gets only some of what people do.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.checks.findings import NO_ANSWER, Finding, fine, not_checked, reason, wrong
from bot.settings.settings import APP_TOKEN

SOCKET_MODE, CONNECTIONS = "Socket Mode", "Connections"

_GREETED_WITHIN, _CLOSED_WITHIN = 15.0, 3.0
"""Seconds that Slack has to greet a new connection, and to agree that it is closed."""

_OFF = "It is off: turn it on on your app's page, Socket Mode."
_NO_SCOPE = (
    "The app-level token lacks the scope connections:write: make a new one with it on your app's page, "
    "Basic Information, App-Level Tokens."
)
_FULL = "The app has as many connections as Slack allows (10): stop the other programs that use these tokens."
_SAID: dict[str, str] = {
    "socket_mode_not_enabled": _OFF,
    "link_disabled": _OFF,
    "missing_scope": _NO_SCOPE,
    "not_allowed_token_type": _NO_SCOPE,
    "too_many_websockets": _FULL,
}
"""What to do, by Slack's error, or by the reason for which it ends a connection."""


@dataclass(frozen=True)
class Greeting:
    """What Slack says to a new connection: which app it belongs to, and how many connections the app has with it."""

    app_id: str
    connections: int


def connect(app_token: str, api_url: str) -> Greeting | Finding:
    """Open one more connection, and close it as soon as Slack has greeted it.

    What people do in the moment between may be sent over this connection. An event comes again then, to another
    connection; a press is not answered, and its person has to repeat it.

    Returns:
        The greeting, or what is wrong.
    """
    client = WebClient(base_url=api_url)
    try:
        address = str(client.apps_connections_open(app_token=app_token)["url"])
        message = asyncio.run(_first_message(address, client.proxy))
    except SlackApiError as error:
        return _refused(error)
    except (*NO_ANSWER, ValueError) as error:
        return wrong(SOCKET_MODE, f"The app cannot connect: {reason(error)}. Check the network, proxies included.")
    if message.get("type") != "hello":
        why = str(message.get("reason", "without a reason"))
        return wrong(SOCKET_MODE, _SAID.get(why, f"Slack ends the connection at once: {why}."))
    app_id = str(message.get("connection_info", {}).get("app_id", ""))
    return Greeting(app_id, int(message.get("num_connections", 0)))


def count(app_token: str, api_url: str) -> int | None:
    """How many connections the app has while one more is open: see :func:`connect`. None if that is not known."""
    greeting = connect(app_token, api_url)
    return greeting.connections or None if isinstance(greeting, Greeting) else None


def describe(greeting: Greeting, own_connections: int) -> Iterator[Finding]:
    """The findings about a connection that Slack has greeted.

    Args:
        greeting: What Slack said.
        own_connections: How many of the connections are ours, the greeted one among them.
    """
    yield fine(SOCKET_MODE, "The app can connect.")
    others = greeting.connections - own_connections
    if greeting.connections < 1:
        yield not_checked(CONNECTIONS, "Slack did not say how many connections the app has.")
    elif others > 0:
        many = "1 other connection" if others == 1 else f"{others} other connections"
        yield wrong(
            CONNECTIONS,
            f"The app has {many}: a bot runs with these tokens already. With two, each gets only a part of what people "
            "do, so stop all but one. (Slack may count a bot that was just stopped: then check again in a minute.)",
        )
    else:
        yield fine(CONNECTIONS, "No other bot is connected with these tokens.")


async def _first_message(address: str, proxy: str | None) -> dict[str, Any]:
    """The first message over a connection that is opened and closed again; empty if it is none that can be read.

    Raises:
        OSError: There is no connection, or no message in time.
        ValueError: The address cannot be used, or the message is not JSON.
    """
    import aiohttp  # it takes a third of a second to load, and a bot that starts does not need it

    closing = aiohttp.ClientWSTimeout(ws_close=_CLOSED_WITHIN)
    try:
        async with aiohttp.ClientSession() as session:
            async with asyncio.timeout(_GREETED_WITHIN):
                socket = await session.ws_connect(address, proxy=proxy, timeout=closing)
                received = await socket.receive()
            await socket.close()
    except aiohttp.ClientError as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
    message = json.loads(received.data) if received.type is aiohttp.WSMsgType.TEXT else None
    return message if isinstance(message, dict) else {}


def _refused(error: SlackApiError) -> Finding:
    code = str(error.response.get("error"))
    if code == "ratelimited":
        seconds = error.response.headers.get("Retry-After", "60")
        return not_checked(SOCKET_MODE, f"Slack lets the app connect only so often. Check again in {seconds} seconds.")
    copied_from = f"{APP_TOKEN.variable}: copy it again from your Slack app's page, {APP_TOKEN.where}"
    return wrong(SOCKET_MODE, _SAID.get(code, f"Slack refuses {copied_from}. ({reason(error)}.)"))
