"""Uploads of files to Slack, in its three steps, and messages with several files."""

import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient

from bot.slack.client import Slack

MOST_FILES = 10
"""The number of files in one message: a client shows no more of them together."""

LONGEST_ALT_TEXT = 1000
"""The number of characters that Slack accepts as a file's ``alt_txt``."""


@dataclass(frozen=True)
class File:
    """A file to send.

    Attributes:
        name: The name, with its suffix.
        content: The bytes, at least one; or the path of a file.
        alt_text: The text that a screen reader reads for a picture.
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

    Raises:
        SlackApiError: Slack refuses it, such as ``missing_scope`` or ``storage_limit_reached``.
        OSError: Slack cannot be reached.
    """
    ticket = client.files_getUploadURLExternal(
        filename=file.name, length=file.length, alt_txt=file.alt_text[:LONGEST_ALT_TEXT] or None
    )
    url = str(ticket["upload_url"])
    if isinstance(file.content, bytes):
        _send_bytes(client, url, file.content, file.length)
    else:
        with file.content.open("rb") as content:
            _send_bytes(client, url, content, file.length)
    return str(ticket["file_id"])


def send(slack: Slack, channel: str, files: Sequence[File], comment: str) -> None:
    """Post files in one message, with a comment above them.

    Args:
        slack: The workspace.
        channel: The ID of the conversation. Slack does not accept a user's ID here.
        files: The files; only the first ``MOST_FILES`` are sent.
        comment: The text above the files.

    Raises:
        SlackApiError: Slack refuses one of them, such as ``missing_scope`` or ``storage_limit_reached``.
        OSError: Slack cannot be reached.
    """
    uploaded: list[dict[str, str | None]] = [
        {"id": upload(slack.client, file), "title": file.name} for file in files[:MOST_FILES]
    ]
    slack.client.files_completeUploadExternal(files=uploaded, channel_id=channel, initial_comment=comment)


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
