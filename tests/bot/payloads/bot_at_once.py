"""A bot that answers in the calling thread, and a Slack that accepts every call: for thousands of payloads a minute."""

import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient, WebhookResponse

import bot.app
from bot.app import Bot
from bot.participant.home_tab import HomeTabs
from bot.settings.settings import Credentials, Settings
from bot.slack.error_reporting import ErrorReporter
from bot.slack.rate_limiter import CallNotMade, RateLimiter
from tests.bot.scripted_workers import ScriptedWorkers
from tests.bot.study_file import write_study
from tests.storage.databases import make_sqlite

REPORTS = "C0000REPORTS"
RESEARCHERS = ("U0RESEARCHER", "U00000000BOTH")
SLOTS = 3
_SLACK = "https://slack.invalid/api/"
_RESPONSES = "https://hooks.slack.invalid/answer"

Content = dict[str, list[tuple[Any, ...]]]
"""All rows of the tables, by table."""


@dataclass
class Answered:
    """What came of a payload.

    Attributes:
        body: The acknowledgement.
        calls: Slack's methods that were called, with their arguments.
        errors: Errors that reached the error reporter.
        made: What the bot began that takes long, in a few words.
    """

    body: Any = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """All words of the acknowledgement and the calls."""
        return " ".join([*_texts(self.body), *_texts([arguments for _, arguments in self.calls])])

    @property
    def views(self) -> list[str]:
        """The ``callback_id`` of the modals that were shown, empty for those that only say something."""
        found = [arguments["view"] for method, arguments in self.calls if method in ("views.open", "views.push")]
        if isinstance(self.body, dict) and self.body.get("view"):
            found.append(self.body["view"])
        return [_plain(view).get("callback_id") or "" for view in found]


