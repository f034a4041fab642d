"""The log of the bot: a line for each event, as text or as JSON. It holds codes, and no Slack ID and no token."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class LogFormat(StrEnum):
    """How the log is written: lines for people, or an object of JSON in each line for programs."""

    TEXT = "text"
    JSON = "json"


_SECRETS = re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]+|\b[UWD](?=[A-Z]*\d)[A-Z0-9]{8,}\b")
"""Tokens, and Slack's IDs of people and of their direct messages. Errors of libraries may tell them."""

_PARTICIPANT = re.compile(r"\b[PRT]\d{1,3}\b(?:-\d+)?|\bP\d{3,}\b")
_SUBJECT = re.compile(r"\b(?:session|trial|evaluation|participant|study|alert|baseline):\d+\b")


def start_log(style: LogFormat) -> None:
    """Log to stderr in this format, from INFO on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style is LogFormat.JSON else TextLines())
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """One line for an event, and the traceback of an error below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record."""
        return _without_secrets(super().format(record))


class JsonLines(logging.Formatter):
    """One object for an event.

    Its keys: ``time`` (UTC), ``level``, ``logger``, ``message``; where known, ``participant`` (a code) and ``subject``
    (such as ``trial:17``); after an error, ``exception`` (its type) and ``traceback``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        message = record.getMessage()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        for key, pattern in (("participant", _PARTICIPANT), ("subject", _SUBJECT)):
            known = getattr(record, key, None) or (match[0] if (match := pattern.search(message)) else None)
            if known is not None:
                line[key] = known
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["traceback"] = self.formatException(record.exc_info)
        elif record.stack_info:
            line["traceback"] = record.stack_info
        return _without_secrets(json.dumps(line, ensure_ascii=False, default=str))


def _without_secrets(text: str) -> str:
    return _SECRETS.sub("…", text)
