"""What a check found: a verdict, and a sentence with what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.rate_limiter import CallNotMade

NO_ANSWER = (SlackClientError, OSError, HTTPException, CallNotMade)
"""What a call may raise when Slack does not answer. (``SlackApiError``, a refusal, is one of the first kind.)"""

_LONGEST_REASON = 200


class Verdict(StrEnum):
    """Whether all is well.

    Attributes:
        FINE: It is as it should be.
        WRONG: Somebody has to do something.
        NOT_CHECKED: It could not be checked, because something else is missing or wrong.
    """

    FINE = "fine"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"

    @property
    def sign(self) -> str:
        """How it is shown at the beginning of a line."""
        return {Verdict.FINE: "✓", Verdict.WRONG: "✗", Verdict.NOT_CHECKED: "–"}[self]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: What was checked, in a word or two.
        verdict: Whether it is well.
        text: A sentence about it, with what to do. It never has a token in it.
    """

    check: str
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        said = ", not checked" if self.verdict is Verdict.NOT_CHECKED else ""
        return f"{self.verdict.sign} {self.check}{said}: {self.text}"

    def as_json(self) -> dict[str, str]:
        """The finding for a program."""
        return {"check": self.check, "verdict": str(self.verdict), "text": self.text}


def fine(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.FINE, text)


def wrong(check: str, text: str) -> Finding:
    """Something has to be done."""
    return Finding(check, Verdict.WRONG, text)


def not_checked(check: str, why: str) -> Finding:
    """Something else is missing or wrong, so this is not known."""
    return Finding(check, Verdict.NOT_CHECKED, why)


def all_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong. What could not be checked does not count."""
    return all(finding.verdict is not Verdict.WRONG for finding in findings)


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """All findings for a program."""
    findings = list(findings)
    return {"well": all_well(findings), "findings": [finding.as_json() for finding in findings]}


def reason(error: Exception) -> str:
    """Why a call to Slack failed, in a few words."""
    if isinstance(error, SlackApiError):
        return f"Slack answers “{str(error.response.get('error'))[:_LONGEST_REASON]}”"
    told = error.reason if isinstance(error, URLError) else error
    return str(told)[:_LONGEST_REASON] or type(error).__name__
