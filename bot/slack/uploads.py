"""Files: sent to Slack in its three steps, and posted in a conversation, several of them in one message."""

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
"""In one message; a client shows no more of them together."""

LONGEST_ALT_TEXT = 1000
"""Characters that Slack takes as a file's ``alt_txt``."""


@dataclass(frozen=True)
class File:
    """A file to send.

    Attributes:
        name: With its suffix.
        content: Its bytes, at least one; or where they are.
        alt_text: What a screen reader says in place of a picture.
    """

    name: str
    content: bytes | Path
    alt_text: str = ""

    @property
    def length(self) -> int:
        """In bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


def upload(client: WebClient, file: File) -> str:
    """Give a file to Slack, which keeps it when ``files.completeUploadExternal`` names it next. Returns its ID.

    Raises:
        SlackApiError: Slack refuses it, such as ``missing_scope`` or ``storage_limit_reached``.
        OSError: Slack could not be reached.
    """
    place = client.files_getUploadURLExternal(
        filename=file.name, length=file.length, alt_txt=file.alt_text[:LONGEST_ALT_TEXT] or None
    )
    url = str(place["upload_url"])
    if isinstance(file.content, bytes):
        _send_bytes(client, url, file.content, file.length)
    else:
        with file.content.open("rb") as content:
            _send_bytes(client, url, content, file.length)
    return str(place["file_id"])


def send(slack: Slack, channel: str, files: Sequence[File], comment: str) -> None:
    """Post files with a line above them.

    Args:
        slack: The workspace.
        channel: The conversation's own ID: Slack takes no user's here.
        files: At most ``MOST_FILES``.
        comment: What they are.

    Raises:
        SlackApiError: Slack refuses one of them, such as ``missing_scope`` or ``storage_limit_reached``.
        OSError: Slack could not be reached.
    """
    uploaded: list[dict[str, str | None]] = [
        {"id": upload(slack.client, file), "title": file.name} for file in files[:MOST_FILES]
    ]
    slack.client.files_completeUploadExternal(files=uploaded, channel_id=channel, initial_comment=comment)


def _send_bytes(client: WebClient, url: str, content: bytes | BinaryIO, length: int) -> None:
    """Send a file's bytes to the address that Slack named for them, by the client's proxy and certificates."""
    if urlsplit(url).scheme not in ("https", "http"):
        raise URLError(f"Slack named an upload address that is none: {url[:80]}")
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
