"""Whether Slack accepts the bot token, what the token may do, where it belongs, and what time it is there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import yaml
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.checks.findings import NO_ANSWER, Finding, fine, not_checked, reason, wrong
from bot.settings.settings import BOT_TOKEN

SLACK, WORKSPACE, SCOPES, CLOCK = "Slack", "Workspace", "Scopes", "Clock"

MANIFEST = Path(__file__).parents[1] / "templates" / "manifest.yml"
"""The app as it should be. In the repository this is a link to the file at its top."""

MOST_SECONDS_OFF = 5.0
"""A clock that differs from Slack's by more is wrong: deadlines, and times in messages, depend on it."""

_SERVER_ERROR = 500


class Unreachable(Exception):
    """Slack does not answer; ``str(error)`` says so, and what to do."""


@dataclass(frozen=True)
class Introduction:
    """Slack's answer to ``auth.test``.

    Attributes:
        response: The answer.
        asked_at, answered_at: The times before and after the call, by our clock (Unix time).
    """

    response: SlackResponse
    asked_at: float
    answered_at: float

    @property
    def slack_ahead(self) -> tuple[float, float] | None:
        """The least and the most seconds by which Slack's clock is ahead of ours; ``None`` if Slack does not say."""
        date = _header(self.response, "Date")
        if not date:
            return None
        seconds = parsedate_to_datetime(date).timestamp()
        return seconds - self.answered_at, seconds + 1 - self.asked_at  # the header has whole seconds, cut off

    @property
    def seconds_behind(self) -> float:
        """About how many seconds our clock is behind Slack's; 0 if Slack does not say."""
        ahead = self.slack_ahead
        return (ahead[0] + ahead[1]) / 2 if ahead is not None else 0.0


def introduce(client: WebClient, clock: Callable[[], float]) -> Introduction | Finding:
    """Ask Slack to whom the bot token belongs.

    Args:
        client: The client with the bot token.
        clock: Our clock (Unix time).

    Returns:
        The answer, or what is wrong.

    Raises:
        Unreachable: There is no answer.
    """
    asked_at = clock()
    try:
        response = client.auth_test()
    except SlackApiError as error:
        if error.response.status_code >= _SERVER_ERROR:
            raise _unreachable(client, error) from error
        return wrong(
            SLACK,
            f"Slack refuses {BOT_TOKEN.variable}: copy it again from your Slack app's page, {BOT_TOKEN.where}. "
            f"({reason(error)}.)",
        )
    except NO_ANSWER as error:
        raise _unreachable(client, error) from error
    return Introduction(response, asked_at, clock())


def describe(introduction: Introduction) -> Iterator[Finding]:
    """The findings about a bot token that Slack accepts."""
    answer = introduction.response
    yield fine(SLACK, f"It accepts the bot token, which is {answer.get('user')}'s.")
    yield fine(WORKSPACE, f"The bot token belongs to {answer.get('team')} ({answer.get('url')}).")
    yield _scopes(_header(answer, "x-oauth-scopes"))
    yield _clock(introduction.slack_ahead)


def scopes_needed() -> frozenset[str]:
    """The scopes that ``manifest.yml`` asks for."""
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return frozenset(manifest["oauth_config"]["scopes"]["bot"])


def _unreachable(client: WebClient, error: Exception) -> Unreachable:
    return Unreachable(f"It cannot be reached at {client.base_url} ({reason(error)}). Check the network.")


def _scopes(header: str | None) -> Finding:
    if header is None:
        return not_checked(SCOPES, "Slack did not say which scopes the bot token has.")
    granted, needed = {scope.strip() for scope in header.split(",") if scope.strip()}, scopes_needed()
    if missing := sorted(needed - granted):
        return wrong(
            SCOPES,
            f"The bot token lacks {', '.join(missing)}. On your app's page, paste manifest.yml into App Manifest, "
            "save, and install the app again (Install App).",
        )
    more = sorted(granted - needed)
    surplus = f" It may also do what it need not: {', '.join(more)}." if more else ""
    return fine(SCOPES, f"The bot token has all {len(needed)} of manifest.yml.{surplus}")


def _clock(slack_ahead: tuple[float, float] | None) -> Finding:
    if slack_ahead is None:
        return not_checked(CLOCK, "Slack did not say what time it is.")
    least, most = slack_ahead
    if least > MOST_SECONDS_OFF or most < -MOST_SECONDS_OFF:
        off = abs(least + most) / 2
        return wrong(
            CLOCK,
            f"This machine's clock is {off:,.0f} s {'behind' if least > 0 else 'ahead of'} Slack's, and deadlines "
            "depend on it. Let the machine take the time from the network (NTP; on Linux: timedatectl set-ntp true).",
        )
    return fine(CLOCK, f"This machine's clock and Slack's agree within {MOST_SECONDS_OFF:g} s.")


def _header(response: SlackResponse, name: str) -> str | None:
    """A header of Slack's answer, however its name is written."""
    return next((value for key, value in response.headers.items() if key.lower() == name.lower()), None)
