"""Sees to it that one bot runs: on a database, and on this machine with a Slack app.

Two bots on one database would each train and post everything. Two bots with one Slack app each get only a part of what
people press: Slack gives every press to either of them. Bots on different machines with one app cannot see each other
here; :mod:`bot.slack.connections` notices them.
"""

import hashlib
import logging
import tempfile
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.settings.settings import Credentials, SettingsError
from storage.locks import FileLock, Holder, Lock, Taken, lock_of

log = logging.getLogger(__name__)


class AlreadyRunning(SettingsError):
    """Another bot runs with the same database or the same Slack app; ``str(error)`` is one sentence for people."""


class OneBot:
    """The locks that a bot holds while it runs.

    Args:
        database: The URL of its database.
        credentials: Of its Slack app.
    """

    def __init__(self, database: str, credentials: Credentials) -> None:
        self._url = database
        self._credentials = credentials
        self._shown = ""
        self._of_database: Lock | None = None
        self._of_app: Lock | None = None
        self._in_trouble = False

    def take(self) -> None:
        """Take both locks.

        Raises:
            AlreadyRunning: Another bot holds one of them.
            OSError, SQLAlchemyError: The database cannot be locked for another reason.
        """
        self._shown = make_url(self._url).render_as_string(hide_password=True)
        try:
            self._of_database = lock_of(self._url)
            if self._of_database is not None:
                self._of_database.take()
        except Taken as taken:
            raise AlreadyRunning(
                f"Only one bot may use the database {self._shown}, and {_since(taken.holder)}: stop that process "
                "first, or name another database in study.toml (machine.database)."
            ) from None
        try:
            self._of_app = FileLock(self._file_of_app(), note=self._shown)
            self._of_app.take()
        except Taken as taken:
            self.release()
            other = f" (for the database {taken.holder.note})" if taken.holder.note else ""
            raise AlreadyRunning(
                f"Only one bot may use a Slack app, and {_since(taken.holder)}{other}: stop that process first, or "
                "give this bot the tokens of another Slack app (SLACK_BOT_TOKEN and SLACK_APP_TOKEN)."
            ) from None
        except OSError as error:  # the database is locked, and that matters most
            log.warning("whether another bot on this machine uses the Slack app is not known: %s", error)

    def check(self) -> None:
        """Take the lock of the database again if it was lost. It is called regularly.

        Raises:
            AlreadyRunning: Another bot has taken it meanwhile.
        """
        try:
            if self._of_database is not None:
                self._of_database.check()
            self._in_trouble = False
        except Taken as taken:
            raise AlreadyRunning(
                f"This bot has lost the database {self._shown}, and {_since(taken.holder)}: this bot has stopped "
                "so that only one bot uses it, and what was stored is kept."
            ) from None
        except (OSError, SQLAlchemyError) as error:
            if not self._in_trouble:
                log.warning("whether another bot uses the database is not known now: %s", type(error).__name__)
            self._in_trouble = True

    def release(self) -> None:
        """Give the locks back."""
        for lock in (self._of_database, self._of_app):
            if lock is not None:
                lock.release()

    def _file_of_app(self) -> Path:
        """A file for everybody on this machine. Its name does not tell the token."""
        app = f"{self._credentials.api_url} {self._credentials.app_token}"
        return Path(tempfile.gettempdir()) / f"black-magic-{hashlib.sha256(app.encode()).hexdigest()[:32]}.lock"


def _since(holder: Holder) -> str:
    return f"{holder} has used it since {holder.since}" if holder.since else f"{holder} uses it already"
