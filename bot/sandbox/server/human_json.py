"""What people see of the workspace, as the human side answers it in JSON."""

from urllib.parse import quote

from bot.sandbox.json_types import Json
from bot.sandbox.state.records import BOT_USER, Channel, File, Message, View
from bot.sandbox.state.workspace import Workspace

_PICTURES_INSIDE = {"context": ("elements",), "container": ("child_blocks",)}


def conversation_json(workspace: Workspace, channel: Channel, user: str) -> Json:
    """A line of this person's list of conversations."""
    visible = workspace.visible(channel.id, user)
    return {
        "id": channel.id,
        "kind": channel.kind,
        "name": channel.name,
        "unread": workspace.unread(channel.id, user),
        "latest": visible[-1].ts if visible else None,
    }


def message_json(workspace: Workspace, message: Message) -> Json:
    """A message with its author's name and its files."""
    files = [workspace.files[each] for each in message.files if each in workspace.files]
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "broadcast": message.broadcast,
        "user": message.user,
        "name": workspace.name_of(message.user),
        "bot": message.user == BOT_USER,
        "text": message.text,
        "blocks": None if message.blocks is None else _with_pictures(workspace, message.blocks),
        "edited": message.edited is not None,
        "ephemeral": message.visible_to is not None,
        "deleted": message.deleted,
        "files": [_file_json(each) for each in files],
        "values": message.values,
    }


def view_json(workspace: Workspace, view: View) -> Json:
    """A modal or a Home tab with what is entered in it and what is wrong with that."""
    content = view.content
    return {
        "id": view.id,
        "hash": view.hash,
        "type": view.type,
        "callback_id": content.get("callback_id") or "",
        "title": content.get("title"),
        "submit": content.get("submit"),
        "close": content.get("close"),
        "blocks": _with_pictures(workspace, view.blocks),
        "values": view.values,
        "errors": view.errors,
    }


def _file_json(file: File) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "mimetype": file.mimetype,
        "size": len(file.content or b""),
        "url": _file_url(file),
    }


def _file_url(file: File) -> str:
    return f"/files/{file.id}/{quote(file.name)}"


def _with_pictures(workspace: Workspace, blocks: list[Json]) -> list[Json]:
    """Blocks in which pictures of the workspace have an address that the page can fetch."""
    return [_with_picture(workspace, block) for block in blocks]


def _with_picture(workspace: Workspace, part: Json) -> Json:
    if part.get("type") == "image" and isinstance(part.get("slack_file"), dict):
        file = workspace.files.get(str(part["slack_file"].get("id")))
        return part | {"image_url": _file_url(file) if file else None}
    if part.get("type") == "section" and isinstance(part.get("accessory"), dict):
        return part | {"accessory": _with_picture(workspace, part["accessory"])}
    for inside in _PICTURES_INSIDE.get(str(part.get("type")), ()):
        part = part | {inside: _with_pictures(workspace, part[inside])}
    return part
