"""Every call of the Web API: read it, check token, scope and rate, run the method, answer in Slack's form."""

import asyncio
import json
import time
from email.utils import formatdate
from typing import NoReturn

from aiohttp import web

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.validation.errors import Refused
from bot.sandbox.web_api import chat, conversations, files, response_url, users, views
from bot.sandbox.web_api.call import METHODS, Call, Method

FAMILIES = (chat, conversations, files, response_url, users, views)
"""The modules whose methods are registered."""


async def answer(request: web.Request, context: Context) -> web.Response:
    """Answer one call of ``/api/{method}``. Slack says no with HTTP 200, except for the rate limit's 429."""
    started, name = time.monotonic(), request.match_info["method"]
    headers = {
        "x-oauth-scopes": ",".join(sorted(context.workspace.manifest.scopes or ())),
        "Date": formatdate(context.workspace.clock, usegmt=True),
    }
    faults = context.workspace.faults
    body: Json
    status = 200
    try:
        arguments = await read_arguments(request)
        chosen = _authorised(context, METHODS.get(name), _token(request, arguments))
        place = _posts_into(context, arguments)
        retry_after = faults.retry_after or context.limits.retry_after(name, place)
        if faults.strike_call(faults.errors, name):
            status, body, outcome = 500, Refused("internal_error").as_json(), "error 500"
        elif retry_after:
            status, headers["Retry-After"] = 429, str(retry_after)
            body = Refused("ratelimited").as_json()
            outcome = f"ratelimited, retry after {retry_after} s"
        else:
            _refuse_as_told(context, name, place)
            body, outcome = {"ok": True} | chosen.handler(Call(context, name, arguments)), "ok"
            if faults.strike_call(faults.lost_answers, name):
                status, body, outcome = 500, Refused("internal_error").as_json(), "carried out, error 500"
    except Refused as refusal:
        body, outcome = refusal.as_json(), str(refusal)
    await asyncio.sleep(context.workspace.rules.answer_seconds + faults.answer_seconds)
    context.workspace.traffic.add(
        "call",
        name,
        outcome,
        ms=(time.monotonic() - started) * 1000,
        detail=str(body.get("ts") or body.get("file_id") or ""),
    )
    return web.json_response(body, status=status, headers=headers)


async def read_arguments(request: web.Request) -> Json:
    """The arguments of a call: JSON, a form, or the query.

    Raises:
        Refused: ``invalid_json`` or ``json_not_object``.
    """
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            content = json.loads(await request.text() or "{}", parse_constant=_refuse_constant)
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(content, dict):
            raise Refused("json_not_object")
        arguments |= content
    elif request.can_read_body:
        arguments |= dict(await request.post())
    return arguments


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _token(request: web.Request, arguments: Json) -> str:
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() or str(arguments.pop("token", ""))
    if not token:
        raise Refused("not_authed")
    return token


def _authorised(context: Context, chosen: Method | None, token: str) -> Method:
    if token not in {context.bot_token, context.app_token}:
        raise Refused("invalid_auth")
    if chosen is None:
        raise Refused("unknown_method")
    if chosen.name != "auth.test" and chosen.app_token != (token == context.app_token):
        raise Refused("not_allowed_token_type")
    workspace = context.workspace
    scopes = chosen.scopes
    refused_files = workspace.rules.refuse_files and chosen.name.startswith("files.")
    if refused_files or (scopes and not any(workspace.manifest.grants(scope) for scope in scopes)):
        provided = sorted((workspace.manifest.scopes or frozenset()) - (set(scopes) if refused_files else set()))
        raise Refused("missing_scope", needed=",".join(scopes), provided=",".join(provided))
    return chosen


def _posts_into(context: Context, arguments: Json) -> str | None:
    channel = arguments.get("channel")
    if channel in context.workspace.members and (direct := context.workspace.direct_channel(str(channel))) is not None:
        return direct.id
    return None if channel is None else str(channel)


def _refuse_as_told(context: Context, method: str, place: str | None) -> None:
    """Refuse a call that a test has the workspace refuse, such as posts into one conversation."""
    refusals = context.workspace.refusals
    error = refusals.get((method, place or "")) or refusals.get((method, ""))
    if error is not None:
        raise Refused(error)
