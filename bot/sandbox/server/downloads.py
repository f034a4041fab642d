"""Files as the app and people fetch them: each only what Slack would give them."""

from urllib.parse import quote

from aiohttp import web

from bot.sandbox.connection.context import Context
from bot.sandbox.state.records import File


async def for_app(request: web.Request, context: Context) -> web.StreamResponse:
    """The bytes of one of the app's files (its ``url_private``), if the request carries the app's token."""
    if request.headers.get("Authorization") != f"Bearer {context.bot_token}":
        return _not_found()
    file = context.workspace.files.get(request.match_info["id"])
    return _not_found() if file is None else _bytes(file)


async def for_person(request: web.Request, context: Context) -> web.StreamResponse:
    """The bytes of a file that a message showed to this person."""
    file = context.workspace.files.get(request.match_info["id"])
    if file is None or not context.workspace.may_see(file, request.match_info["user"]):
        return _not_found()
    return _bytes(file)


def _bytes(file: File) -> web.StreamResponse:
    if file.content is None or not file.completed:
        return _not_found()
    # A page of the workspace's own must not run what the app uploads.
    disposition = "inline" if file.mimetype.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name)}",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=file.content, content_type=file.mimetype or "application/octet-stream", headers=headers)


def _not_found() -> web.StreamResponse:
    return web.Response(status=404, text="There is no such file, or no message showed it to you.")
