"""Pictures in Slack: uploaded as files private to the app, waited for until Slack has processed them, and deleted."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.client import PacedClient
from bot.slack.rate_limiter import CallNotMade, on_terms
from bot.slack.uploads import File, upload

logger = logging.getLogger(__name__)

PROCESSED_WITHIN = 15.0
"""Seconds that Slack may take to process a picture; usually it is about one."""

POLL_AGAIN = 0.5
"""Seconds between two looks at a picture that was not ready at the first one."""

SHORTEST_WAIT, LONGEST_WAIT = 0.1, 8.0
"""Seconds: the bounds of the wait before the first look."""


class PictureNotReady(TimeoutError):
    """Slack took a picture but did not process it in time; the picture was deleted again."""


class Pictures:
    """The files of one app in its workspace.

    Without a channel a file stays private to the app; a message of the same token can show it. Deleting has a thread
    and a rate limit of its own, so it never delays an upload.

    Args:
        client: Used for every call; its token needs ``files:write``.
    """

    def __init__(self, client: PacedClient) -> None:
        self._client = client
        self._limiter = client.limiter
        self._processing = 1.0
        self._superseded: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopped = False
        self._deleter = threading.Thread(target=self._delete_superseded, name="picture-deleter", daemon=True)
        self.uploads = 0
        self.deletes = 0

    def start(self) -> None:
        """Start deleting what is discarded."""
        self._deleter.start()

    def upload(self, name: str, png: bytes, alt_text: str, abandon: Callable[[], bool]) -> str:
        """Upload a picture and wait until a message can show it.

        Args:
            name: A file name; participants can read it.
            abandon: Says whether the picture is no longer wanted.

        Returns:
            The file's id.

        Raises:
            SlackApiError: Slack refused a step, such as ``missing_scope``.
            OSError: Slack could not be reached.
            PictureNotReady: It was not processed within ``PROCESSED_WITHIN`` seconds.
            CallNotMade: It was abandoned on the way.
        """
        with on_terms(abandon=abandon):
            file_id = upload(self._client, File(name, png, alt_text))
            try:
                self._client.files_completeUploadExternal(files=[{"id": file_id, "title": name}])
                self._wait_until_processed(file_id, abandon)
            except (SlackClientError, OSError, CallNotMade):
                self.discard(file_id)
                raise
        self.uploads += 1
        return file_id

    def discard(self, file_id: str) -> None:
        """Delete a file when its turn comes; returns at once."""
        self._superseded.put(file_id)

    def close(self, flush: float) -> None:
        """Delete what is already discarded, for at most ``flush`` seconds; what is left is logged by number."""
        self._superseded.put(None)
        if self._deleter.is_alive():
            self._deleter.join(max(flush, 0))
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
        """Move the first look to where it just finds the picture ready: later costs time, earlier a call."""
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
