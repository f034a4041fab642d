"""Metadata of messages, which an app attaches for itself (https://docs.slack.dev/messaging/message-metadata)."""

import json
import re
from typing import Any

from bot.sandbox.json_types import Json
from bot.sandbox.validation.errors import Refused

MOST_BYTES = 8 * 1024
"""The largest metadata, as JSON. Slack has a limit (``metadata_too_large``) and does not say which one."""

_EVENT_TYPE = re.compile(r"[A-Za-z0-9_-]+")


def check_metadata(metadata: Any) -> tuple[Json | None, list[str]]:
    """Check the metadata of a message.

    Args:
        metadata: As the app gave it; ``None`` or an empty object: there is none.

    Returns:
        The metadata, ``None`` if there is none; and Slack's warnings. Metadata with a warning is not kept.

    Raises:
        Refused: ``invalid_metadata_format`` or ``metadata_too_large``.
    """
    if metadata is None or metadata == {}:
        return None, []
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > MOST_BYTES:
        raise Refused("metadata_too_large")
    if not _EVENT_TYPE.fullmatch(metadata["event_type"]):
        return None, ["invalid_metadata_schema"]
    return {"event_type": metadata["event_type"], "event_payload": metadata["event_payload"]}, []
