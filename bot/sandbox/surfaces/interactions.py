"""What a person does with blocks and commands: it is sent to the app, and the person is told when nobody answered."""

import time
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.connection.context import Context
from bot.sandbox.connection.socket_mode import NotAcknowledged, NotConnected
from bot.sandbox.json_types import Json, Values
from bot.sandbox.state.inputs import FIELDS, NotPossible, changed, client_errors, find
from bot.sandbox.state.records import Channel, Message, ResponseUrl, View
from bot.sandbox.surfaces.escaping import escape, texts_sent_back
from bot.sandbox.surfaces.modals import push_on_submission, update_view
from bot.sandbox.surfaces.payloads import (
    action_ts,
    interaction,
    message_json,
    slash_command,
    view_json,
    with_mentions,
)
from bot.sandbox.surfaces.responses import respond
from bot.sandbox.validation.block_elements import options_of
from bot.sandbox.validation.errors import Refused

NO_ANSWER = "We had some trouble connecting. Try again?"
"""What Slack shows in a modal whose submission went wrong."""


@dataclass(frozen=True)
class Outcome:
    """What the person sees after acting.

    Attributes:
        error: One sentence if the app did not acknowledge, or answered something that cannot be shown.
        errors: Sentences at the fields of a form, by ``block_id``.
        closed: Whether the modal is gone.
    """

    error: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    @property
    def ok(self) -> bool:
        """Whether the app accepted everything."""
        return not self.error and not self.errors


@dataclass(frozen=True)
class Change:
    """What a person did to one element. ``element`` is its new state in Slack's form; a button has none."""

    block_id: str
    action_id: str
    element: Json | None = None


async def act_on_message(context: Context, user: str, message: Message, change: Change) -> Outcome:
    """Press or change an element of a message."""
    workspace = context.workspace
    found = _apply(change, message.blocks or [], message.values)
    if found is None:
        return Outcome()
    channel = workspace.channels[message.channel]
    thread_ts = message.thread_ts or (message.ts if workspace.replies(channel.id, message.ts) else None)
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    container["is_ephemeral"] = message.visible_to is not None
    if thread_ts is not None:
        container["thread_ts"] = thread_ts
    ticket = workspace.new_response_url(channel.id, user, message.ts)
    payload = interaction(
        workspace,
        "block_actions",
        user,
        container=container,
        trigger_id=workspace.new_trigger(user),
        channel={"id": channel.id, "name": "directmessage" if channel.kind == "dm" else channel.name},
        state={"values": texts_sent_back(message.values)},
        response_url=f"{context.url}/response/{ticket}",
        actions=[texts_sent_back(found)],
    )
    if message.visible_to is None:  # Slack does not send what an ephemeral message said.
        payload["message"] = message_json(workspace, message)
    return await _send_press(context, change.action_id, payload)


async def act_on_view(context: Context, user: str, view: View, change: Change) -> Outcome:
    """Press or change an element of a modal or the Home tab."""
    workspace = context.workspace
    found = _apply(change, view.blocks, view.values)
    view.errors.pop(change.block_id, None)
    if found is None:
        return Outcome()
    payload = interaction(
        workspace,
        "block_actions",
        user,
        container={"type": "view", "view_id": view.id},
        trigger_id=workspace.new_trigger(user, view.id if view.type == "modal" else None),
        view=view_json(view),
        actions=[found],
    )
    return await _send_press(context, change.action_id, payload)


def _apply(change: Change, blocks: list[Json], values: Values) -> Json | None:
    """Store the new state; the ``action`` to tell the app, or ``None`` where Slack says nothing yet."""
    located = find(blocks, change.block_id, change.action_id)
    if located is None:
        raise NotPossible("This element is not there any more: what it stood in was changed.")
    block, element = located
    action: Json = {"type": element["type"], "action_id": change.action_id, "block_id": change.block_id}
    if element["type"] in FIELDS:
        state = changed(element, change.element or {})
        values.setdefault(change.block_id, {})[change.action_id] = state
        action |= state
    elif element["type"] == "overflow":
        chosen = ((change.element or {}).get("selected_option") or {}).get("value")
        option = next((each for each in options_of(element) if each["value"] == chosen), None)
        if option is None:
            raise NotPossible("This option is not offered (any more).")
        action["selected_option"] = option
    for key in ("text", "value", "style", "placeholder", "confirm"):
        if key in element and key not in action:
            action[key] = element[key]
    silent = block["type"] == "input" and not block.get("dispatch_action", False)
    return None if silent else action | {"action_ts": action_ts()}


async def _send_press(context: Context, name: str, payload: Json) -> Outcome:
    if not context.workspace.manifest.interactive:
        return Outcome(error="This app is not configured to handle interactive responses.")
    try:
        await context.socket_mode.deliver("interactive", name, payload)
    except NotAcknowledged:
        return Outcome(error="This app responded with an error: it did not acknowledge in time. Please try again.")
    return Outcome()


