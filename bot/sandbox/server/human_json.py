"""What people see of the workspace, as the human side answers it in JSON."""

from bot.sandbox.json_types import Json
from bot.sandbox.state.pictures import as_seen, file_url
from bot.sandbox.state.records import BOT_USER, Channel, File, Message, View
from bot.sandbox.state.workspace import Workspace


def conversation_json(workspace: Workspace, channel: Channel, user: str) -> Json:
    """A line of this person's list of conversations."""
    shown = [each.ts for each in workspace.visible(channel.id, user) if each.in_conversation]
    return {
        "id": channel.id,
        "kind": channel.kind,
        "name": channel.name,
        "unread": workspace.unread(channel.id, user),
        "latest": shown[-1] if shown else None,
    }


def message_json(workspace: Workspace, message: Message, user: str) -> Json:
    """A message with its author's name and its files, as this person sees it."""
    files = [workspace.files[each] for each in message.files if each in workspace.files]
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "broadcast": message.broadcast,
        "user": message.user,
        "name": workspace.name_of(message.user),
        "bot": message.user == BOT_USER,
        "text": message.text,
        "blocks": None if message.blocks is None else as_seen(workspace, message.blocks, user),
        "edited": message.edited is not None,
        "ephemeral": message.visible_to is not None,
        "deleted": message.deleted,
        "files": [_file_json(each, user) for each in files],
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
        "blocks": as_seen(workspace, view.blocks, view.user),
        "values": view.values,
        "errors": view.errors,
    }


def _file_json(file: File, user: str) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "mimetype": file.mimetype,
        "size": len(file.content or b""),
        "url": file_url(file, user),
    }
