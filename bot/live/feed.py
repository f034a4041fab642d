"""The live feed: keeps messages in sessions' threads up to date while they change, within Slack's limits.

Code that changes something calls :meth:`LiveFeed.touch`. The feed calls ``render`` at the moment when it sends a
message. So the newest state is always sent, and skipped states never wait in a queue. An update that a person waits for
(a result, a cancellation) is sent at once with the old picture. Its last picture follows before all other frames.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError, SlackObjectFormationError
from slack_sdk.models.blocks import Block, ImageBlock

from bot.live.fallbacks import Form, FormsTaken, Shown, show
from bot.live.pictures import Pictures
from bot.live.queue import FeedQueue, Subject, Urgency
from bot.slack.block_kit import Message
from bot.slack.client import PacedClient
from bot.slack.error_reporting import may_pass
from bot.slack.rate_limiter import CallNotMade, Priority, on_terms
from reports.figures.loss_plot import LossCurves, draw

__all__ = ["Address", "Counters", "LiveFeed", "Priority", "Rendering"]

logger = logging.getLogger(__name__)

REFUSAL_REMEMBERED = 600.0
"""Seconds for which pictures or charts are not tried again after a lasting refusal: no scope, no such block."""

FAILURE_REMEMBERED = 60.0
"""Seconds for which pictures are not tried again after an upload failed for a reason that may pass."""

IMAGES_REFUSED = 3
"""After this many refused image blocks in a row, the workspace shows no images. Fewer mean that one file was lost."""

_REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
_WORD_WORKERS = 2


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
        message: Makes the message around the block that shows the curves: an image, a chart or a line of numbers, or
            ``None`` while there is nothing to show. It is called once for an update that Slack accepts.
        curves: What to draw; ``None`` for a message without a picture.
        file_name: The picture's file name, which participants can read.
    """

    address: Address
    message: Callable[[Block | None], Message]
    curves: LossCurves | None = None
    file_name: str = "losses.png"


@dataclass(frozen=True)
class Counters:
    """The counts of what the feed has done since it was created.

    Attributes:
        frames: Updates sent for a running plot, the last picture of a result among them.
        results: Updates sent that a person waited for.
        pictures: Pictures uploaded and processed.
        fallbacks: Updates that showed their curves in another form than an image, or had no blocks.
        deletes: Superseded pictures deleted.
    """

    frames: int
    results: int
    pictures: int
    fallbacks: int
    deletes: int


