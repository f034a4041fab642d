"""The live feed: keeps messages up to date while they change, within Slack's limits.

Code that changes something calls :meth:`LiveFeed.touch`. The feed calls ``render`` at the moment when it sends a
message. So the newest state is always sent, and skipped states never wait in a queue. Updates that a person waits for
go before all frames. An update notifies nobody, so what a person waits for while they look elsewhere is posted, not
updated: see :mod:`bot.participant.trial_messages`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.live.forms import Form, Shown
from bot.live.plots import Attempt, Plots, code_of
from bot.live.queue import FeedQueue, Subject
from bot.slack.block_kit import Message
from bot.slack.client import PacedClient
from bot.slack.error_reporting import may_pass
from bot.slack.lasting_thread import LastingThread
from bot.slack.rate_limiter import CallNotMade, Priority, on_terms
from reports.figures.loss_plot import LossCurves

__all__ = ["Address", "Counters", "LiveFeed", "NotNow", "Priority", "Rendering"]

logger = logging.getLogger(__name__)

REPOST_AFTER = 20.0
"""Seconds between two pictures of one trial that are posted because its message cannot show its losses as a chart."""

_AWAITED_WORKERS = 2

_LIVE = {
    "chart": (Form.CHART, Form.NUMBERS),
    "picture": (Form.PICTURE, Form.CHART, Form.NUMBERS),
    "repost": (Form.NUMBERS,),
}
"""The forms of running trials' losses, by the wanted one."""

_POSTED = (Form.PICTURE, Form.CHART, Form.NUMBERS)
"""The forms of losses that do not grow any more."""


