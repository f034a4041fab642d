"""Uploads pictures as private files of the app, waits until Slack has processed them, and deletes old ones."""

import logging
import queue
import time
from collections.abc import Callable
from contextlib import suppress

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.client import PacedClient
from bot.slack.lasting_thread import LastingThread
from bot.slack.rate_limiter import CallNotMade, on_terms
from bot.slack.uploads import File, upload

logger = logging.getLogger(__name__)

PROCESSED_WITHIN = 15.0
"""Seconds that Slack may take to process a picture; usually it is about one."""

POLL_AGAIN = 0.5
"""Seconds between two checks of a picture that was not ready at the first one."""

SHORTEST_WAIT, LONGEST_WAIT = 0.1, 8.0
"""Seconds: the bounds of the wait before the first check."""


class PictureNotReady(TimeoutError):
    """Slack accepted a picture but did not process it in time. The picture was deleted."""


class Pictures:
    """The pictures of one app in its workspace.

    A file without a channel is private to the app, and a message of the same token can show it. Files are deleted on a
    thread of their own and under a rate limit of their own, so this never delays an upload.

    Args:
        client: The client for every call. Its token needs ``files:write``.

    Attributes:
        thread: The thread that deletes files. It may be started again when it has died.
    """

    def __init__(self, client: PacedClient) -> None:
        self._client = client
        self._limiter = client.limiter
        self._processing = 1.0
        self._superseded: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopped = False
        self.thread = LastingThread("picture-deleter", self._delete_superseded)
        self.uploads = 0
        self.deletes = 0

    def start(self) -> None:
        """Start to delete discarded files."""
        self.thread.start()

    def upload(self, name: str, png: bytes, abandon: Callable[[], bool]) -> str:
        """Upload a picture and wait until a message can show it.

        Args:
            name: The file's name. Participants can read it.
            png: The picture.
            abandon: Returns whether the picture is no longer needed.

        Returns:
            The file's id.

        Raises:
            SlackApiError: Slack refused a step, such as ``missing_scope``.
            OSError: Slack could not be reached.
            PictureNotReady: It was not processed within ``PROCESSED_WITHIN`` seconds.
            CallNotMade: It was abandoned.
        """
        with on_terms(abandon=abandon):
            file_id = upload(self._client, File(name, png))
            try:
                self._client.files_completeUploadExternal(files=[{"id": file_id, "title": name}])
                self._wait_until_processed(file_id, abandon)
            except (SlackClientError, OSError, CallNotMade):
                self.discard(file_id)
                raise
        self.uploads += 1
        return file_id

    def discard(self, file_id: str) -> None:
        """Delete a file later. Returns at once."""
        self._superseded.put(file_id)

    def close(self, flush: float) -> None:
        """Delete the discarded files, for at most ``flush`` seconds. The number of files that are left is logged."""
        self._superseded.put(None)
        if self.thread.is_alive():
            self.thread.join(max(flush, 0))
        self._stopped = True
        self._limiter.wake()
        left = 0
        with suppress(queue.Empty):
            while True:
                left += self._superseded.get_nowait() is not None
        self._superseded.put(None)
        if left:
            logger.warning("%d superseded pictures were not deleted: the time to close was over.", left)

    def _wait_until_processed(self, file_id: str, abandon: Callable[[], bool]) -> None:
        completed = time.monotonic()
        wait, looks = self._processing, 0
        while self._limiter.pause(wait, abandon):
            info = self._client.files_info(file=file_id)["file"]
            taken, looks = time.monotonic() - completed, looks + 1
            if info.get("mimetype"):
                self._learn(taken, at_first_look=looks == 1)
                return
            if taken > PROCESSED_WITHIN:
                raise PictureNotReady(f"Slack did not process a picture within {PROCESSED_WITHIN:g} s.")
            wait = POLL_AGAIN
        raise CallNotMade("A picture was abandoned while Slack processed it.")

    def _learn(self, taken: float, *, at_first_look: bool) -> None:
        """Adapt the time of the first check to when pictures are ready: too late costs time, too early costs a call."""
        wait = self._processing * 0.97 if at_first_look else self._processing + 0.3 * (taken - self._processing)
        self._processing = min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)

    def _delete_superseded(self) -> None:
        while (file_id := self._superseded.get()) is not None:
            try:
                with on_terms(abandon=lambda: self._stopped):
                    self._client.files_delete(file=file_id)
                self.deletes += 1
            except CallNotMade:
                return
            except SlackApiError as error:
                if error.response.get("error") not in ("file_not_found", "file_deleted"):
                    logger.warning("A superseded picture could not be deleted: %s", error.response.get("error"))
            except (SlackClientError, OSError) as error:
                logger.warning("A superseded picture could not be deleted: %s", error)