class LiveFeed:
    """Keeps messages up to date. Safe from any thread.

    Args:
        client: The client with the bot's token.
        render: Returns how the message of a subject should look now, or ``None`` if there is no message. Called on the
            feed's threads.
        on_failure: Called with the subject and the error when something goes wrong, at most every ten minutes for the
            same error.
        workers: The number of pictures that are made at once. Slack needs a second or more to process one, and four
            are enough for the limit of ``chat.update``.
        note_picture: Stores which file a subject's message shows now (``None``: no picture), and returns the file that
            it showed before. It outlives the feed, so pictures of an earlier feed are deleted, too.
    """

    def __init__(
        self,
        client: PacedClient,
        render: Callable[[str], Rendering | None],
        *,
        on_failure: Callable[[str, Exception], None],
        workers: int = 4,
        note_picture: Callable[[str, str | None], str | None] = lambda _subject, _file: None,
    ) -> None:
        self._client = client
        self._render = render
        self._limiter = client.limiter
        self._on_failure = on_failure
        self._note_picture = note_picture
        self._pictures = Pictures(client)
        self._queue = FeedQueue()
        self._lock = threading.Lock()
        self._taken = FormsTaken()
        self._reported: dict[tuple[str, str], float] = {}
        self._image_refusals = 0
        self._frames = self._results = self._fallbacks = 0
        self._threads = [
            threading.Thread(target=self._work, args=(pictures,), name=f"live-feed-{number}", daemon=True)
            for number, pictures in enumerate([False] * _WORD_WORKERS + [True] * workers)
        ]

    @property
    def counters(self) -> Counters:
        """The counts so far."""
        with self._lock:
            return Counters(
                self._frames, self._results, self._pictures.uploads, self._fallbacks, self._pictures.deletes
            )

    def start(self) -> None:
        """Start sending."""
        self._pictures.start()
        for thread in self._threads:
            thread.start()

    def touch(self, subject: str, priority: Priority) -> None:
        """Say that a subject has changed. Never waits; after :meth:`close` it does nothing."""
        self._queue.add(subject, awaited=priority is Priority.RESULT)

    def close(self, flush: float) -> None:
        """Send the results that wait, drop the frames, and stop, in about ``flush`` seconds at most.

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
        self._pictures.close(give_up_at - time.monotonic())

    def _work(self, pictures: bool) -> None:
        while (job := self._queue.next(pictures=pictures)) is not None:
            subject, urgency = job
            try:
                if urgency is None:
                    self._send_words(subject)
                else:
                    self._send_picture(subject, urgency)
            except CallNotMade:
                logger.debug("An update of %s was given up.", subject.name)
            except Exception as error:  # noqa: BLE001 - whatever it is, the feed goes on and tells
                lasting = not may_pass(error)
                self._queue.retry(subject, urgency, lasting=lasting)
                self._report(subject, error)
            finally:
                self._queue.done(subject, urgency)

    # --- sending ---------------------------------------------------------------------------------------------------

    def _send_words(self, subject: Subject) -> None:
        """Send an update that a person waits for: the newest words with the old picture."""
        self._queue.overtake(subject)
        sent = self._update(subject, Priority.RESULT, abandon=lambda: self._queue.is_stopped)
        if sent is None:
            return
        with self._lock:
            self._results += 1
        shown = subject.shown.curves if subject.shown else None
        lags = sent.curves is not None and sent.curves != shown and self._taken.best() is Form.IMAGE
        self._queue.words_sent(subject, picture_lags=lags)

    def _send_picture(self, subject: Subject, urgency: Urgency) -> None:
        """Draw and upload a new picture, and then update the message."""
        results = subject.results

        def abandoned() -> bool:
            # What was drawn before a result is not needed: the result's own picture follows, where there is one.
            too_late = subject.results != results or (urgency is Urgency.FRAME and self._queue.is_closing)
            return self._queue.is_stopped or too_late

        if (rendering := self._render(subject.name)) is None:
            self._queue.forget(subject)
            return
        # A result's last picture has this priority, too: its words are sent already, and other people's words go first.
        fresh = self._upload(subject, rendering, abandoned)
        try:
            sent = self._update(subject, Priority.FRAME, abandon=abandoned, rendering=rendering, fresh=fresh)
        except CallNotMade:
            if fresh is not None:
                self._pictures.discard(fresh.file_id)
            raise
        except Exception:
            if fresh is not None:
                subject.doubtful.append(fresh.file_id)  # perhaps only Slack's answer was lost
            raise
        if fresh is not None and subject.shown != fresh:
            self._pictures.discard(fresh.file_id)
        if sent is not None:
            with self._lock:
                self._frames += 1

    def _upload(self, subject: Subject, rendering: Rendering, abandon: Callable[[], bool]) -> Shown | None:
        """Upload a new picture of the curves; ``None`` if no new one is needed or possible."""
        curves = rendering.curves
        if curves is None or self._taken.best() is not Form.IMAGE:
            return None
        if subject.shown is not None and subject.shown.curves == curves:
            return None
        try:
            with on_terms(Priority.FRAME):
                file_id = self._pictures.upload(rendering.file_name, draw(curves), curves.alt_text, abandon)
        except CallNotMade:
            raise
        except Exception as error:  # noqa: BLE001 - without pictures the study goes on
            passing = may_pass(error)
            self._avoid(Form.IMAGE, subject, error, FAILURE_REMEMBERED if passing else REFUSAL_REMEMBERED)
            return None
        return Shown(file_id, curves)

    def _update(
        self,
        subject: Subject,
        priority: Priority,
        *,
        abandon: Callable[[], bool],
        rendering: Rendering | None = None,
        fresh: Shown | None = None,
    ) -> Rendering | None:
        """Update the message, in the best form that Slack accepts.

        Args:
            rendering: What was rendered for ``fresh``; without it, the message is rendered when its turn has come.
            fresh: A new picture; without it, the message keeps the one it has.

        Returns:
            What was sent; ``None`` if there is no such message (any more).
        """
        refusals: list[tuple[Form, Exception]] = []
        without_picture = False
        for form in self._taken.to_try():
            if without_picture and form is not Form.TEXT_ONLY:
                continue
            with on_terms(priority, abandon=abandon), self._limiter.turn("chat.update"), subject.sending:
                if abandon():
                    raise CallNotMade("The update was overtaken.")
                rendering = rendering or self._render(subject.name)
                if rendering is None:
                    self._queue.forget(subject)
                    return None
                picture = fresh or subject.shown
                block = show(form, rendering.curves, picture)
                try:
                    message = rendering.message(block)
                    self._client.chat_update(
                        channel=rendering.address.channel,
                        ts=rendering.address.ts,
                        text=message.text,
                        blocks=[] if form is Form.TEXT_ONLY else message.blocks,
                    )
                except (SlackApiError, SlackObjectFormationError) as error:
                    if _code(error) == "message_not_found":
                        self._queue.forget(subject)
                        self._now_shows(subject, None)
                        return None
                    if _code(error) not in _REFUSED_BLOCKS or form is Form.TEXT_ONLY:
                        raise
                    refusals.append((form, error))
                    without_picture = block is None or form is Form.NUMBERS
                    continue
                if priority is Priority.RESULT:
                    subject.results += 1  # before anything else is sent: it must not be older
                self._sent(subject, picture if isinstance(block, ImageBlock) else None)
            if form is Form.TEXT_ONLY or (form is not Form.IMAGE and rendering.curves is not None):
                with self._lock:
                    self._fallbacks += 1
            self._learn(subject, form, refusals)
            return rendering
        return None

    def _sent(self, subject: Subject, picture: Shown | None) -> None:
        """Note that a message was sent with this picture or with none. The old picture is not needed any more."""
        subject.served_at, subject.attempts = time.monotonic(), 0
        if picture is not None:
            self._image_refusals = 0
        self._now_shows(subject, picture)

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
                self._report(subject, error)
        subject.shown = picture
        for superseded in before - {file_id, ""}:
            self._pictures.discard(superseded)

    def _learn(self, subject: Subject, form: Form, refusals: list[tuple[Form, Exception]]) -> None:
        """Avoid the forms that were refused before one was accepted, unless the whole message was at fault."""
        for refused, error in refusals:
            if refused is Form.IMAGE:
                self._image_refusals += 1
            if form is Form.TEXT_ONLY or (refused is Form.IMAGE and self._image_refusals < IMAGES_REFUSED):
                self._report(subject, error)
            else:
                self._avoid(refused, subject, error, REFUSAL_REMEMBERED)

    # --- failing ---------------------------------------------------------------------------------------------------

    def _avoid(self, form: Form, subject: Subject, error: Exception, seconds: float) -> None:
        self._taken.avoid(form, seconds)
        self._report(subject, error, about=form.name)

    def _report(self, subject: Subject, error: Exception, about: str | None = None) -> None:
        """Log an error. Call ``on_failure``, unless it was called for the same error in the last ten minutes."""
        what = _code(error) or repr(error)
        key, now = (about or subject.name, what), time.monotonic()
        with self._lock:
            known = now - self._reported.get(key, float("-inf")) < REFUSAL_REMEMBERED
            if not known:
                self._reported = {each: at for each, at in self._reported.items() if now - at < REFUSAL_REMEMBERED}
                self._reported[key] = now
        logger.warning(
            "The live feed could not show %s as wanted: %s", subject.name, what, exc_info=None if known else error
        )
        if not known:
            try:
                self._on_failure(subject.name, error)
            except Exception:
                logger.exception("The failure of %s could not be reported.", subject.name)


def _code(error: Exception) -> str | None:
    """Slack's name of the error. The SDK itself refuses some blocks that Slack would refuse as ``invalid_blocks``."""
    if isinstance(error, SlackObjectFormationError):
        return "invalid_blocks"
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else None
