"""Builds the bot from its parts. Every part gets in its constructor what it works with."""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.admin import listeners as admin_listeners
from bot.admin.listeners import AdminContext
from bot.admin.reporter import AdminReporter
from bot.live.feed import LiveFeed
from bot.participant import finishing, messages, onboarding, tuning
from bot.participant.context import ParticipantContext
from bot.participant.direct_messages import DirectMessages
from bot.participant.home_tab import HomeTabs
from bot.participant.views.lengths import check_lengths
from bot.researcher import listeners as researcher_listeners
from bot.researcher.context import ResearcherContext
from bot.researcher.home_section import HomeSection
from bot.researcher.permissions import Permissions
from bot.runner import baselines
from bot.runner.baselines import Baselines
from bot.runner.dispatcher import Dispatcher
from bot.runner.running_jobs import RunningJobs
from bot.runner.scheduler import Scheduler
from bot.runner.subprocess_job import SubprocessJob
from bot.settings.settings import Credentials, Settings, SettingsError
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.client import PacedClient, Slack
from bot.slack.error_reporting import ErrorReporter, apology
from bot.slack.interactions import Interactions
from bot.slack.rate_limiter import RateLimiter
from bot.study.invitations import Invitations
from bot.study.job_events import JobEvents
from bot.study.notifications import Notifications
from bot.study.protocols import utc_now
from bot.study.reactions import Reactions
from bot.study.researcher_actions import ResearcherActions
from bot.study.service import StudyService
from bot.study.sweep import SWEEP_SECONDS, Sweep
from bot.study.withdrawal import Withdrawals
from storage import posts
from storage.database import Store, UnknownSchema
from storage.refusals import Refused
from storage.schema.states import Actor, StudyState
from storage.transitions import recovery, studies
from training.tasks import Task, TaskFacts
from training.workers import LocalWorkers, Workers

log = logging.getLogger(__name__)

_LISTENERS = 32
"""The number of threads that acknowledge. Bolt's ten are busy for seconds when thirty people press at once."""

_HEARTBEAT_SECONDS = 5.0


class Bot:
    """The whole bot.

    Args:
        settings: The study's settings.
        credentials: The tokens of the Slack app.
        workers: Where trials run; by default processes on this machine.
        limiter: Keeps the workspace's rate limits; by default Slack's.
        open_now: Whether a new study opens when the bot starts. Otherwise it waits for a researcher's ``/study open``.

    Attributes:
        settings: The study's settings.
        store: The database.
        slack: The workspace.
        jobs: The jobs that run.
        searchers: The baselines.
        feed: Updates the messages in sessions' threads.
        admins: Tells the admins.
        study: The study as participants use it.
        actions: The study as researchers run it.
        invitations: Invites people.
        sweep: Does what is due.
        errors: Reports errors.

    Raises:
        SettingsError: Slack refuses the bot token or cannot be reached, a task is unknown, a text is too long for
            Slack, or the database cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        workers: Workers | None = None,
        *,
        limiter: RateLimiter | None = None,
        open_now: bool = False,
    ) -> None:
        tasks = settings.study_tasks()
        check_lengths(settings, [task.facts for task in tasks])
        facts_of = _facts_of(tasks)
        slots, now = settings.machine.slots, utc_now
        self._open_now, self._now = open_now, now
        self.settings = settings
        self.store = store = _open(settings.machine.database)

        self._limiter = limiter or RateLimiter()
        client = PacedClient(credentials.bot_token, credentials.api_url, self._limiter)
        self.slack = slack = Slack(client)
        self.admins = AdminReporter(settings, store, slack, now)
        self._limiter.on_limited = self.admins.slack_limits
        self.errors = ErrorReporter(self.admins)
        self._tasks = background = BackgroundTasks(self.errors)
        app = _app(client, self.errors)
        interactions = Interactions(app, slack, background)
        permissions = Permissions(settings.slack, slack)

        if workers is None:
            workers = LocalWorkers(tasks, slots, settings.training.threads_per_slot, devices=settings.machine.devices)
        self.jobs = jobs = RunningJobs(workers)
        self.searchers = searchers = Baselines(settings, facts_of, store, jobs, background, now)
        self._subprocesses = SubprocessJob()
        self._scheduler = Scheduler(self.errors.report)

        direct_messages = DirectMessages(settings, facts_of, store, slack, jobs.progress, now)
        self.feed = LiveFeed(
            client,
            direct_messages.render,
            on_failure=self._feed_failed,
            note_picture=partial(posts.show_file, store),
        )
        home_section = HomeSection(store, jobs, slots, permissions, now)
        home_tabs = HomeTabs(
            store, slack, background, settings.consent_text, home_section.blocks, lambda: permissions.known
        )

        notifications = Notifications(store, direct_messages, background, self.errors)
        self._reactions = reactions = Reactions(
            store, jobs, self.feed, direct_messages, notifications, home_tabs, background, slots, now
        )
        withdrawals = Withdrawals(
            store,
            slack,
            jobs,
            reactions,
            direct_messages,
            home_tabs,
            self.admins,
            background,
            delete_data=settings.study.delete_withdrawn,
            now=now,
        )
        self.study = StudyService(settings, facts_of, store, reactions, withdrawals, now)
        self.actions = ResearcherActions(
            settings,
            store,
            slack,
            reactions,
            withdrawals,
            searchers,
            direct_messages,
            jobs,
            background,
            now,
        )
        self.invitations = Invitations(
            store, slack, notifications, reactions, withdrawals, background, self.errors, now
        )
        self.sweep = Sweep(settings, store, reactions, self.errors.report, now)
        events = JobEvents(reactions, searchers, self.admins, home_tabs, background, self.errors.report)
        self._dispatcher = Dispatcher(store, workers, jobs, events, now, mixed_devices=settings.machine.mixed_devices)

        participants = ParticipantContext(interactions, self.study, slack, background, home_tabs, permissions.includes)
        for listeners in (onboarding, tuning, finishing, messages):
            listeners.register(app, participants)
        researcher_listeners.register(
            ResearcherContext(
                interactions,
                settings,
                facts_of,
                store,
                slack,
                self.actions,
                self.invitations,
                searchers,
                jobs,
                self._subprocesses,
                permissions,
                now,
            )
        )
        channel = settings.slack.report_channel
        admin_listeners.register(
            AdminContext(interactions, store, self.actions, self.admins, channel, permissions.includes)
        )
        app.action(re.compile(""))(_unknown)
        self._handler = SocketModeHandler(app, credentials.app_token, concurrency=_LISTENERS)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Prepare the study, recover from the last stop, start the workers, and listen to Slack.

        Raises:
            SettingsError: Slack refuses the app token, or the database has other rules.
        """
        try:
            self._prepare()
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
        """Stop listening, and then stop everything else. Jobs that were running run again at the next start."""
        _close_connection(self._handler)
        self._scheduler.close()
        self._dispatcher.close()
        self._subprocesses.close()
        self._tasks.close()
        self.feed.close(flush=3)
        self.admins.close()
        recovery.heartbeat(self.store, now=self._now())
        self._limiter.close()
        self.store.close()

    def _prepare(self) -> None:
        settings, store = self.settings, self.store
        study = studies.prepare_study(
            store,
            name=settings.study.name,
            rules=settings.rules(),
            rules_hash=settings.rules_hash(),
            now=self._now(),
        )
        self.admins.begin()
        if self._open_now and study.state is StudyState.PREPARED:
            studies.open_study(store, actor=Actor.BOT, now=self._now())
        recovery.reconcile(store, now=self._now())
        self.feed.start()
        self._dispatcher.start()
        self._reactions.catch_up(study.id)
        self._start_the_clock()

    def _start_the_clock(self) -> None:
        scheduler = self._scheduler
        scheduler.start()
        scheduler.every(_HEARTBEAT_SECONDS, "noting that the bot is alive", self._beat)
        scheduler.every(baselines.LOOK_SECONDS, "looking at searchers' time", self.searchers.stop_expired)
        scheduler.every(baselines.RETRY_SECONDS, "going on with a baseline", self.searchers.resume)
        scheduler.when_due(SWEEP_SECONDS, "doing what is due", self.sweep.run)
        self.searchers.resume()
        self.admins.start(scheduler)

    def _beat(self) -> None:
        recovery.heartbeat(self.store, now=self._now())

    def _feed_failed(self, subject: str, error: Exception) -> None:
        self.errors.report(error, f"showing {subject}")