async def submit(context: Context, user: str, view: View) -> Outcome:
    """Submit a modal with what is entered in it."""
    workspace = context.workspace
    if view.content.get("submit") is None:
        raise NotPossible("This modal has nothing to submit.")
    if view.submitting:
        raise NotPossible("This modal is being submitted already.")
    if errors := client_errors(view.blocks, view.values):
        view.errors = errors
        workspace.views_changed(view)
        return Outcome(errors=errors)
    view.submitting, view.errors = True, {}
    trigger_id = workspace.new_trigger(user, view.id)
    payload = interaction(
        workspace,
        "view_submission",
        user,
        trigger_id=trigger_id,
        view=view_json(view),
        response_urls=[],
    )
    name = str(view.content.get("callback_id") or "view_submission")
    try:
        answer = await context.socket_mode.deliver("interactive", name, payload)
        return _carry_out(context, user, view, answer or {})
    except NotAcknowledged:
        return Outcome(error=NO_ANSWER)
    except Refused as refusal:
        workspace.traffic.add("warning", name, "bad response_action", detail=str(refusal))
        return Outcome(error=NO_ANSWER)
    finally:
        view.submitting = False


def _carry_out(context: Context, user: str, view: View, answer: Json) -> Outcome:
    """What the acknowledgement of a submission asks for; an empty one closes the modal."""
    workspace = context.workspace
    action = answer.get("response_action")
    if action is None:
        workspace.close_views(user, [view])
        return Outcome(closed=True)
    if action == "clear":
        workspace.close_views(user, workspace.stack(user))
        return Outcome(closed=True)
    if action == "errors":
        view.errors = _checked_errors(view, answer.get("errors"))
        workspace.views_changed(view)
        return Outcome(errors=view.errors)
    if action == "update":
        update_view(context, view, answer.get("view"))
    elif action == "push":
        push_on_submission(context, user, answer.get("view"))
    else:
        raise Refused("invalid_arguments", [f"[ERROR] unknown response_action: {action}"])
    return Outcome()


def _checked_errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Refused("invalid_arguments", ["[ERROR] errors must name at least one block_id"])
    if strangers := sorted(errors.keys() - inputs):
        raise Refused("invalid_arguments", [f"[ERROR] no input block has this block_id: {', '.join(strangers)}"])
    return {block_id: str(text) for block_id, text in errors.items()}


async def close(context: Context, user: str, view: View, *, everything: bool = False) -> None:
    """Close a modal (and those above it), or all of them; the app hears of it if it asked to."""
    workspace = context.workspace
    stack = workspace.stack(user)
    cleared = everything or bool(view.content.get("clear_on_close"))
    gone = stack if cleared else stack[stack.index(view) :]
    payloads = [
        (str(each.content.get("callback_id") or "view_closed"), _closed_payload(context, user, each, cleared=cleared))
        for each in reversed(gone)
        if each.content.get("notify_on_close")
    ]
    workspace.close_views(user, gone)
    for name, payload in payloads:
        try:
            await context.socket_mode.deliver("interactive", name, payload)
        except NotAcknowledged as error:
            workspace.traffic.add("warning", name, "view_closed", detail=str(error))


def _closed_payload(context: Context, user: str, view: View, *, cleared: bool) -> Json:
    shown = view_json(view)
    return interaction(context.workspace, "view_closed", user, view=shown, is_cleared=cleared, response_urls=[])


async def command(context: Context, user: str, channel: Channel, name: str, text: str) -> Outcome:
    """Type a slash command; the acknowledgement may carry an answer."""
    workspace = context.workspace
    known = workspace.manifest.command(name)
    if known is None:
        return Outcome(error=f"{name} is not a valid command. In Slack, all words that start with “/” act as commands.")
    if known.should_escape:
        text = with_mentions(workspace, escape(text), names=True)
    ticket = workspace.new_response_url(channel.id, user)
    payload = slash_command(workspace, user, channel, name, text.strip(), f"{context.url}/response/{ticket}")
    try:
        answer = await context.socket_mode.deliver("slash_commands", name, payload)
    except NotConnected:
        return Outcome(error=f'{name} failed with the error "dispatch_failed"')
    except NotAcknowledged:
        return Outcome(error=f'{name} failed with the error "operation_timeout"')
    if answer is not None and (answer.get("text") or answer.get("blocks")):
        try:
            respond(context, ResponseUrl(channel.id, user, time.monotonic()), answer)
        except Refused as refusal:
            workspace.traffic.add("warning", name, "bad answer", detail=str(refusal))
            return Outcome(error=f'{name} failed with the error "dispatch_failed"')
    return Outcome()


def enter(view: View, values: Values) -> None:
    """Fill in a form all at once, without telling the app."""
    for block_id, actions in values.items():
        for action_id, element in actions.items():
            located = find(view.blocks, block_id, action_id)
            if located is None:
                raise NotPossible("This field is not there any more: the form was changed.")
            view.values.setdefault(block_id, {})[action_id] = changed(located[1], element)
