"""Posts the full report in the report channel, once the study is closed and its last evaluation has ended."""

import http.client
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.admin.alert_kinds import error_while
from bot.admin.report_channel import ReportChannel
from bot.admin.views.final_report import final_report
from bot.runner.report_files import MadeFile
from bot.runner.subprocess_job import NotMade, SubprocessJob
from bot.settings.settings import Settings
from bot.slack import uploads
from bot.slack.block_kit import escape
from bot.slack.client import Slack
from bot.slack.rate_limiter import CallNotMade
from bot.slack.uploads import File
from reports.naming import slug
from storage import posts
from storage.database import Store
from storage.schema.states import StudyState
from storage.schema.tables import Study
from storage.transitions import evaluations, studies

log = logging.getLogger(__name__)

_RETRY_SECONDS = 60.0
_MOST_ATTEMPTS = 3
_DOING = "making the report"


@dataclass(frozen=True)
class FinalReport:
    """A report that has been made.

    Attributes:
        headline: One line.
        lines: Sentences, the most important one first.
        files: The most important figures, the page, and an archive of all files.
    """

    headline: str
    lines: tuple[str, ...]
    files: tuple[MadeFile, ...]


def make_final(database: str, study_id: int, folder: Path, name: str) -> FinalReport:
    """Compute a study's report and write it. Runs in a process of its own.

    Args:
        database: The address of the database.
        study_id: The study.
        folder: An empty folder for the files.
        name: The name of the archive, without its suffix.
    """
    from reports.pack import pack  # these import the statistics, which nothing else here needs
    from reports.summary import short
    from reports.write import PAGE, write_report

    store = Store(database)
    try:
        written = write_report(store, folder, study_id=study_id)
    finally:
        store.close()
    archive = pack(written, folder / f"{name}.zip")
    summary = short(written.results)
    first = {figure.name for figure in summary.figures}
    pictures = [MadeFile(file.path, file.alt) for file in written.files if file.path.suffix == ".png"]
    shown = [picture for picture in pictures if picture.path.stem in first]
    return FinalReport(summary.headline, summary.lines, (*shown, MadeFile(folder / PAGE), MadeFile(archive)))


class FinalReports:
    """Has the full report made, and posts it once.

    Args:
        settings: The study's settings.
        store: The database.
        slack: The workspace.
        channel: Where the report is posted.
        alert: Takes the kind of an alert and a sentence about it.
    """

    def __init__(
        self, settings: Settings, store: Store, slack: Slack, channel: ReportChannel, alert: Callable[[str, str], None]
    ) -> None:
        self._settings = settings
        self._store = store
        self._slack = slack
        self._channel = channel
        self._alert = alert
        self._subprocess = SubprocessJob()
        self._thread: threading.Thread | None = None
        self._done = False
        self._attempts = 0
        self._not_before = 0.0

    def tell(self) -> None:
        """Start to make the report if it is due and not posted yet. Waits for nothing."""
        busy = self._thread is not None and self._thread.is_alive()
        if self._done or busy or time.monotonic() < self._not_before:
            return
        study = studies.newest_study(self._store)
        if study is None or study.state is not StudyState.CLOSED or evaluations.due(self._store):
            return
        if posts.find(self._store, _files_subject(study)) is not None:
            self._done = True
            return
        self._thread = threading.Thread(target=self._run, args=(study,), name="final-report", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop making the report. The next start of the bot makes it."""
        self._subprocess.close()

    def _run(self, study: Study) -> None:
        self._not_before = time.monotonic() + _RETRY_SECONDS
        try:
            with TemporaryDirectory(prefix="black-magic-") as folder:
                self._post(study, Path(folder))
        except NotMade as error:
            self._attempts += 1
            log.warning("the report is not made: %s", error)
            if self._attempts == _MOST_ATTEMPTS:
                self._done = True
                self._alert(
                    error_while(_DOING), "I tried it three times. The log says why it failed. `/study report` makes it."
                )
        except (CallNotMade, SlackApiError, OSError, http.client.HTTPException, SQLAlchemyError) as error:
            log.warning("the report is not posted yet: %s", error)
        else:
            self._done = True

    def _post(self, study: Study, folder: Path) -> None:
        database = self._settings.machine.database
        made = self._subprocess.run(make_final, database, study.id, folder, f"{slug(study.name)}-report")
        self._channel.show(_text_subject(study), final_report(made.headline, made.lines))
        content = [File(file.path.name, file.path, file.alt_text) for file in made.files]
        sent: Mapping[str, str] = {}
        try:
            sent = uploads.send(self._slack, self._channel.id, content, f"The full report of “{escape(study.name)}”")
        except SlackApiError as error:
            without = final_report(made.headline, made.lines, no_files=str(error.response["error"]))
            self._channel.show(_text_subject(study), without)
        posts.remember(self._store, _files_subject(study), ts="sent")  # before the wait: they are sent once
        if missing := uploads.not_shown(self._slack, self._channel.id, sent):
            self._channel.show(_text_subject(study), final_report(made.headline, made.lines, missing=missing))


def _text_subject(study: Study) -> str:
    return f"report:study:{study.id}"


def _files_subject(study: Study) -> str:
    return f"report:study:{study.id}:files"