def _close_connection(handler: SocketModeHandler) -> None:
    """Close the connection to Slack.

    The SDK's client loses the request to close when its receiving thread starts at the same moment. Then it would wait
    for that thread without end. So the request is repeated until the client has closed.
    """
    closing = threading.Thread(target=handler.close, name="closing-connection", daemon=True)
    closing.start()
    while closing.is_alive():
        handler.client.current_session_state.terminated = True
        closing.join(0.1)


def _facts_of(tasks: Sequence[Task]) -> Callable[[str | None], TaskFacts]:
    """A function from a task's name to what participants may know of it; other names mean the first task."""
    known: dict[str | None, TaskFacts] = {task.name: task.facts for task in tasks}
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


def _app(client: PacedClient, errors: ErrorReporter) -> App:
    try:
        client.auth_test()  # Bolt calls it too, but hides why Slack refuses
        app = App(client=client, listener_executor=ThreadPoolExecutor(_LISTENERS, thread_name_prefix="listener"))
    except SlackApiError as error:
        raise SettingsError(_refused("SLACK_BOT_TOKEN", error)) from error
    except OSError as error:
        raise SettingsError(
            f"Cannot reach Slack at {client.base_url}: {error}. Check the network and start again."
        ) from error

    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        return _report(errors, error, body)

    app.error(failed)
    return app


def _unknown(ack: Ack) -> None:
    """Acknowledge a button of an older version, or a button whose press needs no answer."""
    ack()


def _report(errors: ErrorReporter, error: Exception, body: dict[str, Any]) -> BoltResponse:
    """Report a listener that failed before it acknowledged, and tell the person where they look."""
    code = errors.report(error, f"answering a {body.get('type', 'command')}")
    if body.get("type") == "view_submission":
        inputs = [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"]
        if inputs:  # the form stays open, with all that was typed
            return BoltResponse(status=200, body={"response_action": "errors", "errors": {inputs[0]: apology(code)}})
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": apology(code)})
    return BoltResponse(status=200, body="")


def _refused(token: str, error: SlackApiError) -> str:
    return f"Slack refuses {token} ({error.response['error']}): copy it again from your Slack app's page."
