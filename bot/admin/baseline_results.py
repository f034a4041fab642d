"""The results of baselines: each is posted once, when all its members have ended."""

from bot.admin.report_channel import ReportChannel
from bot.admin.views.baselines import baseline_ended
from storage.database import Store
from storage.transitions import baselines, studies


class BaselineResults:
    """Posts the results of baselines.

    Args:
        store: The database.
        channel: Where results are posted.
    """

    def __init__(self, store: Store, channel: ReportChannel) -> None:
        self._store = store
        self._channel = channel
        self._posted: set[int] = set()

    def tell(self) -> None:
        """Post the results that have not been posted.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. The next call posts the rest.
        """
        study = studies.newest_study(self._store)
        if study is None:
            return
        for status in baselines.statuses(self._store, study.id):
            if status.id in self._posted or not status.is_over or status.stopped:
                continue
            subject = f"report:baseline:{status.id}"
            if not self._channel.has(subject):
                self._channel.show(subject, baseline_ended(status))
            self._posted.add(status.id)
