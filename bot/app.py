"""Puts the parts together; nothing else does."""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.admin import listeners as admin_listeners
from bot.admin.reporter import Admins
from bot.live.feed import LiveFeed
from bot.participant import finishing, messages, onboarding, tuning
from bot.participant.direct_messages import Conversation
from bot.researcher import listeners as researcher_listeners
from bot.researcher.permissions import Access
from bot.runner.dispatcher import Jobs, Progress
from bot.runner.scheduler import Clock
from bot.settings.settings import Credentials, Settings, SettingsError
from bot.slack.background_tasks import Errands, Trouble, apology
from bot.slack.client import Slack
from bot.slack.rate_limiter import Pacer, retry_handlers
from bot.study.parts import Parts, utc_now
from bot.study.service import Study
from storage import posts
from storage.database import Store, UnknownSchema
from storage.refusals import Refused
from training.tasks import Task, TaskFacts
from training.workers import LocalWorkers, Workers

log = logging.getLogger(__name__)

_LISTENERS = 32
"""Threads that acknowledge. Bolt's ten are busy for seconds when thirty people press at once."""


class Bot:
    """The bot as it runs.

    Args:
        settings: The study.
        credentials: The Slack app.
        workers: Where trials run; by default processes on this machine.
        pacer: Keeps the workspace's rate limits; by default Slack's.
        open_now: Whether a new study opens when the bot starts; else it waits for a researcher's ``/study open``.

    Raises:
        SettingsError: Slack refuses the tokens, the task is unknown, or the database has other rules.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        workers: Workers | None = None,
        *,
        pacer: Pacer | None = None,
        open_now: bool = False,
    ) -> None:
        self._open_now = open_now
        tasks = settings.study_tasks()
        facts_of = _facts_of(tasks)
        self.settings = settings
        self.store = _open(settings.machine.database)
        self.pacer = pacer or Pacer()
        client = WebClient(
            credentials.bot_token, base_url=credentials.api_url, retry_handlers=retry_handlers(self.pacer)
        )
        slack = Slack(client, self.pacer)
        admins = Admins(settings, self.store, slack, utc_now)
        self.pacer.on_limited = admins.slack_limits
        trouble = Trouble(admins.alert)
        conversation = Conversation(settings, facts_of, self.store, slack, self._progress)
        access = Access(settings.slack, slack)
        errands = Errands(trouble)
        parts = Parts(settings, facts_of, self.store, slack, admins, trouble, errands, conversation, access)
        self.study = Study(parts)
        if workers is None:
            workers = LocalWorkers(
                tasks,
                settings.machine.slots,
                settings.training.threads_per_slot,
                devices=settings.machine.devices,
            )
        parts.feed = LiveFeed(
            client,
            conversation.render,
            pacer=self.pacer,
            on_failure=self._feed_failed,
            note_picture=partial(posts.show_file, self.store),
        )
        parts.clock = Clock(self.store.engine, self.study.deadlines.ring)
        parts.jobs = Jobs(self.store, workers, self.study.tidings, mixed_devices=settings.machine.mixed_devices)
        self._app = _listen(client, self.study)
        self._handler = SocketModeHandler(self._app, credentials.app_token, concurrency=_LISTENERS)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Prepare the study, start the workers, and listen to Slack.

        Raises:
            SettingsError: Slack refuses the app token, or the database has other rules.
        """
        try:
            self.study.start(open_now=self._open_now)
            self._handler.connect()  # type: ignore[no-untyped-call]
        except Refused as refused:
            self.close()
            raise SettingsError(str(refused)) from refused
        except SlackApiError as error:
            self.close()
            raise SettingsError(_refused("SLACK_APP_TOKEN", error)) from error

    def wait(self) -> None:
        """Wait until :meth:`stop`."""
        self._stopped.wait()

    def stop(self) -> None:
        """Make :meth:`wait` return; safe in a signal handler."""
        self._stopped.set()

    def close(self) -> None:
        """Stop listening, then working. What was running runs again at the next start."""
        _hang_up(self._handler)
        self.study.close()
        self.pacer.close()
        self.store.close()

    def _progress(self, key: str) -> Progress | None:
        return self.study.parts.jobs.progress(key)

    def _feed_failed(self, subject: str, error: Exception) -> None:
        self.study.trouble.report(error, f"showing {subject}")


def _hang_up(handler: SocketModeHandler) -> None:
    """Close the connection to Slack.

    The SDK's client forgets that it is to end when its receiving thread begins at the same moment, and would wait for
    that thread for ever; so it is told until it has.
    """
    closing = threading.Thread(target=handler.close, name="hanging-up", daemon=True)
    closing.start()
    while closing.is_alive():
        handler.client.current_session_state.terminated = True
        closing.join(0.1)


def _facts_of(tasks: Sequence[Task]) -> Callable[[str | None], TaskFacts]:
    """What participants may know of a task by its name; of the first, where it is none of these."""
    known: dict[str | None, TaskFacts] = {each.name: each.facts for each in tasks}
    return lambda name: known.get(name, tasks[0].facts)


def _open(database: str) -> Store:
    try:
        store = Store(database)
        store.migrate()
    except UnknownSchema as error:
        raise SettingsError(str(error)) from error
    except (SQLAlchemyError, ImportError, OSError) as error:
        first_line = str(error).splitlines()[0]
        raise SettingsError(f"Cannot use the database named in study.toml (machine.database): {first_line}") from error
    return store


def _listen(client: WebClient, study: Study) -> App:
    try:
        client.auth_test()  # Bolt asks too, but hides the reason of a refusal
        app = App(
            client=client,
            listener_executor=ThreadPoolExecutor(_LISTENERS, thread_name_prefix="listener"),
        )
    except SlackApiError as error:
        raise SettingsError(_refused("SLACK_BOT_TOKEN", error)) from error
    except OSError as error:
        raise SettingsError(
            f"Cannot reach Slack at {client.base_url}: {error}. Check the network and start again."
        ) from error
    for listeners in (onboarding, tuning, finishing, messages, researcher_listeners, admin_listeners):
        listeners.register(app, study)

    def unknown(ack: Ack) -> None:
        ack()  # of an older version, or a button whose press needs no answer

    app.action(re.compile(""))(unknown)

    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        return _report(study, error, body)

    app.error(failed)
    return app


def _report(study: Study, error: Exception, body: dict[str, Any]) -> BoltResponse:
    """A listener failed before it acknowledged: tell the admins, and the person where they look."""
    code = study.trouble.report(error, f"answering a {body.get('type', 'command')}")
    if body.get("type") == "view_submission":
        inputs = [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"]
        if inputs:  # the form stays open, with all that was typed
            return BoltResponse(status=200, body={"response_action": "errors", "errors": {inputs[0]: apology(code)}})
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": apology(code)})
    return BoltResponse(status=200, body="")


def _refused(token: str, error: SlackApiError) -> str:
    return f"Slack refuses {token} ({error.response['error']}): copy it again from your Slack app's page."