@dataclass(frozen=True)
class Address:
    """The address of a message."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Rendering:
    """A message as it should look now.

    Attributes:
        address: The message to update.
        message: Makes the message around the blocks that show the curves, which may be none.
        curves: What to draw; ``None`` for a message without curves.
        live: Whether the curves still grow.
        picture: Where they do not grow any more: the picture with which the message was posted.
        file_name: The name of pictures, which participants can read.
    """

    address: Address
    message: Callable[[Sequence[Block]], Message]
    curves: LossCurves | None = None
    live: bool = True
    picture: Shown | None = None
    file_name: str = "losses.png"


@dataclass(frozen=True)
class Counters:
    """The counts of what the feed has done since it was created.

    Attributes:
        frames: Updates sent for a running plot.
        results: Updates sent that a person waited for.
        pictures: Pictures uploaded and processed, for messages that were posted too.
        fallbacks: Updates that showed their curves in another form than the wanted one, or had no blocks.
        deletes: Superseded pictures deleted.
    """

    frames: int
    results: int
    pictures: int
    fallbacks: int
    deletes: int


class NotNow(Exception):
    """A message is to stay as it is for now. It is touched again when that is over."""


class LiveFeed:
    """Keeps messages up to date. Safe from any thread.

    Args:
        client: The client with the bot's token.
        plots: Shows curves in a form that the workspace accepts.
        render: Returns how the message of a subject should look now, or ``None`` if there is no message. Raises
            :class:`NotNow` for a message that is to stay as it is. Called on the feed's threads.
        repost: Posts the present plot of a subject anew, where its message cannot show it. Called on the feed's
            threads.
        workers: The number of frames that are made at once. Where they are pictures, Slack needs a second or more to
            process one, and four are enough for the limit of ``chat.update``.
        note_picture: Stores which file a subject's message shows now (``None``: no picture), and returns the file that
            it showed before. It outlives the feed, so pictures of an earlier feed are deleted, too.
    """

    def __init__(
        self,
        client: PacedClient,
        plots: Plots,
        render: Callable[[str], Rendering | None],
        *,
        repost: Callable[[str], None] = lambda _subject: None,
        workers: int = 4,
        note_picture: Callable[[str, str | None], str | None] = lambda _subject, _file: None,
    ) -> None:
        self._client = client
        self._plots = plots
        self._render = render
        self._repost = repost
        self._limiter = client.limiter
        self._note_picture = note_picture
        self._queue = FeedQueue()
        self._lock = threading.Lock()
        self._frames = self._results = self._fallbacks = 0
        self._threads = [
            LastingThread(f"live-feed-{number}", partial(self._work, frames))
            for number, frames in enumerate([False] * _AWAITED_WORKERS + [True] * workers)
        ]

    @property
    def counters(self) -> Counters:
        """The counts so far."""
        pictures = self._plots.pictures
        with self._lock:
            return Counters(self._frames, self._results, pictures.uploads, self._fallbacks, pictures.deletes)

    @property
    def threads(self) -> Sequence[LastingThread]:
        """The threads that send, and the one that deletes pictures."""
        return (*self._threads, self._plots.pictures.thread)

    def start(self) -> None:
        """Start sending."""
        self._plots.pictures.start()
        for thread in self._threads:
            thread.start()

    def touch(self, subject: str, priority: Priority) -> None:
        """Say that a subject has changed. Never waits; after :meth:`close` it does nothing."""
        self._queue.add(subject, awaited=priority is Priority.RESULT)

    def close(self, flush: float) -> None:
        """Send the updates that people wait for, drop the frames, and stop, in about ``flush`` seconds at most.

        A superseded picture that could not be deleted in that time stays in the workspace's storage.
        """
        give_up_at = time.monotonic() + flush
        self._queue.close()
        self._limiter.wake()
        unsent = self._queue.stop(within=give_up_at - time.monotonic())
        self._limiter.wake()
        if unsent:
            logger.warning("Closed before these messages were brought up to date: %s", ", ".join(unsent))
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, give_up_at - time.monotonic()))
        self._plots.pictures.close(give_up_at - time.monotonic())

    def _work(self, frames: bool) -> None:
        while (job := self._queue.next(frames=frames)) is not None:
            try:
                if job.awaited:
                    self._send_awaited(job.subject)
                else:
                    self._send_frame(job.subject)
            except (CallNotMade, NotNow) as reason:
                logger.debug("An update of %s was given up: %s", job.subject.name, reason)
            except Exception as error:  # noqa: BLE001 - whatever it is, the feed goes on and tells
                self._queue.retry(job, lasting=not may_pass(error))
                self._plots.report(job.subject.name, error)
            finally:
                self._queue.done(job)

    # --- sending ---------------------------------------------------------------------------------------------------

    def _send_awaited(self, subject: Subject) -> None:
        """Send an update that a person waits for: the newest state, with the old picture where it has one."""
        subject.results += 1  # now, not when it is sent: what changes meanwhile is drawn in a frame of its own
        if self._update(subject, Priority.RESULT, lambda: self._queue.is_stopped) is not None:
            with self._lock:
                self._results += 1

    def _send_frame(self, subject: Subject) -> None:
        """Send the newest state, with the newest curves."""
        results = subject.results

        def abandoned() -> bool:
            # What was to be drawn before a result is not needed: the result shows the state, too.
            return self._queue.is_closing or subject.results != results

        fresh = self._upload(subject, abandoned) if self._plots.wanted().form == "picture" else None
        try:
            sent = self._update(subject, Priority.FRAME, abandoned, fresh)
        except CallNotMade:
            if fresh is not None:
                self._plots.pictures.discard(fresh.file_id)
            raise
        except Exception:
            if fresh is not None:
                subject.doubtful.append(fresh.file_id)  # perhaps only Slack's answer was lost
            raise
        if fresh is not None and subject.shown != fresh:
            self._plots.pictures.discard(fresh.file_id)
        if sent is None:
            return
        with self._lock:
            self._frames += 1
        if sent.live and sent.curves is not None and self._reposts() and self._is_due(subject):
            with on_terms(Priority.FRAME, abandon=abandoned):
                self._repost(subject.name)

    def _upload(self, subject: Subject, abandon: Callable[[], bool]) -> Shown | None:
        """Upload a new picture of the curves; ``None`` if no new one is needed or possible."""
        rendering = self._render(subject.name)
        if rendering is None or not rendering.live or rendering.curves is None:
            return None
        if subject.shown is not None and subject.shown.curves == rendering.curves:
            return None
        with on_terms(Priority.FRAME):
            file_id = self._plots.upload(subject.name, rendering.file_name, rendering.curves, abandon)
        return None if file_id is None else Shown(file_id, rendering.curves)

    def _update(
        self, subject: Subject, priority: Priority, abandon: Callable[[], bool], fresh: Shown | None = None
    ) -> Rendering | None:
        """Update the message, in the best form that Slack accepts.

        Args:
            fresh: A new picture; without it, the message keeps the one it has.

        Returns:
            What was sent; ``None`` if there is no such message (any more).
        """
        return self._plots.in_best_form(subject.name, partial(self._update_as, subject, priority, abandon, fresh))

    def _update_as(
        self, subject: Subject, priority: Priority, abandon: Callable[[], bool], fresh: Shown | None, attempt: Attempt
    ) -> Rendering | None:
        with on_terms(priority, abandon=abandon), self._limiter.turn("chat.update"), subject.sending:
            if abandon():
                raise CallNotMade("The update was overtaken.")
            rendering = self._render(subject.name)
            if rendering is None:
                self._queue.forget(subject)
                return None
            plots = self._plots.wanted()
            wanted = _LIVE[plots.form] if rendering.live else _POSTED
            picture = (fresh or subject.shown) if rendering.live else rendering.picture
            message = rendering.message(attempt.show(rendering.curves, picture, wanted))
            shown = picture if attempt.form is Form.PICTURE else None
            try:
                self._client.chat_update(
                    channel=rendering.address.channel,
                    ts=rendering.address.ts,
                    text=message.text,
                    blocks=[] if attempt.form is Form.TEXT_ONLY else message.blocks,
                    file_ids=[shown.file_id] if shown is not None and plots.file_ids else None,
                )
            except SlackApiError as error:
                if code_of(error) != "message_not_found":
                    raise
                self._queue.forget(subject)
                self._now_shows(subject, None)
                return None
            subject.served_at, subject.attempts = time.monotonic(), 0
            self._now_shows(subject, shown)
            if attempt.form is Form.TEXT_ONLY or (rendering.curves is not None and attempt.form is not wanted[0]):
                with self._lock:
                    self._fallbacks += 1
            return rendering

    # --- pictures --------------------------------------------------------------------------------------------------

    def _reposts(self) -> bool:
        """Whether the losses of running trials are posted anew now and then: by the settings, or without charts."""
        form = self._plots.wanted().form
        return form == "repost" or not any(self._plots.forms.takes(each) for each in _LIVE[form][:-1])

    @staticmethod
    def _is_due(subject: Subject) -> bool:
        now = time.monotonic()
        if now - subject.reposted_at < REPOST_AFTER:
            return False
        subject.reposted_at = now
        return True

    def _now_shows(self, subject: Subject, picture: Shown | None) -> None:
        """Note which picture the message shows, and discard all other files that it showed or may have shown."""
        before = {*subject.doubtful, *([subject.shown.file_id] if subject.shown else [])}
        subject.doubtful.clear()
        file_id = picture.file_id if picture else None
        if not subject.noted or picture != subject.shown:
            try:
                before.add(self._note_picture(subject.name, file_id) or "")
                subject.noted = True
            except LookupError:  # its participant had the message deleted a moment ago
                self._queue.forget(subject)
                before.add(file_id or "")
                picture = file_id = None
            except Exception as error:  # noqa: BLE001 - the message is sent; in the worst case a file remains
                self._plots.report(subject.name, error)
        subject.shown = picture
        for superseded in before - {file_id, ""}:
            self._plots.pictures.discard(superseded)
