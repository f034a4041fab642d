"""Who may use the local workspace: its own page, opened with the address that its start printed, and its clients.

Every other page that is open in the same browser can send requests to 127.0.0.1, also under a name of its own that
leads there (DNS rebinding); so can other users of the machine. So three things are looked at: under which name the
server was called, which page calls it, and, for everything that people see or do, the key of this start.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

KEY = "X-Workspace-Key"
"""The header in which a client that is not a browser sends the key."""

_HUMAN_SIDE = "/ui/"
_REOPEN = "This page is from an earlier start of the workspace. Open the address that the last start printed."


@dataclass(frozen=True)
class Access:
    """What is asked of every request, before anything else, for connections of Socket Mode too.

    Args:
        port: Where the server listens.
        key: What the page's requests have to carry. It is new at every start.
    """

    port: int
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """The name of the page's cookie. Cookies do not know ports, so the name does."""
        return f"workspace_key_{self.port}"

    @property
    def middleware(self) -> Middleware:
        """What goes before every handler."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self._refusal(request.path, request.headers, request.cookies)
            if refusal is not None:
                return web.json_response({"ok": False, "error": refusal}, status=403)
            return await handler(request)

        return check

    def opens(self, request: web.Request) -> web.StreamResponse | None:
        """The answer to a request for the page itself that leads to it, or refuses it; ``None`` to show the page."""
        if self._is_key(request.query.get("key")):
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(self.cookie, self.key, httponly=True, samesite="Strict")
            return answer
        if self._is_key(request.cookies.get(self.cookie)):
            return None
        return web.Response(status=403, text=_REOPEN)

    def _refusal(self, path: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str | None:
        host = headers.get("Host", "").lower()
        # The web socket of Slack's SDK does not tell the port.
        if host not in {f"{name}{port}" for name in ("127.0.0.1", "localhost") for port in (f":{self.port}", "")}:
            return "The workspace is called 127.0.0.1 or localhost, and nothing else."
        elsewhere = path != "/" and headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}
        if elsewhere or headers.get("Origin", f"http://{host}") != f"http://{host}":
            return "Only the workspace's own page may do this."
        keys = headers.get(KEY), cookies.get(self.cookie)
        return _REOPEN if path.startswith(_HUMAN_SIDE) and not any(map(self._is_key, keys)) else None

    def _is_key(self, given: str | None) -> bool:
        return given is not None and secrets.compare_digest(given.encode(), self.key.encode())
