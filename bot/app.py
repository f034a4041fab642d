"""Builds the bot from its parts. Every part gets in its constructor what it works with."""

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.admin import listeners as admin_listeners
from bot.admin.alert_kinds import AlertKind
from bot.admin.listeners import AdminContext
from bot.admin.reporter import AdminReporter
from bot.checks import connection
from bot.live.choice import chosen_plots
from bot.live.feed import LiveFeed, Priority
from bot.live.plots import Plots
from bot.participant import finishing, messages, onboarding, tuning
from bot.participant.context import ParticipantContext
from bot.participant.direct_messages import DirectMessages
from bot.participant.home_tab import HomeTabs
from bot.participant.views.lengths import check_lengths
from bot.participant.views.onboarding import greeting
from bot.process import systemd
from bot.process.status_file import Status, StatusFile
from bot.researcher import listeners as researcher_listeners
from bot.researcher.context import ResearcherContext
from bot.researcher.home_section import HomeSection
from bot.researcher.permissions import Permissions
from bot.runner import baselines, event_lines
from bot.runner.baselines import Baselines
from bot.runner.clocks import Clocks
from bot.runner.dispatcher import Dispatcher
from bot.runner.one_bot import AlreadyRunning, OneBot
from bot.runner.running_jobs import RunningJobs
from bot.runner.scheduler import Scheduler
from bot.runner.subprocess_job import SubprocessJob
from bot.runner.watchdog import Watchdog
from bot.runner.watched import BEATING, SWEEPING, watched
from bot.settings.settings import Credentials, Settings, SettingsError
from bot.slack import bolt
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.client import PacedClient, Slack
from bot.slack.connections import CHECK_SECONDS, Connections, Hearing
from bot.slack.error_reporting import ErrorReporter
from bot.slack.interactions import Interactions
from bot.slack.lasting_thread import LastingThread
from bot.slack.rate_limiter import RateLimiter
from bot.study.deletions import GO_ON_SECONDS, Deletions
from bot.study.invitations import Invitations
from bot.study.job_events import JobEvents
from bot.study.known_tasks import KnownTasks
from bot.study.notifications import Notifications
from bot.study.reactions import Reactions
from bot.study.registration import registration
from bot.study.researcher_actions import ResearcherActions
from bot.study.service import StudyService
from bot.study.sweep import SWEEP_SECONDS, Sweep
from bot.study.withdrawal import Withdrawals
from reports.figures import loss_plot
from storage import posts
from storage.database import Store, UnknownSchema
from storage.private_files import exposed, warning
from storage.queries.results import preregistration
from storage.refusals import Refused
from storage.schema.states import Actor, StudyState
from storage.transitions import recovery, studies
from training.workers import LocalWorkers, Workers

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 5.0

_CLOSING_SECONDS = 15.0
"""How long a part that does not end is waited for while the bot closes. It has nothing that is not stored."""


