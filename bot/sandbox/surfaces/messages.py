"""Posting, changing and deleting messages, for people and for the app, and the events that the app gets."""

import copy
import secrets
import string
import time
from collections.abc import Iterable
from typing import Any

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.inputs import state_of
from bot.sandbox.state.pictures import file_ids
from bot.sandbox.state.records import BOT_USER, Message
from bot.sandbox.state.workspace import Workspace
from bot.sandbox.surfaces.payloads import changed_event, deleted_event, message_event, message_json, view_json
from bot.sandbox.validation.block_elements import Findings
from bot.sandbox.validation.blocks import characters, check_blocks
from bot.sandbox.validation.errors import Refused

_ID_LETTERS = string.ascii_letters + string.digits


def findings(workspace: Workspace) -> Findings:
    """A fresh list of findings that knows this workspace's files and rules."""

    def file_kind(file_id: str) -> str | None:
        file = workspace.files.get(file_id)
        return None if file is None else file.mimetype

    return Findings(file_kind, charts=not workspace.rules.refuse_charts)


def with_ids(blocks: list[Json]) -> list[Json]:
    """A copy of checked blocks in which every block and element has its id, as Slack fills them in."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        _fill_in(block)
    return blocks


def _fill_in(block: Json) -> None:
    block["block_id"] = block.get("block_id") or _short_id()
    for child in block.get("child_blocks", []):
        _fill_in(child)
    candidates = [block.get("accessory"), block.get("element")]
    if block["type"] in {"actions", "context_actions"}:
        candidates += block["elements"]
    for element in candidates:
        if isinstance(element, dict) and element.get("type") != "image":
            element["action_id"] = element.get("action_id") or _short_id()
    _complete_texts(block)


def _complete_texts(part: Any) -> None:
    if isinstance(part, list):
        for each in part:
            _complete_texts(each)
    elif isinstance(part, dict):
        if part.get("type") == "plain_text":
            part.setdefault("emoji", True)
        elif part.get("type") == "mrkdwn":
            part.setdefault("verbatim", False)
        for each in part.values():
            _complete_texts(each)


def _short_id() -> str:
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(5))


def checked_blocks(workspace: Workspace, blocks: Any, text: str) -> list[Json] | None:
    """Check the blocks of a message with this text.

    Returns:
        The blocks with all ids, ``None`` where the message has no blocks.

    Raises:
        Refused: ``invalid_blocks``, with what is wrong; ``msg_blocks_too_long``, and Slack does not say by how much.
    """
    if blocks is None or blocks == []:
        return None
    if errors := check_blocks(blocks, "message", findings(workspace)):
        raise Refused("invalid_blocks", errors)
    kept = with_ids(blocks)
    if characters(text, kept) > workspace.rules.message_characters:
        raise Refused("msg_blocks_too_long")
    return kept


def post(
    context: Context,
    channel: str,
    user: str,
    text: str,
    *,
    blocks: list[Json] | None = None,
    thread_ts: str | None = None,
    broadcast: bool = False,
    visible_to: str | None = None,
    files: tuple[str, ...] = (),
    client_msg_id: str | None = None,
    metadata: Json | None = None,
) -> Message:
    """Put a new message into a conversation; ``blocks`` must have been checked.

    As in Slack, ``broadcast`` means nothing for a message that is no reply, everybody in the conversation may see the
    files that the message shows, and an ephemeral reply shows only in a thread in which there is a reply already.

    Raises:
        Refused: ``thread_not_found``: there is no message to reply to.
    """
    workspace = context.workspace
    if thread_ts is not None:
        parent = workspace.messages[channel].get(thread_ts)
        if parent is None or parent.visible_to is not None:
            raise Refused("thread_not_found")
        thread_ts = parent.thread_ts or parent.ts
    message = Message(
        ts=workspace.new_ts(),
        channel=channel,
        user=user,
        text=text,
        blocks=blocks,
        thread_ts=thread_ts,
        broadcast=broadcast and thread_ts is not None,
        visible_to=visible_to,
        files=files,
        client_msg_id=client_msg_id,
        metadata=metadata,
        values=state_of(blocks or []),
    )
    workspace.show_files(message, [*files, *file_ids(blocks)])
    if visible_to is not None and thread_ts is not None and not workspace.replies(channel, thread_ts):
        workspace.traffic.add(
            "warning", "ephemeral message", "not shown", detail="nobody has replied in its thread yet"
        )
        return message
    workspace.add_message(message)
    if thread_ts is not None:
        workspace.message_changed(workspace.messages[channel][thread_ts])
    if user != BOT_USER and message.in_conversation:
        workspace.read_until[user, channel] = message.ts
    if visible_to is None:
        _send_event(context, channel, message_event(workspace, message))
    return message


def change(
    context: Context, message: Message, text: str, blocks: list[Json] | None, *, files: Iterable[str] = ()
) -> None:
    """Replace a message's text and (checked) blocks. Inputs with the same ids keep what was entered.

    As in Slack, a message with blocks is not marked as edited, and a file in them that no posted message showed before
    stays hidden from readers.

    Args:
        context: Where.
        message: Which.
        text: Its new text.
        blocks: Its new blocks.
        files: What ``file_ids`` names.
    """
    before, rules = message_json(context.workspace, message), context.workspace.rules
    if rules.update_shows_new_files:
        context.workspace.show_files(message, file_ids(blocks))
    if rules.file_ids_show:
        context.workspace.show_files(message, files)
    message.text, message.blocks = text, blocks
    message.values = state_of(blocks or [], message.values)
    message.edited = None if blocks else context.workspace.new_ts()
    context.workspace.message_changed(message)
    if message.visible_to is None:
        _send_event(context, message.channel, changed_event(context.workspace, message, before))


def broadcast_reply(context: Context, message: Message) -> None:
    """Show a reply that is in its thread already in the conversation too, at its own time."""
    before = message_json(context.workspace, message)
    message.broadcast = True
    context.workspace.message_changed(message)
    _send_event(context, message.channel, changed_event(context.workspace, message, before))


def delete(context: Context, message: Message) -> None:
    """Take a message away."""
    before = message_json(context.workspace, message)
    context.workspace.delete_message(message)
    parent = context.workspace.messages[message.channel].get(message.thread_ts or "")
    if parent is not None:
        context.workspace.message_changed(parent)
    if message.visible_to is None:
        _send_event(context, message.channel, deleted_event(context.workspace, message.channel, before))


def open_app(context: Context, user: str, tab: str) -> None:
    """A person looks at the app: at its ``home`` tab, or at its ``messages``."""
    workspace = context.workspace
    if "app_home_opened" not in workspace.manifest.events:
        return
    direct = workspace.direct_channel(user)
    event: Json = {"type": "app_home_opened", "user": user, "channel": direct.id if direct is not None else ""}
    event |= {"tab": tab, "event_ts": f"{time.time():.6f}"}
    if tab == "home" and (home := workspace.home(user)) is not None:
        event["view"] = view_json(home)
    context.socket_mode.send_event(event)


def _send_event(context: Context, channel: str, event: Json) -> None:
    conversation = context.workspace.channels[channel]
    subscription = {"im": "message.im", "channel": "message.channels", "group": "message.groups"}[
        conversation.slack_type
    ]
    # The app also hears of its own messages and changes: Slack does the same, and Bolt ignores most of them.
    if BOT_USER in conversation.members and subscription in context.workspace.manifest.events:
        context.socket_mode.send_event(event)
