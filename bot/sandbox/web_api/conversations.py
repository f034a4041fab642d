"""``conversations.*``: the conversations that the app is in, who else is, and what was said."""

from bot.sandbox.json_types import Json
from bot.sandbox.state.people import NO_CONVERSATION
from bot.sandbox.state.records import BOT_USER, Channel, Message
from bot.sandbox.surfaces.payloads import channel_json, message_json
from bot.sandbox.validation.errors import Refused
from bot.sandbox.web_api.call import Call, method

_READ = ("channels:read", "groups:read", "im:read")
_HISTORY = ("channels:history", "groups:history", "im:history")


@method("conversations.open", "im:write", "mpim:write", "channels:manage", "groups:write")
def open_conversation(call: Call) -> Json:
    """Open (or find) the direct conversation with one person.

    Raises:
        Refused: There can be no conversation with this person, as :data:`bot.sandbox.state.people.NO_CONVERSATION`
            says.
    """
    users = [each for each in call.text("users").split(",") if each]
    if channel_id := call.optional("channel"):
        channel = call.workspace.channels.get(channel_id)
        if channel is None or channel.kind != "dm":
            raise Refused("channel_not_found")
        users = [_person_in(channel)]
    if not users:
        raise Refused("users_list_not_supplied")
    if len(users) > 1:
        raise Refused("missing_scope", needed="mpim:write", provided="im:write")
    if users[0] == BOT_USER:
        raise Refused("cannot_dm_bot")
    member, channel = call.workspace.members.get(users[0]), call.workspace.direct_channel(users[0])
    if member is None or (channel is None and member.is_present):
        raise Refused("user_not_found")
    if channel is None or not member.is_present:
        raise Refused(NO_CONVERSATION[member.kind])
    content = _described(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"no_op": True, "already_open": True, "channel": content}


@method("conversations.info", *_READ)
def info(call: Call) -> Json:
    """Describe one conversation."""
    return {"channel": _described(call, _readable(call, "read"))}


@method("conversations.members", *_READ)
def members(call: Call) -> Json:
    """The ids of everybody in a conversation."""
    channel = _readable(call, "read")
    page, cursor = call.page([{"id": user} for user in sorted(channel.members)])
    return {"members": [each["id"] for each in page], "response_metadata": {"next_cursor": cursor}}


@method("conversations.list", *_READ)
def list_conversations(call: Call) -> Json:
    """The conversations of the asked ``types`` that the app may see."""
    types = set((call.text("types") or "public_channel").split(","))
    names = {"im": "im", "channel": "public_channel", "group": "private_channel"}
    found = [
        _described(call, channel)
        for channel in call.workspace.channels.values()
        if names[channel.slack_type] in types and (channel.slack_type == "channel" or BOT_USER in channel.members)
    ]
    page, cursor = call.page(found)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


@method("conversations.history", *_HISTORY)
def history(call: Call) -> Json:
    """The messages of a conversation, newest first, with those replies alone that were broadcast."""
    channel = _readable(call, "history")
    messages = call.workspace.visible(channel.id, BOT_USER)
    top = [each for each in reversed(messages) if each.in_conversation and not each.deleted]
    page, cursor = call.page([_as_json(call, each) for each in top if _in_range(call, each.ts)])
    return {"messages": page, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


@method("conversations.replies", *_HISTORY)
def replies(call: Call) -> Json:
    """A message and the replies to it, oldest first."""
    channel = _readable(call, "history")
    root = call.workspace.message(channel.id, call.required("ts", "thread_not_found"))
    if root is None or root.visible_to is not None:
        raise Refused("thread_not_found")
    found = [root, *(each for each in call.workspace.replies(channel.id, root.ts) if _in_range(call, each.ts))]
    page, cursor = call.page([_as_json(call, each) for each in found])
    return {"messages": page, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _as_json(call: Call, message: Message) -> Json:
    return message_json(call.workspace, message, all_metadata=call.flag("include_all_metadata"))


def _in_range(call: Call, ts: str) -> bool:
    oldest, latest = _time(call, "oldest", "0"), _time(call, "latest", "9999999999")
    if float(ts) in {oldest, latest}:
        return call.flag("inclusive")
    return oldest < float(ts) < latest


def _time(call: Call, name: str, default: str) -> float:
    try:
        return float(call.text(name) or default)
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None


def _readable(call: Call, action: str) -> Channel:
    channel = call.channel()
    family = {"im": "im", "channel": "channels", "group": "groups"}[channel.slack_type]
    if not call.workspace.manifest.grants(f"{family}:{action}"):
        provided = ",".join(sorted(call.workspace.manifest.scopes or ()))
        raise Refused("missing_scope", needed=f"{family}:{action}", provided=provided)
    return channel


def _described(call: Call, channel: Channel) -> Json:
    user = _person_in(channel) if channel.kind == "dm" else None
    return channel_json(channel, user, deactivated=user is not None and call.workspace.is_deactivated(user))


def _person_in(channel: Channel) -> str:
    return next(user for user in channel.members if user != BOT_USER)
