"""Modals and Home tabs: opening, pushing, updating, publishing and closing views by Slack's rules."""

import secrets
import time
from typing import Any, Literal

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.inputs import state_of
from bot.sandbox.state.records import View
from bot.sandbox.state.workspace import Workspace
from bot.sandbox.surfaces.messages import findings, with_ids
from bot.sandbox.validation.blocks import check_view, too_large
from bot.sandbox.validation.errors import Refused

MOST_ON_STACK = 3


def open_modal(context: Context, trigger_id: str, content: Any) -> View:
    """Exchange a trigger for a new modal; whatever the person had open goes.

    Raises:
        Refused: The view is wrong, or the trigger is unknown, too old or was used before.
    """
    workspace = context.workspace
    view = _new_view(workspace, content, "modal")
    view.user = _exchange(workspace, trigger_id)
    for each in workspace.stack(view.user):
        workspace.views.pop(each.id, None)
    workspace.stacks[view.user] = []
    return _put_on_top(workspace, view)


def push_modal(context: Context, trigger_id: str, content: Any) -> View:
    """Exchange a trigger that came from a modal for one more on top of it.

    Raises:
        Refused: As :func:`open_modal`; ``push_limit_reached`` over three views.
    """
    workspace = context.workspace
    view = _new_view(workspace, content, "modal")
    trigger = workspace.triggers.get(trigger_id)
    stack = workspace.stack(trigger.user) if trigger is not None else []
    if trigger is not None and (trigger.view_id is None or not stack):
        raise Refused("no_active_view")
    if len(stack) >= MOST_ON_STACK:
        raise Refused("push_limit_reached")
    view.user = _exchange(workspace, trigger_id)
    return _put_on_top(workspace, view)


def push_on_submission(context: Context, user: str, content: Any) -> View:
    """The answer ``push`` to a submission: one more modal, without a trigger.

    Raises:
        Refused: The view is wrong, or there are three already.
    """
    workspace = context.workspace
    view = _new_view(workspace, content, "modal")
    if len(workspace.stack(user)) >= MOST_ON_STACK:
        raise Refused("push_limit_reached")
    view.user = user
    return _put_on_top(workspace, view)


def update_view(context: Context, view: View, content: Any, known_hash: str | None = None) -> View:
    """Replace a view's content. Inputs with the same ids keep what was entered.

    Raises:
        Refused: The view is wrong; ``hash_conflict`` if it changed since ``known_hash``.
    """
    workspace = context.workspace
    fresh = _new_view(workspace, content, view.type, replaces=view)
    if known_hash is not None and known_hash != view.hash:
        raise Refused("hash_conflict")
    view.content, view.hash, view.errors = fresh.content, fresh.hash, {}
    view.values = state_of(view.blocks, view.values)
    workspace.views_changed(view)
    return view


def publish_home(context: Context, user: str, content: Any, known_hash: str | None = None) -> View:
    """Set a person's Home tab.

    Raises:
        Refused: ``user_not_found``, ``not_enabled``, ``hash_conflict``, or the view is wrong.
    """
    workspace = context.workspace
    if user not in workspace.members:
        raise Refused("user_not_found")
    if not workspace.manifest.home_tab:
        raise Refused("not_enabled")
    if (home := workspace.home(user)) is not None:
        return update_view(context, home, content, known_hash)
    view = _new_view(workspace, content, "home")
    view.user = user
    workspace.views[view.id] = view
    workspace.homes[user] = view.id
    workspace.views_changed(view)
    return view


def find_view(workspace: Workspace, view_id: str | None, external_id: str | None) -> View:
    """The view that ``views.update`` means.

    Raises:
        Refused: ``not_found``: it was closed, or never there.
    """
    for view in workspace.views.values():
        if view.id == view_id or (external_id and view.content.get("external_id") == external_id):
            return view
    raise Refused("not_found")


def _put_on_top(workspace: Workspace, view: View) -> View:
    stack = workspace.stack(view.user)
    view.previous_id = stack[-1].id if stack else None
    view.root_id = stack[0].root_id if stack else view.id
    workspace.views[view.id] = view
    workspace.stacks.setdefault(view.user, []).append(view.id)
    workspace.views_changed(view)
    return view


def _new_view(workspace: Workspace, content: Any, kind: Literal["modal", "home"], replaces: View | None = None) -> View:
    if isinstance(content, dict) and too_large(content):
        raise Refused("view_too_large")
    if errors := check_view(content, kind, findings(workspace)):
        raise Refused("invalid_arguments", errors)
    external_id = content.get("external_id")
    others = (view for view in workspace.views.values() if view is not replaces)
    if external_id and any(view.content.get("external_id") == external_id for view in others):
        raise Refused("duplicate_external_id")
    checked: Json = {**content, "blocks": with_ids(content["blocks"])}
    view_hash = f"{int(time.time())}.{secrets.token_hex(4)}"
    return View(workspace.new_id("V"), "", kind, checked, view_hash, state_of(checked["blocks"]))


def _exchange(workspace: Workspace, trigger_id: str) -> str:
    trigger = workspace.triggers.get(trigger_id)
    if trigger is None:
        raise Refused("invalid_trigger_id")
    if trigger.exchanged:
        raise Refused("exchanged_trigger_id")
    if time.monotonic() > trigger.expires:
        raise Refused("expired_trigger_id")
    trigger.exchanged = True
    return trigger.user
