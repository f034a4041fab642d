"""``auth.test``, ``apps.connections.open``, ``users.*``, ``usergroups.*``: who the app is, who the people are."""

from bot.sandbox.json_types import Json
from bot.sandbox.state.people import GROUPS, Kind
from bot.sandbox.state.records import APP_ID, BOT_ID, BOT_USER, TEAM_DOMAIN, TEAM_ID
from bot.sandbox.surfaces.payloads import user_json, user_name
from bot.sandbox.validation.errors import Refused
from bot.sandbox.web_api.call import Call, method


@method("auth.test")
def auth_test(call: Call) -> Json:
    """Who the token belongs to."""
    return {
        "url": f"{call.context.url}/",
        "team": TEAM_DOMAIN,
        "user": user_name(call.workspace.manifest.app_name),
        "team_id": TEAM_ID,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", app_token=True)
def open_connection(call: Call) -> Json:
    """An address for one Socket Mode connection."""
    if not call.workspace.manifest.socket_mode:
        raise Refused("socket_mode_not_enabled")
    address = call.context.url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={call.context.socket_mode.new_ticket()}&app_id={APP_ID}"}


@method("users.info", "users:read")
def info(call: Call) -> Json:
    """Describe one person.

    Raises:
        Refused: ``user_not_found``; ``user_not_visible`` if the app is not allowed to see them.
    """
    user = call.required("user", "user_not_found")
    if user != BOT_USER and user not in call.workspace.members:
        raise Refused("user_not_found")
    if user != BOT_USER and call.workspace.members[user].kind is Kind.HIDDEN:
        raise Refused("user_not_visible")
    return {"user": user_json(call.workspace, user)}


@method("usergroups.users.list", "usergroups:read")
def group_members(call: Call) -> Json:
    """The ids of everybody in a user group; of deactivated people only with ``include_disabled``."""
    role = GROUPS.get(call.required("usergroup", "no_such_subteam"))
    if role is None:
        raise Refused("no_such_subteam")
    disabled = call.flag("include_disabled")
    members = [each for each in call.workspace.members.values() if each.role == role]
    return {"users": [each.id for each in members if disabled or not each.is_deactivated]}
