"""What the app receives: messages, views, events and interactions in the shape that Slack sends them."""

import html
import re
import time
from typing import Any

from bot.sandbox.json_types import Json
from bot.sandbox.state.people import Kind
from bot.sandbox.state.records import (
    APP_ID,
    BOT_ID,
    BOT_USER,
    OTHER_TEAM_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    VERIFICATION_TOKEN,
    Channel,
    File,
    Message,
    View,
)
from bot.sandbox.state.workspace import Workspace
from bot.sandbox.surfaces.escaping import escape, sent_back, texts_sent_back


def with_mentions(workspace: Workspace, text: str, *, names: bool) -> str:
    """Turn ``@Name`` and ``#channel`` as a person writes them into ids.

    Args:
        workspace: Whose people and channels are meant.
        text: Already escaped text.
        names: Whether the name follows the id, as in a slash command's text (``<@U…|name>``).
    """
    people = {user_name(member.name): member.id for member in workspace.members.values()}
    people |= {escape(member.name): member.id for member in workspace.members.values()}
    people |= {member.id: member.id for member in workspace.members.values()}
    channels = {each.name: each.id for each in workspace.channels.values() if each.kind == "channel"}
    for sign, known in (("@", people), ("#", channels)):
        for name in sorted(known, key=len, reverse=True):
            label = f"|{user_name(workspace.members[known[name]].name) if sign == '@' else name}" if names else ""
            text = re.sub(rf"(?<![\w<]){sign}{re.escape(name)}(?!\w)", f"<{sign}{known[name]}{label}>", text)
    return text


def user_name(name: str) -> str:
    """The name that a mention carries: one word."""
    return re.sub(r"\W+", ".", name.strip().lower()).strip(".")


def message_json(workspace: Workspace, message: Message, *, all_metadata: bool = False) -> Json:
    """A message as ``chat.*`` answers, ``conversations.*`` and payloads carry it, its texts escaped.

    Of its metadata only the type is in it, unless ``all_metadata``: the app's manifest declares no types of metadata.
    """
    content: Json = {"type": "message", "user": message.user, "text": sent_back(message.text)}
    content |= {"ts": message.ts, "team": TEAM_ID}
    if message.user == BOT_USER:
        content |= {"bot_id": BOT_ID, "app_id": APP_ID, "bot_profile": {"id": BOT_ID, "app_id": APP_ID}}
        content["bot_profile"]["name"] = workspace.manifest.app_name
    if message.blocks is not None:
        content["blocks"] = texts_sent_back(message.blocks)
    elif message.client_msg_id is not None:
        content["blocks"] = [_as_rich_text(message)]
    if message.client_msg_id is not None:
        content["client_msg_id"] = message.client_msg_id
    if message.metadata is not None:
        content["metadata"] = message.metadata if all_metadata else {"event_type": message.metadata["event_type"]}
    if message.edited is not None:
        content["edited"] = {"user": message.user, "ts": message.edited}
    if message.files:
        content["files"] = [
            file_json(workspace, workspace.files[each]) for each in message.files if each in workspace.files
        ]
    if message.thread_ts is not None and message.thread_ts != message.ts:
        parent = workspace.messages[message.channel].get(message.thread_ts)
        content["thread_ts"] = message.thread_ts
        if message.broadcast and parent is not None:
            root = message_json(workspace, parent) | {"is_locked": False}
            content |= {"subtype": "thread_broadcast", "root": root}
        else:
            content["parent_user_id"] = parent.user if parent else BOT_USER
    elif replies := workspace.replies(message.channel, message.ts):
        users = list(dict.fromkeys(each.user for each in replies))
        content |= {"thread_ts": message.ts, "reply_count": len(replies), "reply_users": users}
        content |= {"reply_users_count": len(users), "latest_reply": max(each.ts for each in replies)}
    return content


def _as_rich_text(message: Message) -> Json:
    words = {"type": "text", "text": html.unescape(message.text)}
    section = {"type": "rich_text_section", "elements": [words]}
    return {"type": "rich_text", "block_id": message.client_msg_id, "elements": [section]}


def view_json(view: View) -> Json:
    """A view as ``views.*`` answers and interaction payloads carry it."""
    content = view.content
    return {
        "id": view.id,
        "team_id": TEAM_ID,
        "type": view.type,
        "blocks": view.blocks,
        "private_metadata": content.get("private_metadata") or "",
        "callback_id": content.get("callback_id") or "",
        "state": {"values": view.values},
        "hash": view.hash,
        "title": content.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": bool(content.get("clear_on_close")),
        "notify_on_close": bool(content.get("notify_on_close")),
        "close": content.get("close"),
        "submit": content.get("submit"),
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id or view.id,
        "app_id": APP_ID,
        "external_id": content.get("external_id") or "",
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
    }


