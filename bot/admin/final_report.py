"""The full report, in the report channel once the study is closed and its last evaluation has ended."""

import http.client
import logging
import threading
import time
from collections.abc import Callable
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
        lines: Sentences, the most important first.
        files: The figures that a reader wants to see first, the page, and an archive of everything.
    """

    headline: str
    lines: tuple[str, ...]
    files: tuple[MadeFile, ...]


def make_final(database: str, study_id: int, folder: Path, name: str) -> FinalReport:
    """Compute a study's report and write it; in a process of its own.

    Args:
        database: Where the study is.
        study_id: Which.
        folder: An empty one.
        name: What the archive is called, without its suffix.
    """
    from reports.pack import pack  # these bring the statistics, which nobody else here needs
    from reports.summary import short
    from reports.write import PAGE, write_report

    store = Store(database)
    try:
        written = write_report(store, folder, study_id=study_id)
    finally:
        store.close()
    archive = pack(written, folder / f"{name}.zip")
    told = short(written.results)
    first = {plate.name for plate in told.figures}
    pictures = [MadeFile(each.path, each.alt) for each in written.files if each.path.suffix == ".png"]
    shown = [each for each in pictures if each.path.stem in first]
    return FinalReport(told.headline, told.lines, (*shown, MadeFile(folder / PAGE), MadeFile(archive)))


class FinalReports:
    """Has the full report made, and posts it once.

    Args:
        settings: The study.
        store: What happened.
        slack: Takes the files.
        channel: Where it is posted.
        alert: Takes a kind and a sentence about what broke.
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
        """Begin to make the report if it is due, and not there yet. Waits for nothing."""
        busy = self._thread is not None and self._thread.is_alive()
        if self._done or busy or time.monotonic() < self._not_before:
            return
        study = studies.newest_study(self._store)
        if study is None or study.state is not StudyState.CLOSED or evaluations.due(self._store):
            return
        if posts.find(self._store, _sent(study)) is not None:
            self._done = True
            return
        self._thread = threading.Thread(target=self._run, args=(study,), name="final-report", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Make nothing more: the next start does."""
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
                    error_while(_DOING), "It was tried three times. The log says why; `/study report` makes it."
                )
        except (CallNotMade, SlackApiError, OSError, http.client.HTTPException, SQLAlchemyError) as error:
            log.warning("the report is not posted yet: %s", error)
        else:
            self._done = True

    def _post(self, study: Study, folder: Path) -> None:
        database = self._settings.machine.database
        made = self._subprocess.run(make_final, database, study.id, folder, f"{slug(study.name)}-report")
        self._channel.show(_said(study), final_report(made.headline, made.lines))
        content = [File(each.path.name, each.path, each.alt_text) for each in made.files]
        try:
            uploads.send(self._slack, self._channel.id, content, f"The full report of “{study.name}”")
        except SlackApiError as error:
            without = final_report(made.headline, made.lines, no_files=str(error.response["error"]))
            self._channel.show(_said(study), without)
        posts.remember(self._store, _sent(study), ts="sent")  # Slack does not tell where files are


def _said(study: Study) -> str:
    return f"report:study:{study.id}"


def _sent(study: Study) -> str:
    return f"report:study:{study.id}:files"
