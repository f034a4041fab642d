"""The Bolt app and its connection: how they are made, what happens to errors of listeners, and how they are closed."""

import errno
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.slack.client import PacedClient
from bot.slack.error_reporting import ErrorReporter, apology

_LISTENERS = 32
"""The number of threads that acknowledge. Bolt's ten are busy for seconds when thirty people press at once."""


_PING_SECONDS = 2
"""The time between two pings to Slack. The SDK's client notices a connection that broke without a goodbye after five of
them, and until then nobody is heard. With its own ten seconds that takes fifty."""


def make_app(client: PacedClient) -> App:
    """The app, without listeners.

    Raises:
        SlackApiError: Slack refuses the bot token.
        OSError: Slack cannot be reached.
    """
    client.auth_test()  # Bolt calls it too, but hides why Slack refuses
    return App(client=client, listener_executor=ThreadPoolExecutor(_LISTENERS, thread_name_prefix="listener"))


def make_handler(app: App, app_token: str) -> SocketModeHandler:
    """The connection of the app, not yet open.

    It is opened without waiting for a turn: while it is missing nobody is heard, and where Slack refuses to open it so
    soon, the SDK's client waits as long as Slack says.
    """
    unpaced = WebClient(base_url=app.client.base_url)
    handler = SocketModeHandler(app, app_token, web_client=unpaced, concurrency=_LISTENERS, ping_interval=_PING_SECONDS)
    _notice_the_end(handler.client)
    return handler


class _Socket:
    """A socket that says by an error that the other side has closed it."""

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def recv(self, size: int) -> bytes:
        """Receive 1 to ``size`` bytes.

        Raises:
            OSError: The connection has ended, or nothing came in time.
        """
        received = self._plain.recv(size)
        if not received:
            raise ConnectionResetError(errno.ECONNRESET, "Slack has closed the connection")
        return received


def _notice_the_end(client: Any) -> None:
    """Let the SDK's client connect again at once when a connection has ended without a goodbye.

    It takes the end of a connection for a message without content, and asks for the next one, as fast as a processor
    can, until the pings are missed.
    """
    connect = client.connect

    def connect_and_notice() -> None:
        connect()
        session = client.current_session
        session.sock = _Socket(session.sock)

    client.connect = connect_and_notice


def close_connection(handler: SocketModeHandler) -> None:
    """Close the connection to Slack.

    The SDK's client loses the request to close when its receiving thread starts at the same moment. Then it would wait
    for that thread without end. So the request is repeated until the client has closed.
    """
    closing = threading.Thread(target=handler.close, name="closing-connection", daemon=True)
    closing.start()
    while closing.is_alive():
        handler.client.current_session_state.terminated = True
        closing.join(0.1)


def acknowledge_the_rest(app: App) -> None:
    """Acknowledge buttons of an older version, and those whose press needs no answer. To be called last."""

    def acknowledge(ack: Ack) -> None:
        ack()

    app.action(re.compile(""))(acknowledge)


def report_errors(app: App, errors: ErrorReporter) -> None:
    """Report a listener that failed before it acknowledged, and tell the person where they look."""

    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        code = errors.report(error, f"answering a {body.get('type', 'command')}")
        if body.get("type") == "view_submission":
            inputs = [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"]
            if inputs:  # the form stays open, with all that was typed
                answer = {"response_action": "errors", "errors": {inputs[0]: apology(code)}}
                return BoltResponse(status=200, body=answer)
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": apology(code)})
        return BoltResponse(status=200, body="")

    app.error(failed)
