"""How strict the local workspace is: Slack's limits as data, so that a test can tighten or relax one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_TIER_1, _TIER_2, _TIER_3, _TIER_4 = 1, 20, 50, 100

SLACK_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        # Tier 1, "1+ a minute". Slack lets an app that reconnects through, so a few more are let through here too.
        "apps.connections.open": 10 * _TIER_1,
        "conversations.list": _TIER_2,
        "usergroups.users.list": _TIER_2,
        "chat.delete": _TIER_3,
        "chat.update": _TIER_3,
        "conversations.history": _TIER_3,
        "conversations.info": _TIER_3,
        "conversations.open": _TIER_3,
        "conversations.replies": _TIER_3,
        "files.delete": _TIER_3,
        "chat.postEphemeral": _TIER_4,
        "conversations.members": _TIER_4,
        "files.completeUploadExternal": _TIER_4,
        "files.getUploadURLExternal": _TIER_4,
        "files.info": _TIER_4,
        "users.info": _TIER_4,
        "views.open": _TIER_4,
        "views.publish": _TIER_4,
        "views.push": _TIER_4,
        "views.update": _TIER_4,
        # "Several hundred a minute per workspace", beside one a second per channel.
        "chat.postMessage": 300,
        "auth.test": 300,
        "chat.getPermalink": 300,
    }
)
"""Calls a minute by method (https://docs.slack.dev/apis/web-api/rate-limits), the guaranteed number of each tier."""


@dataclass(frozen=True)
class Rules:
    """What the workspace enforces. The defaults are Slack's.

    Attributes:
        ack_seconds: How long the app has to acknowledge an envelope.
        trigger_seconds: How long a ``trigger_id`` can be exchanged for a modal.
        file_processing_seconds: How long an uploaded file has no ``mimetype``.
        file_sharing_seconds: How long after its upload was completed a file is shared in its conversation.
        limits: Calls allowed per method in one window; a method that is not named has no limit; ``None``: no limits.
        window_seconds: The length of that window.
        posts_per_second: Messages a second into one channel, after a burst of ``post_burst``.
        post_burst: Messages into one channel at once. (Only enforced when ``limits`` are.)
        message_characters: A message's text and blocks together, as :func:`.blocks.characters` counts them.
        redelivery_seconds: How long after each failed delivery of an event the next attempt follows; the length is the
            number of attempts after the first one.
        refresh_seconds: How old a connection gets before Slack asks for a new one; ``None``: never.
        warning_seconds: How long after that warning the connection is closed.
        ping_seconds: How often every connection is pinged.
        max_connections: Socket Mode connections at once.
        response_url_seconds: How long a ``response_url`` lives.
        response_url_uses: How often it can be used.
        duplicate_events: Every event is delivered a second time, although it was acknowledged.
        refuse_files: Every ``files.*`` call fails as if ``files:write`` were not granted.
        update_shows_new_files: A file that no posted message showed before can be seen where ``chat.update`` brings it
            in. On Slack readers see a broken image there, and the app is told nothing.
        file_ids_show: The files that ``chat.update`` names in ``file_ids`` can be seen. Whether Slack does this is not
            known.
        alt_txt_shares: A file that was uploaded with ``alt_txt`` is shared like any other. On Slack some are not, and
            the app is told nothing.
        refuse_charts: A ``data_visualization`` block is refused, as in a workspace that does not have it yet.
        file_storage_bytes: All files together; beyond that, uploads are refused.
    """

    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    file_processing_seconds: float = 1.0
    file_sharing_seconds: float = 1.0
    limits: Mapping[str, int] | None = field(default_factory=lambda: SLACK_LIMITS)
    window_seconds: float = 60.0
    posts_per_second: float = 1.0
    post_burst: int = 5
    message_characters: int = 12_000
    redelivery_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    refresh_seconds: float | None = None
    warning_seconds: float = 10.0
    ping_seconds: float = 1.0
    max_connections: int = 10
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    duplicate_events: bool = False
    refuse_files: bool = False
    update_shows_new_files: bool = False
    file_ids_show: bool = False
    alt_txt_shares: bool = False
    refuse_charts: bool = False
    file_storage_bytes: int = 256 * 1024 * 1024
