"""A person in the local workspace, as a small client: says things, presses buttons, fills in forms.

It speaks HTTP only, so it acts from any process: tests and simulated participants use it.
"""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bot.sandbox.client.screen import Conversation, Element, Message, View
from bot.sandbox.json_types import Json
from bot.sandbox.state.inputs import FIELDS
from bot.sandbox.validation.block_elements import options_of

_T = TypeVar("_T")

_REQUEST_SECONDS = 60.0
USUAL_PATIENCE = 30.0
"""Seconds for which a person waits, unless told otherwise: on a busy machine an answer takes a few."""

# What is waited for may also depend on things that the workspace does not announce, such as the app's own state.
_LONG_POLL_SECONDS = 1

Entered = str | int | float | list[str] | tuple[str, ...] | None
"""What a person puts into a field: text, a number, the text (or value) of an option, several of them, nothing."""


class WorkspaceError(Exception):
    """What the workspace tells a person who cannot do what they want, in its own sentence."""


class Person:
    """Somebody in the workspace.

    Args:
        url: The page's address with its key, such as ``http://127.0.0.1:8090/?key=…``.
        user: Their Slack user id.

    It is one client of theirs, open from now on: it shows the ephemeral messages that come until it is reloaded.

    Every method raises :class:`WorkspaceError` with the workspace's sentence when it refuses, or when the app did not
    acknowledge in time; those that wait raise :class:`TimeoutError` and say what was there instead.
    """

    def __init__(self, url: str, user: str) -> None:
        self.url, self.id = url, user
        parts = urlsplit(url)
        self._address, self._key = parts.netloc, "".join(parse_qs(parts.query).get("key", []))
        self._opened = time.time()

    def __repr__(self) -> str:
        return f"Person({self._address!r}, {self.id!r})"

    @property
    def name(self) -> str:
        """The name that others read."""
        return next(str(each["name"]) for each in self._call("GET", "/ui/people")["people"] if each["id"] == self.id)

    @cached_property
    def direct_channel(self) -> str:
        """The id of the conversation with the app."""
        return next(each.id for each in self.conversations() if each.kind == "dm")

    def conversations(self) -> tuple[Conversation, ...]:
        """The conversations that this person is in."""
        return tuple(Conversation(**each) for each in self._get("conversations")["conversations"])

    def messages(self, channel: str | None = None) -> tuple[Message, ...]:
        """What this person sees in a conversation (the one with the app), oldest first, threads included."""
        channel = channel or self.direct_channel
        answer = self._get("messages", channel=channel, opened=self._opened)
        return tuple(Message.read(channel, each) for each in answer["messages"])

    def reload(self) -> None:
        """Load the client anew: the ephemeral messages in it are gone."""
        self._opened = time.time()

    def thread(self, ts: str, channel: str | None = None) -> tuple[Message, ...]:
        """The replies to a message, oldest first."""
        return tuple(each for each in self.messages(channel) if each.thread_ts == ts and each.ts != ts)

    def message(self, ts: str, channel: str | None = None) -> Message | None:
        """The message of this time as it is now; ``None`` if it was deleted."""
        return next((each for each in self.messages(channel) if each.ts == ts and not each.deleted), None)

    def last_ephemeral(self, channel: str | None = None) -> Message | None:
        """The newest message that only this person sees."""
        return next((each for each in reversed(self.messages(channel)) if each.ephemeral), None)

    def say(self, text: str, *, thread_ts: str | None = None, channel: str | None = None) -> str:
        """Write a message, and get its ts."""
        body = {"channel": channel or self.direct_channel, "text": text, "thread_ts": thread_ts}
        return str(self._post("messages", body)["ts"])

    def edit(self, ts: str, text: str, channel: str | None = None) -> None:
        """Change one's own message."""
        body = {"channel": channel or self.direct_channel, "text": text}
        self._call("PATCH", f"/ui/{self.id}/messages/{ts}", body)

    def delete(self, ts: str, channel: str | None = None) -> None:
        """Take one's own message back."""
        query = urlencode({"channel": channel or self.direct_channel})
        self._call("DELETE", f"/ui/{self.id}/messages/{ts}?{query}")

    def read(self, channel: str | None = None) -> None:
        """Mark a conversation as read."""
        self._post("read", {"channel": channel or self.direct_channel})

    def command(
        self, command: str, text: str = "", channel: str | None = None, *, thread_ts: str | None = None
    ) -> None:
        """Type a slash command; Slack refuses one that is typed in a thread."""
        body = {"channel": channel or self.direct_channel, "command": command, "text": text, "thread_ts": thread_ts}
        self._post("command", body)

    def wait_for(
        self,
        expected: str | Callable[[Message], bool],
        timeout: float = USUAL_PATIENCE,
        *,
        channel: str | None = None,
        after: str = "",
    ) -> Message:
        """Wait for a message of the app.

        Args:
            expected: Words in it (anywhere: text, blocks, alt texts, file names), or a condition.
            timeout: Seconds.
            channel: The conversation; the one with the app if not given.
            after: Only messages later than this ts.

        Returns:
            The newest one that fits.
        """
        channel = channel or self.direct_channel
        messages: tuple[Message, ...] = ()

        def fits(message: Message) -> bool:
            if not message.bot or message.deleted or message.ts <= after:
                return False
            return expected in message.text_of_everything if isinstance(expected, str) else expected(message)

        def look() -> Message | None:
            nonlocal messages
            messages = self.messages(channel)
            return next((each for each in reversed(messages) if fits(each)), None)

        return self.wait_until(
            look, timeout, lambda: f"{expected!r}; the last messages are {[each.text for each in messages[-3:]]}"
        )

    def wait_until(
        self, look: Callable[[], _T | None], timeout: float = USUAL_PATIENCE, what: Callable[[], str] | None = None
    ) -> _T:
        """Wait until ``look`` finds something, looking again whenever anything changed for this person.

        Args:
            look: Returns what was waited for, or ``None`` (or anything false).
            timeout: Seconds.
            what: Says, for the error, what was waited for.
        """
        deadline = time.monotonic() + timeout
        now = int(self._get("changes", after=-1)["now"])
        while not (found := look()):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"{self.id} waited {timeout:g} s for {what() if what else 'something'}.")
            now = int(self._get("changes", after=now, wait=_LONG_POLL_SECONDS)["now"])
        return found

    def press(
        self,
        shown: Message | View,
        label_or_action_id: str,
        choice: str | None = None,
        *,
        confirm: bool = True,
    ) -> None:
        """Press a button, or choose in a select or menu that stands in a message, a modal or the Home tab.

        Args:
            shown: Where it stands, as this person saw it.
            label_or_action_id: What is on it, or its ``action_id``.
            choice: The text or value of the option, or the text to type; a button needs none.
            confirm: What to answer if the client asks whether one is sure; with ``False`` nothing is sent.
        """
        element = _element(shown, label_or_action_id)
        if element.has_confirm and not confirm:
            return
        container: Json = {"type": "view", "view_id": shown.id} if isinstance(shown, View) else {}
        if isinstance(shown, Message):
            container = {"type": "message", "channel": shown.channel, "ts": shown.ts}
        body: Json = {"container": container, "block_id": element.block_id, "action_id": element.action_id}
        if element.type != "button":
            body["element"] = _state(element, choice)
        self._post("act", body)

    def views(self) -> tuple[View, ...]:
        """The open modals, the last one on top."""
        return tuple(View.read(each) for each in self._get("views")["views"])

    def view(self, view_id: str) -> View | None:
        """The open modal with this id, as it is now; ``None`` once it is closed."""
        return next((each for each in self.views() if each.id == view_id), None)

    def modal(self) -> View | None:
        """The modal on top."""
        return next(reversed(self.views()), None)

    def wait_for_modal(self, title_or_callback_id: str | None = None, timeout: float = USUAL_PATIENCE) -> View:
        """Wait until a modal is open, of this title or ``callback_id`` if one is given."""
        found: View | None = None

        def look() -> View | None:
            nonlocal found
            found = self.modal()
            wanted = found and title_or_callback_id in {None, found.title, found.callback_id}
            return found if wanted else None

        return self.wait_until(
            look, timeout, lambda: f"the modal {title_or_callback_id!r}; open: {found and found.title!r}"
        )

    def fill(self, entered: Mapping[str, Entered] | None = None, /, **more: Entered) -> View:
        """Fill in fields of the modal on top, by label, ``block_id`` or ``action_id``, one after the other.

        Returns:
            The modal afterwards: the app may have changed it.
        """
        for name, value in {**(entered or {}), **more}.items():
            view = self._top()
            element = _element(view, name)
            body = {"block_id": element.block_id, "action_id": element.action_id, "element": _state(element, value)}
            self._post(f"views/{view.id}/input", body)
        return self._top()

    def submit(self, view: View | None = None) -> Mapping[str, str]:
        """Submit a modal: this one, as it is now, or the one on top.

        Returns:
            The errors by ``block_id``; nothing if the app accepted it.
        """
        view = view or self._top()
        answer = self._call("POST", f"/ui/{self.id}/views/{view.id}/submit", {}, refuse=False)
        if answer.get("error"):
            raise WorkspaceError(str(answer["error"]))
        return dict(answer.get("errors") or {})

    def close(self, *, everything: bool = False) -> None:
        """Close the modal on top, or all of them."""
        self._post(f"views/{self._top().id}/close", {"all": everything})

    def open_home(self) -> None:
        """Look at the app's Home tab."""
        self._post("home/opened", {"tab": "home"})

    def open_messages(self) -> None:
        """Look at the conversation with the app."""
        self._post("home/opened", {"tab": "messages"})

    def home(self) -> View | None:
        """The Home tab as the app published it."""
        view = self._get("home")["view"]
        return None if view is None else View.read(view)

    def wait_for_home(self, words: str = "", timeout: float = USUAL_PATIENCE) -> View:
        """Wait until the Home tab shows these words."""

        def look() -> View | None:
            home = self.home()
            return home if home is not None and words in home.text_of_everything else None

        return self.wait_until(look, timeout, lambda: f"{words!r} on the Home tab")

    def pictures(self, message: Message) -> tuple[bytes, ...]:
        """The bytes of the pictures in a message that this person sees: none of a broken one."""
        return tuple(self.download(url) for url in message.image_urls if url.startswith("/"))

    def download(self, path: str) -> bytes:
        """The bytes of a file of the workspace."""
        status, content = self._request("GET", path, None)
        if status != 200:
            raise WorkspaceError(content.decode(errors="replace"))
        return content

    def _top(self) -> View:
        view = self.modal()
        if view is None:
            raise WorkspaceError("No modal is open.")
        return view

    def _get(self, what: str, **query: str | float) -> Json:
        return self._call("GET", f"/ui/{self.id}/{what}" + (f"?{urlencode(query)}" if query else ""))

    def _post(self, what: str, body: Json) -> Json:
        return self._call("POST", f"/ui/{self.id}/{what}", body)

    def _call(self, verb: str, path: str, body: Json | None = None, *, refuse: bool = True) -> Json:
        status, content = self._request(verb, path, body)
        try:
            answer = json.loads(content)
        except ValueError:
            raise WorkspaceError(f"The workspace answered {verb} {path} with HTTP {status}.") from None
        if status >= 400 or (refuse and answer.get("ok") is False):
            raise WorkspaceError(str(answer.get("error") or answer.get("errors")))
        return dict(answer)

    def _request(self, verb: str, path: str, body: Json | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._address, timeout=_REQUEST_SECONDS)
        try:
            headers = {"Content-Type": "application/json", "X-Workspace-Key": self._key}
            connection.request(verb, quote(path, safe="/?&=%+"), None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise WorkspaceError(f"The workspace at {self._address} cannot be reached: {error}") from error
        finally:
            connection.close()


def _element(shown: Message | View, name: str) -> Element:
    element = shown.element(name)
    if element is None:
        raise WorkspaceError(
            f"There is nothing called {name} here; there is {[each.label for each in shown.elements]}."
        )
    return element


def _state(element: Element, entered: Entered) -> Json:
    """The state of an element in Slack's form, from what a person would say."""
    if element.type == "overflow":
        return {"type": "overflow", "selected_option": _option(element, str(entered))}
    key = FIELDS[element.type][0]
    several = [] if entered is None else list(entered) if isinstance(entered, list | tuple) else [entered]
    value: Any
    if key == "selected_option":
        value = None if entered is None else _option(element, str(entered))
    elif key == "selected_options":
        value = [_option(element, str(each)) for each in several]
    elif key == "selected_users":
        value = [str(each) for each in several]
    else:
        value = None if entered is None else str(entered)
    return {"type": element.type, key: value}


def _option(element: Element, name: str) -> Json:
    for option in options_of(element.definition):
        if name in {option["text"]["text"], option["value"]}:
            return option
    raise WorkspaceError(f"{element.label} does not offer {name}; it offers {list(element.options)}.")
