"""Files for people: sent into a conversation, several of them in one message."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.live.pictures import send_bytes
from bot.slack.client import Slack
from bot.slack.rate_limiter import Priority

MOST_FILES = 10
"""In one message; a client shows no more of them together."""


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
    uploaded: list[dict[str, str | None]] = []
    for file in files[:MOST_FILES]:
        with slack.pacer.turn("files.getUploadURLExternal", Priority.RESULT):
            place = slack.client.files_getUploadURLExternal(
                filename=file.name, length=file.length, alt_txt=file.alt_text[:1000] or None
            )
        _upload(slack, str(place["upload_url"]), file)
        uploaded.append({"id": str(place["file_id"]), "title": file.name})
    with slack.pacer.turn("files.completeUploadExternal", Priority.RESULT):
        slack.client.files_completeUploadExternal(files=uploaded, channel_id=channel, initial_comment=comment)


def _upload(slack: Slack, url: str, file: File) -> None:
    if isinstance(file.content, bytes):
        send_bytes(slack.client, url, file.content, file.length)
        return
    with file.content.open("rb") as content:
        send_bytes(slack.client, url, content, file.length)
