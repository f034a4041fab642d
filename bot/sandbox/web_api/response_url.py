"""``response_url``: what the app says in answer to a command or a press, without a token."""

import json
import time

from aiohttp import web

from bot.sandbox.server.context import Context
from bot.sandbox.surfaces.messages import change, checked_blocks, delete, post
from bot.sandbox.surfaces.state import BOT_USER, Json, Message, ResponseUrl
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


def respond(context: Context, url: ResponseUrl, content: Json) -> None:
    """Post, replace or delete as the app asks.

    Raises:
        Refused: The content is wrong, or the message it is to replace is gone.
    """
    original = _original(context, url)
    if content.get("delete_original"):
        if original is None:
            raise Refused("message_not_found")
        delete(context, original)
        return
    text, blocks = str(content.get("text") or ""), checked_blocks(context.workspace, content.get("blocks"))
    if not text and blocks is None:
        raise Refused("no_text")
    if content.get("replace_original") and original is not None:
        change(context, original, text, blocks)
        return
    everybody = content.get("response_type") == "in_channel"
    post(
        context,
        url.channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=content.get("thread_ts"),
        visible_to=None if everybody else url.user,
    )


async def _content(request: web.Request) -> Json:
    try:
        content = json.loads(await request.text() or "{}")
    except ValueError:
        raise Refused("invalid_payload") from None
    if not isinstance(content, dict):
        raise Refused("invalid_payload")
    return content


def _original(context: Context, url: ResponseUrl) -> Message | None:
    return None if url.message_ts is None else context.workspace.message(url.channel, url.message_ts)


def _usable(context: Context, ticket: str) -> ResponseUrl:
    url = context.workspace.response_urls.get(ticket)
    if url is None or time.monotonic() > url.expires:
        raise Refused("expired_url")
    if url.uses >= context.workspace.rules.response_url_uses:
        raise Refused("used_url")
    return url


def _note(context: Context, status: str, started: float) -> None:
    context.workspace.traffic.add("call", "response_url", status, ms=(time.monotonic() - started) * 1000)
