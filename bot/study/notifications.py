"""Posts the notices that transitions have written. Each is tried until it is posted, one participant's in order."""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy.exc import SQLAlchemyError

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.error_reporting import ErrorReporter, may_pass, name_of
from bot.slack.rate_limiter import CallNotMade
from bot.study.protocols import ParticipantMessages
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import NoticeKind
from storage.schema.tables import Notice
from storage.transitions import notices

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """What has become of a participant's notices.

    Attributes:
        waiting: Whether one is still to be posted, because Slack or the database did not answer. It is tried again.
        refused: Why one can never be posted: Slack's error, or the code of an error of the bot. Empty if none was
            refused.
    """

    waiting: bool = False
    refused: str = ""

    @property
    def complete(self) -> bool:
        """Whether all of them are posted."""
        return not self.waiting and not self.refused


class Notifications:
    """Delivers notices. Safe from any thread.

    A notice that can never be posted is reported to the admins and given up. A greeting is not: nobody is invited
    before it is posted. It is tried again at the next start, when its participant is invited again, and when they
    open the bot by themselves.

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
        self._due: set[int] = set()
        self._posters: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
        self._in_trouble = False
        self._posted: set[int] = set()
        self._refused: dict[int, str] = {}
        self._asked_again: set[int] = set()

    def deliver(self) -> None:
        """Post the pending notices soon. A notice that cannot be posted now stays, and the next call tries again."""
        for participant in self._participants(notices.pending(self._store)):
            with self._lock:
                if participant in self._due:
                    continue
                self._due.add(participant)
            self._tasks.post("telling a participant", partial(self._deliver_to, participant))

    def deliver_now(self, participant: int) -> Delivery:
        """Post the pending notices of one participant, also those that were refused before. Waits for Slack."""
        with self._poster(participant):
            self.try_again(participant)
            self._post_all(participant)
        left = self._pending(participant)
        refused = next((self._refused[notice.id] for notice in left if notice.id in self._refused), "")
        return Delivery(waiting=bool(left) and not refused, refused=refused)

    def try_again(self, participant: int) -> None:
        """Let the next :meth:`deliver` try what was refused before: the participant can perhaps be reached now."""
        self._asked_again.add(participant)  # before what is being tried now is refused: that one is tried once more
        for notice in self._pending(participant):
            self._refused.pop(notice.id, None)

    def _participants(self, pending: Iterable[Notice]) -> list[int]:
        return list(dict.fromkeys(notice.participant_id for notice in pending if notice.id not in self._refused))

    def _poster(self, participant: int) -> threading.Lock:
        """A lock for each participant: one thread posts to them at a time."""
        with self._lock:
            return self._posters.setdefault(participant, threading.Lock())

    def _deliver_to(self, participant: int) -> None:
        with self._lock:
            self._due.discard(participant)
        poster = self._poster(participant)
        if not poster.acquire(blocking=False):
            return  # the thread that posts to them now looks again when it is done
        try:
            if not self._post_all(participant):
                return
        except SQLAlchemyError as error:  # such as a full disk; the next call tries again
            self._report_once(error)
            return
        finally:
            poster.release()
        if self._next(participant) is not None:  # written between the last look and now
            self.deliver()

    def _post_all(self, participant: int) -> bool:
        """Post the notices of one participant, one after the other. Returns false if one has to wait."""
        while (notice := self._next(participant)) is not None:
            if notice.id not in self._posted:
                self._asked_again.discard(participant)
                if not self._post(notice):
                    return False
                if notice.id in self._refused:
                    if participant in self._asked_again:
                        self._refused.pop(notice.id, None)
                    continue
            self._posted.add(notice.id)  # if it cannot be deleted now, it is not posted a second time
            notices.done(self._store, notice.id)
            self._in_trouble = False
            self._posted.discard(notice.id)
        return True

    def _next(self, participant: int) -> Notice | None:
        return next((each for each in self._pending(participant) if each.id not in self._refused), None)

    def _pending(self, participant: int) -> Sequence[Notice]:
        return notices.pending(self._store, participant)

    def _post(self, notice: Notice) -> bool:
        """Post one notice. Returns whether that is over: it was posted, or it cannot be."""
        try:
            self._messages.tell(notice)
        except SlackApiError as error:
            if may_pass(error):
                log.warning("a %s waits: Slack answers %s", notice.kind, name_of(error))
                return False
            self._errors.report(error, f"telling a participant ({notice.kind})")
            self._refuse(notice, str(error.response["error"]))
        except (CallNotMade, SlackClientError, OSError, SQLAlchemyError) as error:
            log.warning("a %s waits: %s", notice.kind, type(error).__name__)
            return False
        except Refused:  # the session that it is about was deleted
            log.info("a %s is not posted any more", notice.kind)
        except Exception as error:  # noqa: BLE001 - a notice that always fails must not hold up the others
            code = self._errors.report(error, f"telling a participant ({notice.kind})")
            self._refuse(notice, f"code {code}")
        return True

    def _report_once(self, error: SQLAlchemyError) -> None:
        """Report that the database cannot be used, once until a notice could be deleted again."""
        if not self._in_trouble:
            self._in_trouble = True
            self._errors.report(error, "telling a participant")

    def _refuse(self, notice: Notice, why: str) -> None:
        if notice.kind is NoticeKind.GREETING:
            self._refused[notice.id] = why
