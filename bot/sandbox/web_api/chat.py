"""``chat.*``: what the app writes, changes and takes back."""

import asyncio
from typing import Any, Literal

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.records import BOT_USER, Channel, Message, ScheduledMessage
from bot.sandbox.surfaces.messages import broadcast_reply, change, checked_blocks, delete, post
from bot.sandbox.surfaces.payloads import message_json
from bot.sandbox.validation.errors import Refused
from bot.sandbox.validation.metadata import check_metadata
from bot.sandbox.web_api.call import Call, method

_MOST_POSTED, _MOST_UPDATED = 40_000, 4_000
"""Characters of a posted text; bytes of an updated one, in UTF-8: people measured that Slack counts these there."""

_FARTHEST_SCHEDULED_SECONDS = 120 * 24 * 3600


@method("chat.postMessage", "chat:write")
def post_message(call: Call) -> Json:
    """Post a message, or a reply with ``thread_ts``, which ``reply_broadcast`` shows in the conversation too.

    Slack takes what is said to a deactivated person, as the maintainers of its SDK for Python confirm: their
    conversation is still there. Nobody reads it.
    """
    channel = _open_for_app(call, call.channel(user_ids=True))
    metadata, warning = _metadata(call)
    message = _post(call, channel, broadcast=call.flag("reply_broadcast"), metadata=metadata)
    if any(call.workspace.is_deactivated(user) for user in channel.members):
        call.workspace.traffic.add("warning", call.method, "nobody reads it", detail="the account is deactivated")
    return {"channel": channel.id, "ts": message.ts, "message": message_json(call.workspace, message)} | warning


@method("chat.update", "chat:write")
def update(call: Call) -> Json:
    """Change one of the app's own messages. Text without ``blocks`` takes the place of those it has.

    Its metadata stays as it is where none is given; an empty object removes it.

    ``reply_broadcast`` brings a reply into the conversation, and nothing new may come with it.
    """
    message = _own_message(call, "cant_update_message")
    if call.flag("reply_broadcast") and not message.broadcast:
        return _broadcast(call, message)
    text, blocks = _content(call, _MOST_UPDATED, "bytes")
    metadata, warning = _metadata(call)
    if metadata is not None or call.arguments.get("metadata") in ({}, "{}"):
        message.metadata = metadata
    change(call.context, message, text, blocks, files=_file_ids(call))
    content = message_json(call.workspace, message)
    return {"channel": message.channel, "ts": message.ts, "text": content["text"], "message": content} | warning


