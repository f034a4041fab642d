"""``views.*``: modals and the Home tab."""

from bot.sandbox.json_types import Json
from bot.sandbox.surfaces.modals import find_view, open_modal, publish_home, push_modal, update_view
from bot.sandbox.surfaces.payloads import view_json
from bot.sandbox.web_api.call import Call, method


@method("views.open")
def open_view(call: Call) -> Json:
    """Open a modal for the person whose ``trigger_id`` this is."""
    view = open_modal(call.context, _trigger(call), call.structure("view", "invalid_arguments"))
    return {"view": view_json(view)}


@method("views.push")
def push_view(call: Call) -> Json:
    """Put one more modal on top of the one that the ``trigger_id`` came from."""
    view = push_modal(call.context, _trigger(call), call.structure("view", "invalid_arguments"))
    return {"view": view_json(view)}


@method("views.update")
def update(call: Call) -> Json:
    """Replace an open modal's content."""
    view = find_view(call.workspace, call.optional("view_id"), call.optional("external_id"))
    content = call.structure("view", "invalid_arguments")
    return {"view": view_json(update_view(call.context, view, content, call.optional("hash")))}


@method("views.publish")
def publish(call: Call) -> Json:
    """Set a person's Home tab."""
    content = call.structure("view", "invalid_arguments")
    view = publish_home(call.context, call.required("user_id"), content, call.optional("hash"))
    return {"view": view_json(view)}


def _trigger(call: Call) -> str:
    return call.optional("trigger_id") or call.required("interactivity_pointer")
