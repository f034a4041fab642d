"""``files.*`` and the upload itself: ask for an address, send the bytes there, complete, wait until it is processed."""

import asyncio
import re
import secrets
import time
from functools import partial
from typing import Any

from aiohttp import web

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.records import BOT_USER, File
from bot.sandbox.surfaces.messages import post
from bot.sandbox.surfaces.payloads import file_json
from bot.sandbox.validation.errors import Refused
from bot.sandbox.web_api.call import Call, method


@method("files.getUploadURLExternal", "files:write")
def get_upload_url(call: Call) -> Json:
    """An address for one upload."""
    name, length = call.required("filename"), call.required("length")
    if not length.isdigit() or int(length) == 0:
        raise Refused("invalid_arguments", ["[ERROR] must be a positive number [json-pointer:/length]"])
    stored = sum(len(file.content or b"") for file in call.workspace.files.values())
    if stored + int(length) > call.workspace.rules.file_storage_bytes:
        raise Refused("storage_limit_reached")
    ticket = secrets.token_hex(16)
    file = File(call.workspace.new_id("F"), name, int(length), ticket, alt_text=call.text("alt_txt"))
    call.workspace.files[file.id] = file
    return {"upload_url": f"{call.context.url}/upload/v1/{ticket}", "file_id": file.id}


@method("files.completeUploadExternal", "files:write")
def complete_upload(call: Call) -> Json:
    """Finish uploads: private to the app, or shared in one conversation, a while after this was answered."""
    given: Any = call.structure("files", "invalid_arguments")
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise Refused("invalid_arguments", ["[ERROR] missing required field: files"])
    files = [(_file(call, str(each.get("id"))), str(each.get("title") or "")) for each in given]
    if any(file.content is None or file.completed for file, _ in files):
        raise Refused("file_not_found")
    shared = call.optional("channel_id") or call.optional("channels")
    if not re.fullmatch(r"([CGDZ][A-Z0-9]{8,})?", call.text("channel_id")):
        raise Refused(
            "invalid_arguments", ["input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]"]
        )
    # Look the conversation up before anything changes: a wrong one must leave the upload open.
    channel = Call(call.context, call.method, {"channel": shared}).channel() if shared else None
    thread = call.optional("thread_ts")
    if channel is not None and thread is not None and call.workspace.message(channel.id, thread) is None:
        raise Refused("thread_not_found")
    rules = call.workspace.rules
    for file, title in files:
        file.title, file.ready_at = title, time.time() + rules.file_processing_seconds
    if channel is not None:
        share = partial(_share, call, channel.id, [file for file, _ in files], thread)
        asyncio.get_running_loop().call_later(rules.file_sharing_seconds, share)
    return {"files": [_described(call, file) for file, _ in files]}


def _share(call: Call, channel: str, files: list[File], thread_ts: str | None) -> None:
    """Post the files that are still there. The app is not told of those that Slack does not share."""
    workspace = call.workspace
    ids = tuple(each.id for each in files if each.id in workspace.files and _can_be_shared(call, each))
    try:
        if ids:
            post(call.context, channel, BOT_USER, call.text("initial_comment"), thread_ts=thread_ts, files=ids)
    except Refused as refusal:
        workspace.traffic.add("warning", call.method, "not shared", detail=str(refusal))


def _can_be_shared(call: Call, file: File) -> bool:
    if not file.alt_text or call.workspace.rules.alt_txt_shares:
        return True
    call.workspace.traffic.add("warning", call.method, "not shared", detail=f"{file.id} came with alt_txt")
    return False


@method("files.info", "files:read")
def info(call: Call) -> Json:
    """Describe a file; its ``mimetype`` is empty while it is processed."""
    file = _file(call, call.required("file", "file_not_found"))
    if not file.completed:
        raise Refused("file_not_found")
    return {"file": _described(call, file)}


@method("files.delete", "files:write")
def delete(call: Call) -> Json:
    """Delete a file; messages that show it lose the picture."""
    file = _file(call, call.required("file", "file_not_found"))
    del call.workspace.files[file.id]
    return {}


def _described(call: Call, file: File) -> Json:
    content = file_json(call.workspace, file)
    return content | {"url_private": f"{call.context.url}{content['url_private']}"}


def _file(call: Call, file_id: str) -> File:
    file = call.workspace.files.get(file_id)
    if file is None:
        raise Refused("file_not_found")
    return file


async def receive(request: web.Request, context: Context) -> web.Response:
    """Take the bytes of one upload, raw or as a form."""
    ticket = request.match_info["ticket"]
    file = next((each for each in context.workspace.files.values() if each.upload_ticket == ticket), None)
    if file is None or file.content is not None:
        return web.Response(status=404, text="There is no upload at this address, or it was used before.")
    if request.content_type.startswith("multipart/"):
        parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
        content = parts[0].file.read() if parts else b""
    else:
        content = await request.read()
    context.workspace.traffic.add("call", "upload", "ok", detail=f"{file.id}, {len(content)} bytes")
    if len(content) != file.expected_bytes:
        return web.Response(status=400, text=f"{file.expected_bytes} bytes were announced, {len(content)} came.")
    file.content = content
    return web.Response(text=f"OK - {len(content)}")