@dataclass
class BotAtOnce:
    """The bot without threads. Nothing is running but what a payload asks for."""

    bot: Bot
    database: Path
    _now: Answered = field(default_factory=Answered)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1_000_000))

    def send(self, body: dict[str, Any]) -> Answered:
        """Dispatch a payload as it comes from Slack."""
        self._now = answered = Answered()
        answered.body = self.bot._handler.app.dispatch(BoltRequest(mode="socket_mode", body=body)).body
        return answered

    def ts(self) -> str:
        """The ts of a new message."""
        return f"1700000000.{next(self._numbers)}"

    def content(self) -> Content:
        """All that is kept, but the log of commands."""
        with sqlite3.connect(self.database) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = {
                table: connection.execute(
                    f"SELECT * FROM {table}" + (" WHERE kind != 'commanded'" if table == "event" else "")
                ).fetchall()
                for table in tables
            }
        connection.close()
        return rows

    def copy(self) -> sqlite3.Connection:
        """The database in memory, for :meth:`restore`."""
        copied = sqlite3.connect(":memory:")
        with sqlite3.connect(self.database) as connection:
            connection.backup(copied)
        connection.close()
        return copied

    def restore(self, copied: sqlite3.Connection) -> None:
        """Bring the database back to what it was."""
        with sqlite3.connect(self.database) as connection:
            copied.backup(connection)
        connection.close()

    def called(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Slack's answer to a call."""
        self._now.calls.append((method, arguments))
        user = arguments.get("users") or arguments.get("user") or "U"
        return {
            "ok": True,
            "ts": self.ts(),
            "team_id": "T0",
            "user_id": "U0BOT",
            "bot_id": "B0BOT",
            "user": {"id": user, "is_bot": False},
            "users": [],
            "channel": {"id": direct_channel(user)} if method == "conversations.open" else arguments.get("channel", ""),
        }

    def began(self, doing: str) -> None:
        """Something that takes long is to be done."""
        self._now.made.append(doing)

    def failed(self, error: BaseException) -> str:
        """An error reached the error reporter."""
        self._now.errors.append(error)
        return secrets.token_hex(3).upper()


class Tasks:
    """In place of the threads: every task is done at once. Files are not made."""

    threads = ()
    closed = False

    def __init__(self, begin: Callable[[str], object], errors: ErrorReporter, _: RateLimiter) -> None:
        self._begin = begin
        self._errors = errors

    def answer(self, doing: str, task: Callable[[], Any], *, tell: Any = None, **_: Any) -> None:
        try:
            task()
        except CallNotMade as error:
            self._errors.too_slow(error, doing, tell=tell)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self._errors.report(error, doing, tell=tell)

    def reply(self, doing: str, task: Callable[[], Any], **_: Any) -> None:
        self.answer(doing, task)

    post = run = reply

    def make_files(self, doing: str, *_: Any, **__: Any) -> None:
        self._begin(doing)

    def run_errand(self, doing: str, steps: Iterable[Callable[[], Any]], *, tell: Any = None) -> None:
        for step in steps:
            self.answer(doing, step, tell=tell)

    def close(self, flush: float) -> None:
        pass


class AtOnce(Executor):
    """In place of the threads of Bolt's listeners."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*args, **kwargs))
        return done


@contextmanager
def bot_at_once(**changes: Any) -> Iterator[BotAtOnce]:
    """Such a bot, with an open study.

    Args:
        changes: Values of ``study.toml`` by key.
    """
    with tempfile.TemporaryDirectory(prefix="at-once-") as folder, pytest.MonkeyPatch.context() as patch:
        database = Path(folder) / "study.db"
        make_sqlite(database)
        given = {
            "report_channel": REPORTS,
            "researchers": list(RESEARCHERS),
            "database": f"sqlite:///{database}",
            "evaluation_seeds": [1, 2],
            "slots": SLOTS,
            **changes,
        }
        running: list[BotAtOnce] = []

        call = WebClient.api_call

        def called(client: WebClient, method: str, **kwargs: Any) -> SlackResponse:
            if client.base_url != _SLACK:  # a thread that another test has left behind
                return call(client, method, **kwargs)
            arguments = kwargs.get("json") or kwargs.get("params") or kwargs.get("data") or {}
            data = running[0].called(method, dict(arguments)) if running else {"ok": True, "team_id": "T0"}
            return SlackResponse(
                client=client, http_verb="POST", api_url="", req_args={}, data=data, headers={}, status_code=200
            )

        def responded(webhook: WebhookClient, **arguments: Any) -> WebhookResponse:
            running[0].called("response_url", arguments)
            return WebhookResponse(url=webhook.url, status_code=200, body="ok", headers={})

        patch.setattr(WebClient, "api_call", called)
        patch.setattr(WebhookClient, "send", responded)
        patch.setattr(bot.app, "BackgroundTasks", partial(Tasks, lambda doing: running[0].began(doing)))
        patch.setattr(HomeTabs, "_mark_due", lambda *_: None)  # a timer publishes tabs later; they are tested elsewhere
        settings = Settings.load(write_study(Path(folder), **given))
        credentials = Credentials("xoxb-at-once", f"xapp-{secrets.token_hex(8)}", _SLACK)
        made = Bot(settings, credentials, ScriptedWorkers(slots=SLOTS), limiter=RateLimiter({}, per_channel=None))
        try:
            at_once = BotAtOnce(made, database)
            running.append(at_once)
            patch.setattr(made.errors, "report", lambda error, *_, **__: at_once.failed(error))
            patch.setattr(made.errors, "too_slow", lambda error, *_, **__: at_once.failed(error))
            made._handler.app.listener_runner.listener_executor = AtOnce()
            yield at_once
        finally:
            made.close()


def direct_channel(user: str) -> str:
    """The channel of the direct messages with somebody."""
    return f"D{user[1:]}"


# Payloads


def press(
    user: str, action_id: str, value: str = "", *, channel: str | None = None, ts: str = "1.1", block_id: str = "row"
) -> dict[str, Any]:
    """A button of a message is pressed, in the direct messages unless a channel is named."""
    channel = direct_channel(user) if channel is None else channel
    return {
        "type": "block_actions",
        "team": {"id": "T0"},
        "user": {"id": user, "team_id": "T0"},
        "channel": {"id": channel},
        "message": {"ts": ts},
        "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
        "trigger_id": "1.trigger",
        "response_url": _RESPONSES,
        "actions": [
            {
                "type": "button",
                "action_id": action_id,
                "block_id": block_id,
                "value": value,
                "action_ts": "1700000000.5",
            }
        ],
    }


def change(user: str, action_id: str, view: dict[str, Any], block_id: str, value: str) -> dict[str, Any]:
    """A select of a form is changed."""
    return {
        "type": "block_actions",
        "team": {"id": "T0"},
        "user": {"id": user, "team_id": "T0"},
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "modal", **view},
        "trigger_id": "1.trigger",
        "actions": [
            {
                "type": "static_select",
                "action_id": action_id,
                "block_id": block_id,
                "selected_option": {"value": value},
                "action_ts": "1700000000.5",
            }
        ],
    }


def submission(user: str, callback_id: str, values: dict[str, Any], private_metadata: str = "") -> dict[str, Any]:
    """A form is sent."""
    view = {
        "id": f"V{secrets.token_hex(4)}",
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private_metadata,
        "blocks": [{"type": "input", "block_id": each} for each in values],
        "state": {"values": values},
    }
    return {"type": "view_submission", "team": {"id": "T0"}, "user": {"id": user, "team_id": "T0"}, "view": view}


def command(user: str, text: str, channel: str | None = None) -> dict[str, Any]:
    """``/study`` is typed."""
    return {
        "command": "/study",
        "text": text,
        "user_id": user,
        "team_id": "T0",
        "channel_id": direct_channel(user) if channel is None else channel,
        "trigger_id": "1.trigger",
        "response_url": _RESPONSES,
    }


def event(content: dict[str, Any]) -> dict[str, Any]:
    """Something has happened."""
    return {"type": "event_callback", "team_id": "T0", "event_id": f"Ev{secrets.token_hex(4)}", "event": content}


def written(user: str, text: str, ts: str) -> dict[str, Any]:
    """Somebody writes in the direct messages."""
    channel = direct_channel(user)
    content = {"type": "message", "channel_type": "im", "user": user, "channel": channel, "ts": ts, "text": text}
    return event(content)


def opened(user: str, tab: str) -> dict[str, Any]:
    """Somebody opens the bot."""
    return event({"type": "app_home_opened", "user": user, "channel": direct_channel(user), "tab": tab})


def _plain(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else value


def _texts(value: Any) -> Iterator[str]:
    value = _plain(value)
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