def file_json(workspace: Workspace, file: File) -> Json:
    """A file as ``files.info`` answers: no ``mimetype`` until it is processed, no ``shares`` until it is shared."""
    shares, channels = _shares(workspace, file), workspace.channels.values()
    shared = [each for each in channels if each.id in {*shares.get("public", ()), *shares.get("private", ())}]
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": file.mimetype.rpartition("/")[2],
        "user": BOT_USER,
        "size": len(file.content or b""),
        "mode": "hosted",
        "is_external": False,
        "is_public": "public" in shares,
        "alt_txt": file.alt_text,
        "channels": [each.id for each in shared if each.slack_type == "channel"],
        "groups": [each.id for each in shared if each.slack_type == "group"],
        "ims": [each.id for each in shared if each.slack_type == "im"],
        "shares": shares,
        "url_private": f"/files/{file.id}/{file.name}",
    }


def _shares(workspace: Workspace, file: File) -> Json:
    """The messages that the file came with, by ``public`` or ``private`` and by conversation."""
    shares: Json = {}
    for channel_id, ts in sorted(file.shown_by):
        channel, message = workspace.channels[channel_id], workspace.message(channel_id, ts)
        if message is None or file.id not in message.files:
            continue
        replies = workspace.replies(channel_id, ts)
        share: Json = {"ts": ts, "team_id": TEAM_ID, "share_user_id": message.user, "source": "UNKNOWN"}
        share |= {"reply_count": len(replies), "reply_users": list(dict.fromkeys(each.user for each in replies))}
        share["reply_users_count"] = len(share["reply_users"])
        if channel.kind == "channel":
            share["channel_name"] = channel.name
        if message.thread_ts is not None:
            share["thread_ts"] = message.thread_ts
        kind = "public" if channel.slack_type == "channel" else "private"
        shares.setdefault(kind, {}).setdefault(channel_id, []).append(share)
    return shares


def user_json(workspace: Workspace, user: str) -> Json:
    """A person or the bot user as ``users.info`` answers."""
    name, member = workspace.name_of(user), workspace.members.get(user)
    kind = Kind.BOT if member is None else member.kind
    team = OTHER_TEAM_ID if member is not None and member.is_of_another_organisation else TEAM_ID
    content: Json = {
        "id": user,
        "team_id": team,
        "name": user_name(name),
        "deleted": kind is Kind.DEACTIVATED,
        "is_bot": kind is Kind.BOT,
        "is_app_user": False,
        "profile": {"real_name": name, "display_name": name, "team": team},
    }
    if kind is Kind.DEACTIVATED:  # the account has lost the rest
        return content
    content |= {
        "real_name": name,
        "is_admin": member is not None and member.role == "admin",
        "is_restricted": kind in {Kind.GUEST, Kind.SINGLE_CHANNEL_GUEST},
        "is_ultra_restricted": kind is Kind.SINGLE_CHANNEL_GUEST,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
    }
    return content | ({"is_stranger": kind is Kind.STRANGER} if team != TEAM_ID else {})


def channel_json(channel: Channel, user: str | None = None, *, deactivated: bool = False) -> Json:
    """A conversation as ``conversations.info`` answers; in a direct one, ``user`` is the person."""
    content: Json = {"id": channel.id, "is_im": channel.kind == "dm", "is_mpim": False, "is_archived": False}
    if channel.kind == "dm":
        return content | {"user": user, "is_user_deleted": deactivated, "is_open": True}
    return content | {
        "name": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_private": channel.private,
        "is_member": BOT_USER in channel.members,
        "num_members": len(channel.members),
    }


def message_event(workspace: Workspace, message: Message) -> Json:
    """The event of a new message."""
    channel = workspace.channels[message.channel]
    return message_json(workspace, message) | {
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": channel.slack_type,
    }


def changed_event(workspace: Workspace, message: Message, before: Json) -> Json:
    """The event of an edited message."""
    now = message_json(workspace, message)
    return _hidden(workspace, message.channel, "message_changed") | {"message": now, "previous_message": before}


def deleted_event(workspace: Workspace, channel: str, before: Json) -> Json:
    """The event of a deleted message."""
    hidden = _hidden(workspace, channel, "message_deleted")
    return hidden | {"previous_message": before, "deleted_ts": before["ts"]}


def _hidden(workspace: Workspace, channel: str, subtype: str) -> Json:
    ts = workspace.new_ts()
    return {
        "type": "message",
        "subtype": subtype,
        "channel": channel,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": workspace.channels[channel].slack_type,
    }


def interaction(workspace: Workspace, kind: str, user: str, **parts: Any) -> Json:
    """What every interaction payload has, and these parts."""
    name = workspace.name_of(user)
    return {
        "type": kind,
        "user": {"id": user, "username": user_name(name), "name": user_name(name), "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    } | parts


def slash_command(
    workspace: Workspace, user: str, channel: Channel, command: str, text: str, response_url: str
) -> Json:
    """What the app receives when a person types a command."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.kind == "dm" else channel.name,
        "user_id": user,
        "user_name": user_name(workspace.name_of(user)),
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.new_trigger(user),
    }


def action_ts() -> str:
    """The time of a press, as ``actions[].action_ts`` has it."""
    now = time.time_ns() // 1000
    return f"{now // 1_000_000}.{now % 1_000_000:06d}"
