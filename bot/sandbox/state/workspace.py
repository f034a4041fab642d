"""What is in the workspace: people, conversations, messages, views, files. Look-ups and changes; no network."""

import itertools
import math
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from bot.sandbox.state.faults import Faults
from bot.sandbox.state.journal import ChangeLog, TrafficLog
from bot.sandbox.state.people import Kind, Member
from bot.sandbox.state.records import (
    BOT_USER,
    Channel,
    ChannelPlan,
    File,
    Message,
    ResponseUrl,
    ScheduledMessage,
    Trigger,
    View,
)
from bot.sandbox.validation.manifest import Manifest
from bot.sandbox.validation.strictness import Rules


class Workspace:
    """Everything in the workspace. Lives on the server's event loop and may be touched from no other thread."""

    def __init__(
        self, members: Iterable[Member], channels: Iterable[ChannelPlan], rules: Rules, manifest: Manifest
    ) -> None:
        self.rules = rules
        self.faults = Faults()
        self.manifest = manifest
        self.changes = ChangeLog()
        self.traffic = TrafficLog()
        self.members: dict[str, Member] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.scheduled: dict[str, ScheduledMessage] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.read_until: dict[tuple[str, str], str] = {}
        self.refusals: dict[tuple[str, str], str] = {}
        self._numbers = itertools.count(1)
        self._last_ts = 0
        for plan in channels:
            self._open_channel(plan)
        for member in members:
            self.join(member)

    def join(self, member: Member) -> Member:
        """Let somebody in: they get an id, a conversation with the app, and (unless participant) the channels.

        An account with which the app can open no conversation gets none.
        """
        number = len(self.members) + 1
        while not member.id and f"U{number:08d}" in self.members:
            number += 1
        joined = replace(member, id=member.id or f"U{number:08d}")
        if joined.id in self.members:
            raise ValueError(f"{joined.id} is already in the workspace.")
        self.members[joined.id] = joined
        if joined.is_present:
            direct = f"D{joined.id[1:]}"
            self.channels[direct] = Channel(direct, "dm", self.manifest.app_name, {joined.id, BOT_USER})
            self.messages[direct] = {}
        if joined.role != "participant":
            for channel in self.channels.values():
                if channel.kind == "channel":
                    channel.members.add(joined.id)
        self.changes.add("people")
        self.changes.add("conversations", audience=frozenset({joined.id}))
        return joined

    def deactivate(self, user: str) -> None:
        """Deactivate a person's account: they leave the channels. Their conversation with the app stays."""
        self.members[user] = replace(self.members[user], kind=Kind.DEACTIVATED)
        for channel in self.channels.values():
            if channel.kind == "channel":
                channel.members.discard(user)
        self.changes.add("people")

    def is_deactivated(self, user: str) -> bool:
        """Whether this is somebody whose account was deactivated."""
        return user in self.members and self.members[user].is_deactivated

    def _open_channel(self, plan: ChannelPlan) -> None:
        channel_id = f"C{len(self.channels) + 1:08d}"
        members = {BOT_USER} if plan.with_app else set()
        self.channels[channel_id] = Channel(channel_id, "channel", plan.name.lstrip("#"), members, plan.private)
        self.messages[channel_id] = {}

    @property
    def clock(self) -> float:
        """The time as this workspace has it (Unix time)."""
        return time.time() + self.rules.clock_ahead_seconds

    def new_ts(self) -> str:
        """A timestamp as Slack writes them, later than every one before."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, letter: str) -> str:
        """An id that nothing else has: the letter says what of, as in Slack."""
        return f"{letter}{next(self._numbers):04d}{secrets.token_hex(3).upper()}"

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        """A ``trigger_id`` for what this person does now."""
        now = time.monotonic()
        if len(self.triggers) > 5_000:
            self.triggers = {key: each for key, each in self.triggers.items() if each.expires > now - 60}
        trigger_id = f"{self._last_ts}.{next(self._numbers)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, now + self.rules.trigger_seconds, view_id)
        return trigger_id

    def new_response_url(self, channel: str, user: str, message_ts: str | None = None) -> str:
        """The ticket of a ``response_url``."""
        now = time.monotonic()
        if len(self.response_urls) > 5_000:
            self.response_urls = {key: each for key, each in self.response_urls.items() if each.expires > now}
        ticket = secrets.token_hex(12)
        self.response_urls[ticket] = ResponseUrl(channel, user, now + self.rules.response_url_seconds, message_ts)
        return ticket

    def direct_channel(self, user: str) -> Channel | None:
        """The conversation between somebody and the app; ``None`` if there never was one."""
        return self.channels.get(f"D{user[1:]}")

    def name_of(self, user: str) -> str:
        """What people read as the author."""
        return self.manifest.app_name if user == BOT_USER else self.members[user].name

    def visible(self, channel: str, user: str, *, opened: float = math.inf) -> list[Message]:
        """What this person sees in a conversation, oldest first. A deleted message stays only over its replies.

        Args:
            channel: The conversation.
            user: The person.
            opened: When (Unix time) the client in which they look was opened or last reloaded: it has only those
                ephemeral messages that came since then. By default none, as in every client that is opened now.
        """
        answered = self.reply_counts(channel)
        return [
            each
            for each in self.messages[channel].values()  # Their ts only grow, so they are in order.
            if (each.visible_to is None or (each.visible_to == user and float(each.ts) >= opened))
            and (not each.deleted or answered[each.ts])
        ]

    def reply_counts(self, channel: str) -> Counter[str]:
        """How many replies that everybody sees there are, by the ts of what they reply to."""
        return Counter(
            each.thread_ts
            for each in self.messages[channel].values()
            if each.thread_ts is not None and not each.deleted and each.visible_to is None
        )

    def replies(self, channel: str, ts: str) -> list[Message]:
        """The replies in a thread that everybody sees, oldest first."""
        return [
            each
            for each in self.messages[channel].values()
            if each.thread_ts == ts and not each.deleted and each.visible_to is None
        ]

    def message(self, channel: str, ts: str) -> Message | None:
        """The message with this ts; ``None`` if it never was there or was deleted."""
        found = self.messages.get(channel, {}).get(ts)
        return None if found is None or found.deleted else found

    def add_message(self, message: Message) -> Message:
        """Put a message into its conversation and tell those who can see it."""
        self.messages[message.channel][message.ts] = message
        self.message_changed(message)
        return message

    def message_changed(self, message: Message) -> None:
        """Tell the clients of everybody who sees the message."""
        members = self.channels[message.channel].members
        audience = frozenset({message.visible_to}) if message.visible_to else frozenset(members)
        self.changes.add("message", channel=message.channel, ts=message.ts, audience=audience)

    def delete_message(self, message: Message) -> None:
        """Delete a message; over replies a trace of it stays."""
        message.deleted, message.blocks, message.text, message.files = True, None, "This message was deleted.", ()
        if not self.replies(message.channel, message.ts):
            del self.messages[message.channel][message.ts]
        self.message_changed(message)

    def show_files(self, message: Message, file_ids: Iterable[str]) -> None:
        """From now on everybody in the message's conversation may see these files.

        An ephemeral message shows nobody a file: Slack has no way to share one with it.
        """
        for file_id in file_ids:
            if message.visible_to is None and (file := self.files.get(file_id)) is not None:
                file.shown_by.add((message.channel, message.ts))

    def may_see(self, file: File, user: str) -> bool:
        """Whether a message showed the file to this person, and is still there.

        What Slack does once that message was deleted is not known; here the file is private again.
        """
        return any(
            user in self.channels[channel].members and self.message(channel, ts) is not None
            for channel, ts in file.shown_by
        )

    def stack(self, user: str) -> list[View]:
        """This person's open modals, the last one on top."""
        return [self.views[view_id] for view_id in self.stacks.get(user, [])]

    def home(self, user: str) -> View | None:
        """This person's Home tab, once the app published one."""
        view_id = self.homes.get(user)
        return None if view_id is None else self.views[view_id]

    def views_changed(self, view: View) -> None:
        """Tell the client of the person who has the view open."""
        kind: Literal["home", "views"] = "home" if view.type == "home" else "views"
        self.changes.add(kind, audience=frozenset({view.user}))

    def close_views(self, user: str, views: Sequence[View]) -> None:
        """Take modals from a person's stack."""
        gone = {view.id for view in views}
        self.stacks[user] = [view_id for view_id in self.stacks.get(user, []) if view_id not in gone]
        for view_id in gone:
            self.views.pop(view_id, None)
        self.changes.add("views", audience=frozenset({user}))

    def unread(self, channel: str, user: str) -> int:
        """How many messages of others were posted into the conversation after this person last looked.

        Replies count only where they are broadcast, edits never, and ephemeral messages neither: Slack keeps none.
        """
        read = self.read_until.get((user, channel), "")
        return sum(
            each.ts > read and each.user != user and each.in_conversation and not each.deleted
            for each in self.visible(channel, user)
        )