@method("chat.delete", "chat:write")
def delete_message(call: Call) -> Json:
    """Delete one of the app's own messages."""
    message = _own_message(call, "cant_delete_message")
    delete(call.context, message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.scheduleMessage", "chat:write")
def schedule_message(call: Call) -> Json:
    """Check a message as if it were posted now, and post it later."""
    channel = _open_for_app(call, call.channel(user_ids=True))
    text, blocks = _content(call, _MOST_POSTED)
    post_at = call.required("post_at", "invalid_time")
    if not post_at.isdigit():
        raise Refused("invalid_time")
    ahead = int(post_at) - call.workspace.clock
    if ahead <= 0:
        raise Refused("time_in_past")
    if ahead > _FARTHEST_SCHEDULED_SECONDS:
        raise Refused("time_too_far")
    scheduled_id = call.workspace.new_id("Q")
    call.workspace.scheduled[scheduled_id] = ScheduledMessage(channel.id, text, blocks, int(post_at))
    asyncio.get_running_loop().call_later(ahead, _post_scheduled, call.context, scheduled_id)
    message = Message("", channel.id, BOT_USER, text, blocks)
    content = message_json(call.workspace, message) | {"type": "delayed_message"}
    del content["ts"]
    return {"channel": channel.id, "scheduled_message_id": scheduled_id, "post_at": int(post_at), "message": content}


@method("chat.deleteScheduledMessage", "chat:write")
def delete_scheduled_message(call: Call) -> Json:
    """Delete a message that is not posted yet, and will not be within a minute."""
    channel = call.channel(user_ids=True)
    scheduled_id = call.required("scheduled_message_id")
    message = call.workspace.scheduled.get(scheduled_id)
    if message is None or message.channel != channel.id or message.post_at - call.workspace.clock < 60:
        raise Refused("invalid_scheduled_message_id")
    del call.workspace.scheduled[scheduled_id]
    return {}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(call: Call) -> Json:
    """Show a message to one person of a conversation."""
    channel = _open_for_app(call, call.channel(user_ids=True))
    user = call.required("user")
    if user not in call.workspace.members:
        raise Refused("user_not_found")
    if user not in channel.members or call.workspace.is_deactivated(user):
        raise Refused("user_not_in_channel")
    return {"message_ts": _post(call, channel, visible_to=user).ts}


@method("chat.getPermalink")
def get_permalink(call: Call) -> Json:
    """The address of a message in the page."""
    channel = call.channel()
    message = call.workspace.message(channel.id, call.required("message_ts", "message_not_found"))
    if message is None:
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": f"{call.context.url}/#/{channel.id}/{message.ts}"}


def _post_scheduled(context: Context, scheduled_id: str) -> None:
    message = context.workspace.scheduled.pop(scheduled_id, None)
    if message is not None:
        post(context, message.channel, BOT_USER, message.text, blocks=message.blocks)


def _broadcast(call: Call, message: Message) -> Json:
    if message.thread_ts is None:
        raise Refused("cant_broadcast_message")
    if call.text("text") or call.structure("blocks", "invalid_blocks_format"):
        raise Refused("no_dual_broadcast_content_update")
    broadcast_reply(call.context, message)
    content = message_json(call.workspace, message)
    return {"channel": message.channel, "ts": message.ts, "text": content["text"], "message": content}


def _file_ids(call: Call) -> list[str]:
    """The files that ``file_ids`` names: as JSON, or separated by commas."""
    given = call.arguments.get("file_ids") or []
    if isinstance(given, str):
        given = call.structure("file_ids", "invalid_arguments") if given.startswith("[") else given.split(",")
    if not isinstance(given, list):
        raise Refused("invalid_arguments", ["[ERROR] must be an array [json-pointer:/file_ids]"])
    return [str(each) for each in given]


def _post(
    call: Call,
    channel: Channel,
    *,
    broadcast: bool = False,
    visible_to: str | None = None,
    metadata: Json | None = None,
) -> Message:
    """Post what a call says."""
    text, blocks = _content(call, _MOST_POSTED)
    return post(
        call.context,
        channel.id,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=call.optional("thread_ts"),
        broadcast=broadcast,
        visible_to=visible_to,
        metadata=metadata,
    )


def _metadata(call: Call) -> tuple[Json | None, Json]:
    """The metadata of a message, and what the answer says about it: Slack ignores some, and warns of it."""
    metadata, warnings = check_metadata(call.structure("metadata", "invalid_metadata_format"))
    if not warnings:
        return metadata, {}
    return None, {"warning": ",".join(warnings), "response_metadata": {"warnings": warnings}}


def _open_for_app(call: Call, channel: Channel) -> Channel:
    if channel.kind == "dm" and not call.workspace.manifest.messages_tab:
        raise Refused("messages_tab_disabled")
    return channel


def _own_message(call: Call, not_own: str) -> Message:
    channel = call.channel()
    message = call.workspace.message(channel.id, call.required("ts", "message_not_found"))
    if message is None or message.visible_to is not None:
        raise Refused("message_not_found")
    if message.user != BOT_USER:
        raise Refused(not_own)
    return message


def _content(
    call: Call, most: int, unit: Literal["characters", "bytes"] = "characters"
) -> tuple[str, list[Json] | None]:
    text = call.text("text")
    given: Any = call.structure("blocks", "invalid_blocks_format")
    if not text and not given:
        raise Refused("no_text")
    if len(text if unit == "characters" else text.encode()) > most:
        raise Refused("msg_too_long", [f"[ERROR] must be less than {most + 1} {unit} [json-pointer:/text]"])
    blocks = checked_blocks(call.workspace, given, text)
    if blocks is not None and not text:
        # Slack posts it, but notifications and screen readers then say next to nothing.
        call.workspace.traffic.add("warning", call.method, "no text", detail="blocks without text beside them")
    return text, blocks