class SlackAway(SettingsError):
    """Slack cannot be reached. The same may succeed later."""


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
        clocks: The time, and whether people are served.
        sweep: Does what is due.
        errors: Reports errors.
        stopped_because: A sentence about why the bot has stopped by itself; empty if it has not.
        may_start_again: Whether a bot that has stopped by itself is to be started again.

    Raises:
        AlreadyRunning: Another bot uses the database, or this machine's other bot uses the Slack app.
        SlackAway: Slack cannot be reached.
        SettingsError: Slack refuses the bot token, a task is unknown, a text is too long for Slack, or the database
            cannot be used.
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
        slots = settings.machine.slots
        self._open_now = open_now
        self.stopped_because, self.may_start_again = "", False
        self._is_up = self._has_lost_the_database = False

        self._limiter = limiter or RateLimiter()
        client = PacedClient(credentials.bot_token, credentials.api_url, self._limiter)
        app = _app(client)
        self._handler = bolt.make_handler(app, credentials.app_token)
        self._hearing = Hearing(self._handler.client)
        self.clocks = Clocks(self._hearing.last)
        self._now = now = self.clocks.now
        self.slack = slack = Slack(client)
        self._one_bot = OneBot(settings.machine.database, credentials)
        self.store = store = _open(settings.machine.database, self._one_bot)
        self.settings = settings = _as_opened(settings, store)
        self.admins = AdminReporter(settings, store, slack, now)
        self._limiter.on_limited = self.admins.slack_limits
        self.errors = ErrorReporter(self.admins)
        self._tasks = background = BackgroundTasks(self.errors, self._limiter)
        bolt.report_errors(app, self.errors)
        interactions = Interactions(app, slack, background)
        permissions = Permissions(settings.slack, slack)

        if workers is None:
            machine = settings.machine
            workers = LocalWorkers(
                tasks,
                slots,
                settings.training.threads_per_slot,
                devices=machine.devices,
                memory=machine.worker_memory_bytes,
            )
        self._workers = workers
        self.jobs = jobs = RunningJobs(workers)
        known_tasks = KnownTasks(tasks, jobs)
        facts_of = known_tasks.facts
        self.searchers = searchers = Baselines(settings, facts_of, store, jobs, background, now)
        self._subprocesses = SubprocessJob()
        self._scheduler = Scheduler(self.errors.report)
        self._status_file = StatusFile(settings.machine.database)

        wanted = chosen_plots(settings.slack.live_plots, store, lambda: slack.team_id)
        plots = Plots(client, self._plot_failed, wanted)
        direct_messages = DirectMessages(settings, facts_of, store, slack, plots, jobs.progress, self._touch, now)
        self.feed = LiveFeed(
            client,
            plots,
            direct_messages.render,
            repost=direct_messages.repost,
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
        channel = settings.slack.report_channel
        self._deletions = Deletions(store, slack, self.admins, background, report_channel=channel)
        withdrawals = Withdrawals(
            store,
            self._deletions,
            jobs,
            reactions,
            direct_messages,
            home_tabs,
            self.admins,
            background,
            report_channel=channel,
            delete_data=settings.study.delete_withdrawn,
            now=now,
        )
        self.study = StudyService(settings, known_tasks, store, reactions, withdrawals, now)
        self.actions = ResearcherActions(
            settings,
            store,
            slack,
            reactions,
            withdrawals,
            searchers,
            direct_messages,
            jobs,
            self.admins,
            background,
            now,
        )
        self.invitations = Invitations(
            store, slack, notifications, reactions, withdrawals, background, self.errors, now
        )
        self.sweep = Sweep(settings, store, reactions, self.errors.report, self.clocks)
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
                background,
                permissions,
                partial(connection.connect, credentials.app_token, credentials.api_url),
                greeting(settings.consent_text),
                now,
            )
        )
        admin_listeners.register(
            AdminContext(
                interactions, store, self.actions, self.admins, channel, permissions.includes, withdrawals.had_agreed
            )
        )
        bolt.acknowledge_the_rest(app)
        self._connections = Connections(
            self._handler.client,
            slack.messages,
            partial(connection.count, credentials.app_token, credentials.api_url),
            background.post,
            another=self.admins.another_bot,
            alone=self.admins.alone_again,
        )
        self._stopped = threading.Event()
        threads = watched(self._scheduler, self._dispatcher, workers, self._hearing, self._other_threads)
        self._watchdog = Watchdog(
            threads, tell=self.admins.part_stopped, stop=self._stop_because, each_turn=self._note_turn
        )

    def start(self) -> None:
        """Prepare the study, recover from the last stop, start the workers, and listen to Slack.

        Raises:
            SettingsError: Slack refuses the app token, or the database has other rules.
            SlackAway: Slack cannot be reached.
        """
        try:
            self._prepare()
            self._handler.connect()  # type: ignore[no-untyped-call]
            self._tasks.run("getting ready to draw", loss_plot.prepare)
        except Refused as refused:
            self.close()
            raise SettingsError(str(refused)) from refused
        except SlackApiError as error:
            self.close()
            raise SettingsError(_refused("SLACK_APP_TOKEN", error)) from error
        except OSError as error:
            self.close()
            raise _away(self.slack.client, error) from error
        except BaseException:
            self.close()
            raise

    def wait(self) -> None:
        """Wait until :meth:`stop`. Meanwhile the watchdog is watched."""
        while not self._stopped.wait(_HEARTBEAT_SECONDS):
            if self._watchdog.thread.has_died:
                with suppress(RuntimeError, MemoryError):  # the next look tries again
                    self._watchdog.start()

    def stop(self) -> None:
        """Make :meth:`wait` return; safe in a signal handler."""
        self._stopped.set()

    def close(self) -> None:
        """Stop listening, and then stop everything else. Jobs that were running run again at the next start."""
        served_until = self.clocks.served_until
        self.clocks.end()
        self._watchdog.close()
        bolt.close_connection(self._handler)
        self._scheduler.close(_CLOSING_SECONDS)
        self._dispatcher.close(_CLOSING_SECONDS)
        self._subprocesses.close()
        self._tasks.close(flush=8)  # who has just left: some forty messages and pictures are deleted in this time
        self.feed.close(flush=3)
        self.admins.close()
        # Of a bot that was never up, the time since the last stop is still to be given back; where one has lost the
        # database, another one runs.
        if self._is_up and not self._has_lost_the_database:
            recovery.note_stop(self.store, now=self._now(), served_until=served_until)
        self._limiter.close()
        self._status_file.remove()
        self.store.close()
        self._one_bot.release()

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
        if study.state is StudyState.PREPARED and (lacks := self.settings.lacks_to_open()):
            log.warning("%s", lacks)
        if self._open_now and study.state is StudyState.PREPARED:
            complete = not settings.analysis.plan.blanks
            registered = registration(settings, self._now().date()).to_json() if complete else None
            studies.open_study(store, actor=Actor.BOT, now=self._now(), registration=registered)
        self._compare_consent(study.id)
        store.scrub()  # the bot may have been killed before it could
        recovery.reconcile(store, now=self._now())
        self.clocks.begin()
        self._is_up = True
        self.feed.start()
        self._dispatcher.start()
        self._reactions.catch_up(study.id)
        self._start_the_clock()

    def _compare_consent(self, study_id: int) -> None:
        registered = preregistration(self.store, study_id)
        if registered is None or registered.consent_hash == self.settings.consent_hash():
            return
        sentence = (
            "The consent text is not the one that was registered: who agrees from now on agrees to another, and the "
            "report will count them. If that is not meant, put the old text back and start the bot again."
        )
        log.warning("%s", sentence)
        self.admins.alert(AlertKind.CONSENT_CHANGED, sentence)

    def _start_the_clock(self) -> None:
        scheduler = self._scheduler
        scheduler.start()
        scheduler.every(_HEARTBEAT_SECONDS, BEATING, self.sweep.beat)
        scheduler.every(_HEARTBEAT_SECONDS, "seeing whether another bot uses the database", self._stay_alone)
        lines = event_lines.EventLines(self.store)
        scheduler.every(event_lines.LOOK_SECONDS, "writing events into the log", lines.write)
        scheduler.every(baselines.LOOK_SECONDS, "looking at searchers' time", self.searchers.stop_expired)
        scheduler.every(baselines.RETRY_SECONDS, "going on with a baseline", self.searchers.resume)
        scheduler.every(GO_ON_SECONDS, "deleting what people who left had deleted", self._deletions.go_on)
        scheduler.when_due(SWEEP_SECONDS, SWEEPING, self.sweep.run)
        scheduler.every(CHECK_SECONDS, "seeing whether another bot is connected", self._connections.check)
        self.searchers.resume()
        self.admins.start(scheduler)
        self._watchdog.start()

    def _stay_alone(self) -> None:
        try:
            self._one_bot.check()
        except AlreadyRunning as error:
            self._has_lost_the_database = True
            self._stop_because(str(error), may_start_again=False)

    def _stop_because(self, sentence: str, *, may_start_again: bool = True) -> None:
        log.error("%s", sentence)
        if not self.stopped_because:
            self.stopped_because, self.may_start_again = sentence, may_start_again
        self.admins.stopped(sentence)
        self.stop()

    def _other_threads(self) -> Sequence[LastingThread]:
        return *self.feed.threads, *self.admins.threads, *self._tasks.threads

    def _note_turn(self) -> None:
        """The watchdog has looked: tell those who watch the bot from outside.

        While the watchdog looks, it decides itself whether the bot has to stop. Systemd is for a bot that cannot.
        """
        self.clocks.look()
        systemd.notify("WATCHDOG=1")
        self._status_file.write_now_and_then(
            Status(
                slots=self.settings.machine.slots,
                slots_ready=self.jobs.slots_ready,
                troubles=self._watchdog.troubles,
                unserved_since=self.clocks.served_until,
            )
        )

    def _touch(self, subject: str, priority: Priority) -> None:
        self.feed.touch(subject, priority)

    def _plot_failed(self, subject: str, error: Exception) -> None:
        self.errors.report(error, f"showing {subject}")


