"""The human side: what the page and :class:`bot.sandbox.client.person.Person` ask for and do, as JSON over HTTP.

Every answer to something that cannot be done is HTTP 4xx with ``{"ok": false, "error": "a sentence"}``.
"""

import json
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.server.access import Access
from bot.sandbox.server.human_json import conversation_json, message_json, view_json
from bot.sandbox.state.inputs import NotPossible
from bot.sandbox.state.people import Member
from bot.sandbox.state.records import APP_ID, BOT_USER, Channel, Message, View
from bot.sandbox.surfaces import interactions, messages
from bot.sandbox.surfaces.escaping import escape
from bot.sandbox.surfaces.interactions import Change, Outcome
from bot.sandbox.surfaces.payloads import with_mentions
from bot.sandbox.validation.errors import Refused

_PAGE = Path(__file__).parents[1] / "page"
_LONGEST_WAIT = 60.0
_UNACKNOWLEDGED = 200
"""The status of an answer that tells of the app's failure: the request itself was right."""


class HumanSide:
    """The handlers. ``add_routes`` puts them into the server."""

    def __init__(self, context: Context, access: Access) -> None:
        self._context, self._access = context, access
        self._workspace = context.workspace

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register everything under ``/``, ``/page`` and ``/ui``."""
        get, post = router.add_get, router.add_post
        get("/", self._index)
        if _PAGE.is_dir():
            router.add_static("/page", _PAGE)
        get("/ui/people", self._people)
        post("/ui/people", _refused_in_words(self._join))
        get("/ui/traffic", self._traffic)
        get("/ui/{user}/conversations", _refused_in_words(self._conversations))
        get("/ui/{user}/messages", _refused_in_words(self._messages))
        post("/ui/{user}/messages", _refused_in_words(self._write))
        router.add_patch("/ui/{user}/messages/{ts}", _refused_in_words(self._edit))
        router.add_delete("/ui/{user}/messages/{ts}", _refused_in_words(self._delete))
        post("/ui/{user}/read", _refused_in_words(self._read))
        get("/ui/{user}/home", _refused_in_words(self._home))
        post("/ui/{user}/home/opened", _refused_in_words(self._home_opened))
        post("/ui/{user}/command", _refused_in_words(self._command))
        post("/ui/{user}/act", _refused_in_words(self._act))
        get("/ui/{user}/views", _refused_in_words(self._views))
        post("/ui/{user}/views/{id}/input", _refused_in_words(self._input))
        post("/ui/{user}/views/{id}/submit", _refused_in_words(self._submit))
        post("/ui/{user}/views/{id}/close", _refused_in_words(self._close))
        get("/ui/{user}/changes", _refused_in_words(self._changes))

    async def _index(self, request: web.Request) -> web.StreamResponse:
        if (answer := self._access.opens(request)) is not None:
            return answer
        page = _PAGE / "index.html"
        return web.FileResponse(page) if page.is_file() else web.Response(text="The page is not installed.")

    async def _people(self, _request: web.Request) -> web.Response:
        members = self._workspace.members.values()
        return web.json_response({"people": [_member_json(each) for each in members]})

    async def _join(self, request: web.Request) -> web.Response:
        name = str((await _body(request)).get("name") or "").strip()
        if not 0 < len(name) <= 80:
            raise NotPossible("A new person needs a name of at most 80 characters.")
        member = self._workspace.join(Member(name))
        return web.json_response({"ok": True} | _member_json(member))

    async def _traffic(self, request: web.Request) -> web.Response:
        entries = self._workspace.traffic.since(int(_number(request, "after")))
        return web.json_response(
            {"now": self._workspace.traffic.now, "entries": [entry.as_json() for entry in entries]}
        )

    async def _conversations(self, request: web.Request) -> web.Response:
        user, manifest = self._user(request), self._workspace.manifest
        shown = [
            conversation_json(self._workspace, each, user)
            for each in self._workspace.channels.values()
            if user in each.members
        ]
        commands = [
            {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
            for each in manifest.commands or ()
        ]
        app = {"name": manifest.app_name, "id": APP_ID, "bot_user": BOT_USER, "home_tab": manifest.home_tab}
        return web.json_response(
            {
                "conversations": shown,
                "commands": commands,
                "app": app,
            }
        )

    async def _messages(self, request: web.Request) -> web.Response:
        user = self._user(request)
        channel = self._channel(user, request.query.get("channel", ""))
        replies = self._workspace.reply_counts(channel.id)
        visible = self._workspace.visible(channel.id, user, opened=_number(request, "opened", math.inf))
        shown = [message_json(self._workspace, each, user) | {"reply_count": replies[each.ts]} for each in visible]
        return web.json_response({"messages": shown})

    async def _write(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        channel, manifest = self._channel(user, str(body.get("channel") or "")), self._workspace.manifest
        if channel.kind == "dm" and (manifest.messages_read_only or not manifest.messages_tab):
            raise NotPossible("Sending messages to this app has been turned off.")
        message = messages.post(
            self._context,
            channel.id,
            user,
            self._written(body),
            thread_ts=body.get("thread_ts") or None,
            client_msg_id=str(uuid4()),
        )
        return web.json_response({"ok": True, "ts": message.ts})

    async def _edit(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        message = self._own_message(request, user, str(body.get("channel") or ""))
        messages.change(self._context, message, self._written(body), None)
        return web.json_response({"ok": True})

    async def _delete(self, request: web.Request) -> web.Response:
        user = self._user(request)
        messages.delete(self._context, self._own_message(request, user, request.query.get("channel", "")))
        return web.json_response({"ok": True})

    async def _read(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        channel = self._channel(user, str(body.get("channel") or ""))
        visible = self._workspace.visible(channel.id, user)
        if visible:
            self._workspace.read_until[user, channel.id] = visible[-1].ts
            self._workspace.changes.add("conversations", audience=frozenset({user}))
        return web.json_response({"ok": True})

    async def _home(self, request: web.Request) -> web.Response:
        home = self._workspace.home(self._user(request))
        return web.json_response({"view": None if home is None else view_json(self._workspace, home)})

    async def _home_opened(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        messages.open_app(self._context, user, "messages" if body.get("tab") == "messages" else "home")
        return web.json_response({"ok": True})

    async def _command(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        channel = self._channel(user, str(body.get("channel") or ""))
        name, text = str(body.get("command") or ""), str(body.get("text") or "")
        if body.get("thread_ts"):
            raise NotPossible(f"{name} is not supported in threads. Sorry!")
        return _outcome(await interactions.command(self._context, user, channel, name, text))

    async def _act(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        container, change = body.get("container") or {}, _change(body)
        if container.get("type") == "view":
            view = self._view_of(user, str(container.get("view_id") or ""))
            return _outcome(await interactions.act_on_view(self._context, user, view, change))
        channel = self._channel(user, str(container.get("channel") or ""))
        message = self._workspace.message(channel.id, str(container.get("ts") or ""))
        if message is None or message.visible_to not in {None, user}:
            raise NotPossible("This message was deleted.")
        return _outcome(await interactions.act_on_message(self._context, user, message, change))

    async def _views(self, request: web.Request) -> web.Response:
        stack = self._workspace.stack(self._user(request))
        return web.json_response({"views": [view_json(self._workspace, each) for each in stack]})

    async def _input(self, request: web.Request) -> web.Response:
        user = self._user(request)
        view = self._view_of(user, request.match_info["id"])
        return _outcome(await interactions.act_on_view(self._context, user, view, _change(await _body(request))))

    async def _submit(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        view = self._view_of(user, request.match_info["id"])
        interactions.enter(view, body.get("values") or {})
        outcome = await interactions.submit(self._context, user, view)
        return _outcome(outcome, closed=outcome.closed)

    async def _close(self, request: web.Request) -> web.Response:
        user, body = self._user(request), await _body(request)
        view = self._view_of(user, request.match_info["id"])
        await interactions.close(self._context, user, view, everything=bool(body.get("all")))
        return web.json_response({"ok": True})

    async def _changes(self, request: web.Request) -> web.Response:
        user, changes = self._user(request), self._workspace.changes
        after, wait = int(_number(request, "after")), min(_number(request, "wait", 25), _LONGEST_WAIT)
        found = [] if after < 0 else await changes.wait(after, user, wait)
        return web.json_response({"now": changes.now, "changes": [each.as_json() for each in found]})

    def _written(self, body: Json) -> str:
        text = str(body.get("text") or "").strip()
        if not 0 < len(text) <= 12_000:
            raise NotPossible("A message has between 1 and 12,000 characters.")
        return with_mentions(self._workspace, escape(text), names=False)

    def _user(self, request: web.Request) -> str:
        user = request.match_info["user"]
        if user not in self._workspace.members:
            raise NotPossible(f"Nobody in this workspace is {user}.")
        if not self._workspace.members[user].is_present:
            raise NotPossible(f"{self._workspace.name_of(user)} cannot use this workspace.")
        return user

    def _channel(self, user: str, channel_id: str) -> Channel:
        channel = self._workspace.channels.get(channel_id)
        if channel is None or user not in channel.members:
            raise NotPossible("This conversation does not exist, or this person is not in it.")
        return channel

    def _own_message(self, request: web.Request, user: str, channel_id: str) -> Message:
        message = self._workspace.message(self._channel(user, channel_id).id, request.match_info["ts"])
        if message is None or message.user != user:
            raise NotPossible("Only one's own messages can be changed, while they are there.")
        return message

    def _view_of(self, user: str, view_id: str) -> View:
        view = self._workspace.views.get(view_id)
        if view is None or view.user != user:
            raise NotPossible("This view was closed.")
        return view


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _refused_in_words(handler: _Handler) -> _Handler:
    """Answer what is not possible with a sentence."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotPossible as refusal:
            return web.json_response({"ok": False, "error": str(refusal)}, status=409)
        except Refused as refusal:
            return web.json_response({"ok": False, "error": f"Slack would refuse this: {refusal}."}, status=409)

    return guarded


def _outcome(outcome: Outcome, **more: Any) -> web.Response:
    if outcome.ok:
        return web.json_response({"ok": True} | more)
    told: Json = {"errors": outcome.errors} if outcome.errors else {"error": outcome.error}
    return web.json_response({"ok": False} | told, status=_UNACKNOWLEDGED)


def _change(body: Json) -> Change:
    element = body.get("element")
    if element is not None and not isinstance(element, dict):
        raise NotPossible("The state of an element is an object.")
    return Change(str(body.get("block_id") or ""), str(body.get("action_id") or ""), element)


def _member_json(member: Member) -> Json:
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role,
        "kind": member.kind,
        "present": member.is_present,
    }


async def _body(request: web.Request) -> Json:
    try:
        content = json.loads(await request.text() or "{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NotPossible("The request's body is not a JSON object.")
    return content


def _number(request: web.Request, name: str, default: float = 0) -> float:
    try:
        return float(request.query.get(name, default))
    except ValueError:
        raise NotPossible(f"{name} must be a number.") from None
