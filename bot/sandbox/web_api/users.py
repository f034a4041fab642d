"""``auth.test``, ``apps.connections.open``, ``users.*``, ``usergroups.*``: who the app is, who the people are."""

from bot.sandbox.json_types import Json
from bot.sandbox.state.records import APP_ID, BOT_ID, BOT_USER, GROUPS, TEAM_DOMAIN, TEAM_ID
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
    """Describe one person."""
    user = call.required("user", "user_not_found")
    if user != BOT_USER and user not in call.workspace.members:
        raise Refused("user_not_found")
    return {"user": user_json(call.workspace, user)}


@method("usergroups.users.list", "usergroups:read")
def group_members(call: Call) -> Json:
    """The ids of everybody in a user group."""
    role = GROUPS.get(call.required("usergroup", "no_such_subteam"))
    if role is None:
        raise Refused("no_such_subteam")
    return {"users": [member.id for member in call.workspace.members.values() if member.role == role]}
