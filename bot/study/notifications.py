"""Posts the notices that transitions have written. Each is tried until it is posted, one participant's in order."""

import logging
import threading
from collections.abc import Iterable
from functools import partial

from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy.exc import SQLAlchemyError

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.error_reporting import ErrorReporter, may_pass, name_of
from bot.slack.rate_limiter import CallNotMade
from bot.study.protocols import ParticipantMessages
from storage.database import Store
from storage.refusals import Refused
from storage.schema.tables import Notice
from storage.transitions import notices

log = logging.getLogger(__name__)


class Notifications:
    """Delivers notices. Safe from any thread.

    Args:
        store: The database with the notices.
        messages: Posts them.
        tasks: Runs the posting.
        errors: Reports notices that cannot be posted.
    """

    def __init__(
        self, store: Store, messages: ParticipantMessages, tasks: BackgroundTasks, errors: ErrorReporter
    ) -> None:
        self._store = store
        self._messages = messages
        self._tasks = tasks
        self._errors = errors
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._posted: set[int] = set()

    def deliver(self) -> None:
        """Post the pending notices soon. A notice that cannot be posted now stays, and the next call tries again."""
        for participant in self._participants(notices.pending(self._store)):
            with self._lock:
                if participant in self._busy:
                    continue
                self._busy.add(participant)
            self._tasks.run("telling a participant", partial(self._deliver_to, participant))

    @staticmethod
    def _participants(pending: Iterable[Notice]) -> list[int]:
        return list(dict.fromkeys(notice.participant_id for notice in pending))

    def _deliver_to(self, participant: int) -> None:
        """Post the notices of one participant, one after the other."""
        try:
            while (notice := self._next(participant)) is not None:
                if notice.id not in self._posted and not self._post(notice):
                    return
                self._posted.add(notice.id)  # if it cannot be deleted now, it is not posted a second time
                notices.done(self._store, notice.id)
                self._posted.discard(notice.id)
        finally:
            with self._lock:
                self._busy.discard(participant)
        if self._next(participant) is not None:  # written between the last look and now
            self.deliver()

    def _next(self, participant: int) -> Notice | None:
        return next((each for each in notices.pending(self._store) if each.participant_id == participant), None)

    def _post(self, notice: Notice) -> bool:
        """Post one notice. Returns whether it is done: it was posted, or it never will be."""
        try:
            self._messages.tell(notice)
        except SlackApiError as error:
            if may_pass(error):
                log.warning("a %s waits: Slack answers %s", notice.kind, name_of(error))
                return False
            self._errors.report(error, f"telling a participant ({notice.kind})")
        except (CallNotMade, SlackClientError, OSError, SQLAlchemyError) as error:
            log.warning("a %s waits: %s", notice.kind, type(error).__name__)
            return False
        except Refused:  # the session that it is about was deleted
            log.info("a %s is not posted any more", notice.kind)
        except Exception as error:  # noqa: BLE001 - a notice that always fails must not hold up the others
            self._errors.report(error, f"telling a participant ({notice.kind})")
        return True
