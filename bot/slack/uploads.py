"""Uploads of files to Slack, in its three steps, and messages with several files."""

import logging
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.block_kit import shorten
from bot.slack.client import PacedClient, Slack
from bot.slack.rate_limiter import CallNotMade

log = logging.getLogger(__name__)

MOST_FILES = 10
"""The number of files in one message: a client shows no more of them together."""

SHARED_WITHIN = 60.0
"""Seconds that Slack may take to show files in their conversation; usually it is about one."""

_FIRST_LOOK, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds before the first look, and the longest pause between two looks. The pause doubles each time."""

_TITLE_CHARACTERS = 250


@dataclass(frozen=True)
class File:
    """A file to send.

    Attributes:
        name: The name, with its suffix.
        content: The bytes, at least one; or the path of a file.
        alt_text: What a picture shows. It becomes the file's title, which a screen reader reads.
    """

    name: str
    content: bytes | Path
    alt_text: str = ""

    @property
    def length(self) -> int:
        """The length in bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


def upload(client: WebClient, file: File) -> str:
    """Upload a file. Slack keeps it when ``files.completeUploadExternal`` is called with the ID that is returned.

    There is no ``alt_txt``: with it, Slack silently does not share some files.

    Raises:
        SlackApiError: Slack refuses it, such as ``missing_scope`` or ``storage_limit_reached``.
        OSError: Slack cannot be reached.
    """
    ticket = client.files_getUploadURLExternal(filename=file.name, length=file.length)
    url = str(ticket["upload_url"])
    if isinstance(file.content, bytes):
        _send_bytes(client, url, file.content, file.length)
    else:
        with file.content.open("rb") as content:
            _send_bytes(client, url, content, file.length)
    return str(ticket["file_id"])


def send(slack: Slack, channel: str, files: Sequence[File], comment: str) -> Mapping[str, str]:
    """Post files in one message, with a comment above them. Slack shows them a moment later.

    Args:
        slack: The workspace.
        channel: The ID of the conversation. Slack does not accept a user's ID here.
        files: The files; only the first ``MOST_FILES`` are sent.
        comment: The text above the files.

    Returns:
        The files' names by their ids.

    Raises:
        SlackApiError: Slack refuses one of them, such as ``missing_scope`` or ``storage_limit_reached``.
        OSError: Slack cannot be reached.
    """
    uploaded = {upload(slack.client, file): file for file in files[:MOST_FILES]}
    titled: list[dict[str, str | None]] = [
        {"id": file_id, "title": shorten(file.alt_text or file.name, _TITLE_CHARACTERS)}
        for file_id, file in uploaded.items()
    ]
    slack.client.files_completeUploadExternal(files=titled, channel_id=channel, initial_comment=comment)
    return {file_id: file.name for file_id, file in uploaded.items()}


def not_shown(slack: Slack, channel: str, sent: Mapping[str, str]) -> tuple[str, ...]:
    """Wait until Slack shows files in a conversation: it accepts them first, and shows them later or silently never.

    Args:
        slack: The workspace.
        channel: The ID of the conversation.
        sent: What :func:`send` returned.

    Returns:
        The names of the files that Slack does not show after ``SHARED_WITHIN`` seconds.
    """
    client, left = slack.client, list(sent)
    give_up_at, pause = time.monotonic() + SHARED_WITHIN, _FIRST_LOOK
    while left and client.limiter.pause(pause):
        left = [each for each in left if not _is_shown(client, channel, each)]
        time_left = give_up_at - time.monotonic()
        if time_left <= 0:
            break
        pause = min(2 * pause, _LONGEST_PAUSE, time_left)
    return tuple(sent[each] for each in left)


def _is_shown(client: PacedClient, channel: str, file_id: str) -> bool:
    try:
        file = client.files_info(file=file_id)["file"]
    except (SlackApiError, CallNotMade, OSError) as error:
        log.info("it is not known whether a file is shown: %s", error)
        return False
    shares = file.get("shares") or {}
    return any(channel in (shares.get(kind) or {}) for kind in ("private", "public"))


def _send_bytes(client: WebClient, url: str, content: bytes | BinaryIO, length: int) -> None:
    """Send a file's bytes to the upload address that Slack gave, with the client's proxy and certificates."""
    if urlsplit(url).scheme not in ("https", "http"):
        raise URLError(f"Slack gave an upload address that cannot be used: {url[:80]}")
    handlers: list[urllib.request.BaseHandler] = []
    if client.proxy:
        handlers.append(urllib.request.ProxyHandler({"http": client.proxy, "https": client.proxy}))
    if client.ssl:
        handlers.append(urllib.request.HTTPSHandler(context=client.ssl))
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url,
        data=content,
        headers={"Content-Type": "application/octet-stream", "Content-Length": str(length)},
        method="POST",
    )
    with urllib.request.build_opener(*handlers).open(request, timeout=client.timeout) as answer:
        answer.read()
