"""``response_url``: what the app says in answer to a command or a press, without a token."""

import json
import time

from aiohttp import web

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.records import ResponseUrl
from bot.sandbox.surfaces.responses import respond
from bot.sandbox.validation.errors import Refused


async def answer(request: web.Request, context: Context) -> web.Response:
    """Carry out one post to a ``response_url``."""
    started = time.monotonic()
    try:
        url = _usable(context, request.match_info["ticket"])
        content = await _content(request)
        respond(context, url, content)
        url.uses += 1
    except Refused as refusal:
        status = 404 if refusal.error in {"used_url", "expired_url"} else 400
        _note(context, str(refusal), started)
        return web.json_response(refusal.as_json(), status=status)
    _note(context, "ok", started)
    return web.Response(text="ok")


async def _content(request: web.Request) -> Json:
    try:
        content = json.loads(await request.text() or "{}")
    except ValueError:
        raise Refused("invalid_payload") from None
    if not isinstance(content, dict):
        raise Refused("invalid_payload")
    return content


def _usable(context: Context, ticket: str) -> ResponseUrl:
    url = context.workspace.response_urls.get(ticket)
    if url is None or time.monotonic() > url.expires:
        raise Refused("expired_url")
    if url.uses >= context.workspace.rules.response_url_uses:
        raise Refused("used_url")
    return url


def _note(context: Context, status: str, started: float) -> None:
    context.workspace.traffic.add("call", "response_url", status, ms=(time.monotonic() - started) * 1000)
