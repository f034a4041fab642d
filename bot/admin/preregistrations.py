"""Posts the preregistration in the report channel, once, when the study has opened."""

from slack_sdk.errors import SlackApiError

from bot.admin.report_channel import ReportChannel
from bot.admin.views.preregistrations import COMMENT, no_files
from bot.slack import uploads
from bot.slack.client import Slack
from bot.slack.uploads import File
from storage import posts
from storage.database import Store
from storage.queries.results import preregistration
from storage.registration.markdown import markdown
from storage.transitions import studies


class Preregistrations:
    """Posts ``preregistration.md`` and ``preregistration.json``.

    Args:
        store: Has the preregistration.
        slack: The workspace.
        channel: Where it is posted.
    """

    def __init__(self, store: Store, slack: Slack, channel: ReportChannel) -> None:
        self._store = store
        self._slack = slack
        self._channel = channel
        self._done: set[int] = set()

    def tell(self) -> None:
        """Post the preregistration if it has not been posted.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. The next call posts it.
        """
        study = studies.newest_study(self._store)
        if study is None or study.opened_at is None or study.id in self._done:
            return
        subject = f"preregistration:{study.id}"
        registered = preregistration(self._store, study.id)
        if registered is not None and posts.find(self._store, subject) is None:
            files = [
                File("preregistration.md", markdown(registered).encode()),
                File("preregistration.json", registered.to_json().encode()),
            ]
            try:
                uploads.send(self._slack, self._channel.id, files, COMMENT)
            except SlackApiError as error:
                self._channel.show(subject, no_files(str(error.response["error"])))
            else:
                posts.remember(self._store, subject, ts="sent")
        self._done.add(study.id)
