"""All checks of Slack, in the order in which one depends on another."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from slack_sdk import WebClient

from bot.checks import connection, researchers, workspace
from bot.checks.connection import CONNECTIONS, SOCKET_MODE, Greeting
from bot.checks.conversations import CHARTS, CONSENT, DIRECT_MESSAGES, REPORT_CHANNEL, Rehearsal, Rehearsals
from bot.checks.findings import Finding, fine, not_checked, wrong
from bot.checks.researchers import RESEARCHERS
from bot.checks.workspace import CLOCK, SCOPES, SLACK, WORKSPACE, Introduction, Unreachable
from bot.settings.settings import APP_TOKEN, BOT_TOKEN, SettingsError, SlackSection, TokenKind, api_url_in
from bot.slack.block_kit import Message
from bot.slack.client import PacedClient
from bot.slack.rate_limiter import RateLimiter

ONE_APP = "One app"

Connect = Callable[[], Greeting | Finding]
"""Opens a connection over Socket Mode for a moment, and returns Slack's greeting, or what is wrong."""

_NO_BOT = "there is no usable bot token."
_NO_CONVERSATION = "there is no conversation to try it in."
_OF_BOT = (WORKSPACE, SCOPES, CLOCK)
_OF_APP = (SOCKET_MODE, CONNECTIONS)
_OF_BOTH = (REPORT_CHANNEL, RESEARCHERS, DIRECT_MESSAGES, CHARTS, CONSENT, ONE_APP)
"""The checks that are left when one of the tokens opens nothing, in the order in which they are shown."""

_KINDS: Mapping[str, TokenKind] = {"Bot token": BOT_TOKEN, "App token": APP_TOKEN}


def check_environment(
    settings: SlackSection,
    environment: Mapping[str, str],
    first_message: Message,
    clock: Callable[[], float] = time.time,
) -> Iterator[Finding]:
    """Check the tokens of the environment, and then all that they open.

    Args:
        settings: The section ``[slack]`` of ``study.toml``.
        environment: Where the tokens are.
        first_message: What everybody reads first, with the consent text.
        clock: Our clock (Unix time).
    """
    tokens: dict[str, str] = {}
    for check, kind in _KINDS.items():
        try:
            tokens[check] = kind.read(environment)
        except SettingsError as error:
            yield wrong(check, str(error))
        else:
            yield fine(check, f"{kind.variable} begins with {kind.prefix}, as it should.")
    api_url = api_url_in(environment)
    bot = PacedClient(tokens["Bot token"], api_url, RateLimiter()) if "Bot token" in tokens else None
    connect = partial(connection.connect, tokens["App token"], api_url) if "App token" in tokens else None
    yield from check_slack(settings, bot, connect, first_message, own_connections=1, clock=clock)


def check_slack(
    settings: SlackSection,
    bot: WebClient | None,
    connect: Connect | None,
    first_message: Message,
    *,
    own_connections: int,
    clock: Callable[[], float] = time.time,
) -> Iterator[Finding]:
    """Check all that the bot needs of Slack. Nothing is left behind that anybody could see.

    Args:
        settings: The section ``[slack]`` of ``study.toml``.
        bot: The client with the bot token; ``None`` if there is no such token.
        connect: Connects with the app-level token; ``None`` if there is no such token.
        first_message: What everybody reads first, with the consent text.
        own_connections: How many connections are ours while ``connect`` has one open.
        clock: Our clock (Unix time).
    """
    try:
        opened = _open(bot, clock)
    except Unreachable as error:
        yield wrong(SLACK, str(error))
        yield from (not_checked(check, "Slack cannot be reached.") for check in (*_OF_BOT, *_OF_APP, *_OF_BOTH))
        return
    greeting = connect() if connect is not None else not_checked(SOCKET_MODE, "there is no usable app-level token.")
    if isinstance(opened, Finding):
        yield opened
        yield from (not_checked(check, _NO_BOT) for check in _OF_BOT)
        yield from _connection(greeting, own_connections)
        yield from (not_checked(check, _NO_BOT) for check in _OF_BOTH)
        return
    client, introduction = opened
    yield from workspace.describe(introduction)
    yield from _connection(greeting, own_connections)
    rehearsals = Rehearsals(client, clock() + introduction.seconds_behind)
    yield from _conversations(settings, rehearsals, greeting, first_message)


def _open(bot: WebClient | None, clock: Callable[[], float]) -> tuple[WebClient, Introduction] | Finding:
    if bot is None:
        return not_checked(SLACK, _NO_BOT)
    introduction = workspace.introduce(bot, clock)
    return introduction if isinstance(introduction, Finding) else (bot, introduction)


def _connection(greeting: Greeting | Finding, own_connections: int) -> Iterator[Finding]:
    if isinstance(greeting, Greeting):
        yield from connection.describe(greeting, own_connections)
    else:
        yield greeting
        yield not_checked(CONNECTIONS, "the app is not connected.")


def _conversations(
    settings: SlackSection, rehearsals: Rehearsals, greeting: Greeting | Finding, first_message: Message
) -> Iterator[Finding]:
    finding, rehearsal = rehearsals.report_channel(settings.report_channel)
    yield finding
    direct = ""
    for reached in researchers.reach(rehearsals.client, settings):
        yield reached.finding
        direct = direct or reached.channel
    if direct:
        finding, to_person = rehearsals.direct_messages(direct)
        yield finding
        rehearsal = to_person or rehearsal
    else:
        yield not_checked(DIRECT_MESSAGES, "there is nobody to try it with.")
    if settings.live_plots == "repost":
        yield not_checked(CHARTS, 'live_plots = "repost" in study.toml needs none.')
    elif rehearsal is None:
        yield not_checked(CHARTS, _NO_CONVERSATION)
    else:
        yield rehearsals.charts(rehearsal.channel)
    if rehearsal is None:
        yield not_checked(CONSENT, _NO_CONVERSATION)
    else:
        yield rehearsals.consent(rehearsal.channel, first_message)
    yield _one_app(greeting, rehearsal)


def _one_app(greeting: Greeting | Finding, rehearsal: Rehearsal | None) -> Finding:
    of_app_token = greeting.app_id if isinstance(greeting, Greeting) else ""
    of_bot_token = rehearsal.app_id if rehearsal is not None else ""
    if not of_app_token or not of_bot_token:
        return not_checked(ONE_APP, "it is not known to which app each token belongs.")
    if of_app_token != of_bot_token:
        return wrong(
            ONE_APP,
            f"The bot token belongs to the app {of_bot_token}, and the app-level token to {of_app_token}: the bot "
            "would hear nothing. Copy both from the page of one app.",
        )
    return fine(ONE_APP, "Both tokens belong to the same app.")