def _as_opened(settings: Settings, store: Store) -> Settings:
    """The settings, with what a study that has opened keeps of an earlier version."""
    kept = studies.study_named(store, settings.study.name)
    return settings if kept is None or kept.state is StudyState.PREPARED else settings.for_opened(kept.rules)


def _open(database: str, one_bot: OneBot) -> Store:
    """Open the database, and bring its tables to this version, when no other bot uses them."""
    try:
        one_bot.take()
        if files := exposed(make_url(database)):
            log.warning("%s", warning(files))
        store = Store(database)
        store.migrate()
    except UnknownSchema as error:
        raise SettingsError(str(error)) from error
    except (SQLAlchemyError, ImportError, OSError) as error:
        first_line = str(error).splitlines()[0]
        raise SettingsError(f"Cannot use the database named in study.toml (machine.database): {first_line}") from error
    return store


def _app(client: PacedClient) -> App:
    try:
        return bolt.make_app(client)
    except SlackApiError as error:
        raise SettingsError(_refused("SLACK_BOT_TOKEN", error)) from error
    except OSError as error:
        raise _away(client, error) from error


def _away(client: WebClient, error: OSError) -> SlackAway:
    return SlackAway(f"Cannot reach Slack at {client.base_url}: {error}. Check the network and start again.")


def _refused(token: str, error: SlackApiError) -> str:
    return f"Slack refuses {token} ({error.response['error']}): copy it again from your Slack app's page."
