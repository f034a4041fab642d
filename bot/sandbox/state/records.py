"""Conversations, messages, views and files as plain data."""

import time
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.json_types import Json, Values

TEAM_ID, APP_ID, BOT_USER, BOT_ID = "T00000001", "A00000001", "U00000BOT", "B00000001"
OTHER_TEAM_ID = "T00000002"
"""The workspace of another organisation."""

TEAM_DOMAIN, VERIFICATION_TOKEN = "local-workspace", "local-verification"


@dataclass(frozen=True)
class ChannelPlan:
    """A channel that exists from the start. Researchers and admins are in it; the app only when ``with_app``."""

    name: str
    with_app: bool = True
    private: bool = False


@dataclass
class Channel:
    """A conversation. In a direct message ``members`` are the person and the app's bot user."""

    id: str
    kind: Literal["dm", "channel"]
    name: str
    members: set[str]
    private: bool = False

    @property
    def slack_type(self) -> str:
        """Slack's ``channel_type``."""
        return "im" if self.kind == "dm" else "group" if self.private else "channel"


@dataclass
class Message:
    """A message.

    Attributes:
        visible_to: The one person who sees an ephemeral message.
        broadcast: Whether a reply shows in the conversation too.
        metadata: What the app has attached for itself: ``event_type`` and ``event_payload``. People do not see it.
    """

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    edited: str | None = None
    visible_to: str | None = None
    deleted: bool = False
    files: tuple[str, ...] = ()
    client_msg_id: str | None = None
    metadata: Json | None = None
    values: Values = field(default_factory=dict)

    @property
    def in_conversation(self) -> bool:
        """Whether it shows in the conversation, and not only in a thread."""
        return self.thread_ts in {None, self.ts} or self.broadcast


@dataclass(frozen=True)
class ScheduledMessage:
    """A message that the app wants posted at ``post_at`` (Unix time)."""

    channel: str
    text: str
    blocks: list[Json] | None
    post_at: int


@dataclass
class View:
    """A modal or a Home tab as it is now, with the states of its inputs."""

    id: str
    user: str
    type: Literal["modal", "home"]
    content: Json
    hash: str
    values: Values
    root_id: str = ""
    previous_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    submitting: bool = False

    @property
    def blocks(self) -> list[Json]:
        """The view's blocks, all with a ``block_id``."""
        blocks: list[Json] = self.content["blocks"]
        return blocks


@dataclass
class File:
    """An upload. It has no ``mimetype`` before ``ready_at`` (Unix time), and none at all before it is completed.

    Attributes:
        shown_by: The messages that showed it to others, as channel and ts: until one does, only the app has it.
    """

    id: str
    name: str
    expected_bytes: int
    upload_ticket: str
    title: str = ""
    alt_text: str = ""
    content: bytes | None = None
    ready_at: float | None = None
    shown_by: set[tuple[str, str]] = field(default_factory=set)

    @property
    def completed(self) -> bool:
        """Whether the upload was completed."""
        return self.ready_at is not None

    @property
    def mimetype(self) -> str:
        """The kind of file, found by its first bytes; empty until it is processed."""
        if self.content is None or self.ready_at is None or time.time() < self.ready_at:
            return ""
        for start, kind in ((b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif")):
            if self.content.startswith(start):
                return kind
        suffix = self.name.rpartition(".")[2].lower()
        return {"csv": "text/csv", "zip": "application/zip", "json": "application/json", "pdf": "application/pdf"}.get(
            suffix, "text/plain" if suffix in {"txt", "md", "toml"} else "application/octet-stream"
        )


@dataclass
class Trigger:
    """A ``trigger_id``: made when a person acts, exchanged once for a modal."""

    user: str
    expires: float
    view_id: str | None
    exchanged: bool = False


@dataclass
class ResponseUrl:
    """A ``response_url``: where it posts, for whom, which message it may replace, and how often it was used."""

    channel: str
    user: str
    expires: float
    message_ts: str | None = None
    uses: int = 0
