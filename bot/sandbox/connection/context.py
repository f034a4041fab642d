"""The parts of the running workspace that the Web API and the human side share."""

from dataclasses import dataclass

from bot.sandbox.connection.socket_mode import SocketMode
from bot.sandbox.state.workspace import Workspace
from bot.sandbox.validation.rate_limits import RateLimits


@dataclass(frozen=True)
class Context:
    """State, the connection to the app, the counters of calls, and the address of the server.

    Attributes:
        url: Where the server listens, without a slash at the end.
        bot_token, app_token: The tokens that the workspace accepts.
    """

    workspace: Workspace
    socket_mode: SocketMode
    limits: RateLimits
    url: str
    bot_token: str
    app_token: str
