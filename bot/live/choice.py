"""Chooses the form in which live plots are shown, from the setting and from what a researcher saw."""

import threading
from collections.abc import Callable
from typing import Literal

from cachetools import TTLCache, cached

from bot.live.forms import LiveForm, LivePlots
from storage import slack_checks
from storage.database import Store
from storage.schema.tables import SlackCheck

LOOK_AGAIN = 5.0
"""Seconds after which a new check is noticed."""

Setting = Literal["auto", "chart", "picture", "repost"]
"""``[slack] live_plots`` in ``study.toml``."""


def live_form(setting: Setting, seen: SlackCheck | None) -> LiveForm:
    """The form in which a running trial's losses are shown.

    Args:
        setting: What ``study.toml`` asks for. A picture is only used where somebody has seen one that was brought by an
            update: Slack accepts it everywhere, but may show a broken one. Otherwise ``picture`` means ``auto``.
        seen: The newest check of the workspace; ``None`` before the first one.

    Returns:
        The form. ``auto`` is a chart, unless the check says that nobody sees it; then a picture that is brought by an
        update, if it was seen, and otherwise one that is posted.
    """
    if setting in ("chart", "repost"):
        return setting
    picture_seen = seen is not None and bool(seen.picture_by_update or seen.picture_by_update_with_file_ids)
    if setting == "picture" and picture_seen:
        return "picture"
    if seen is None or seen.chart_by_update is not False:
        return "chart"
    return "picture" if picture_seen else "repost"


def needs_file_ids(seen: SlackCheck | None) -> bool:
    """Whether a picture that an update brings is seen only if the update also names the file in ``file_ids``."""
    return seen is not None and not seen.picture_by_update and bool(seen.picture_by_update_with_file_ids)


def chosen_plots(setting: Setting, store: Store, team_id: Callable[[], str]) -> Callable[[], LivePlots]:
    """Make a function that returns how live plots are shown now. A check of another workspace says nothing.

    Args:
        setting: What ``study.toml`` asks for.
        store: The database with the checks.
        team_id: Returns Slack's ID of the workspace.
    """

    @cached(TTLCache(1, LOOK_AGAIN), lock=threading.Lock())
    def choose() -> LivePlots:
        seen = slack_checks.newest(store)
        if seen is not None and seen.team_id != team_id():
            seen = None
        posted = seen is None or seen.picture_posted is not False
        return LivePlots(live_form(setting, seen), file_ids=needs_file_ids(seen), posted=posted)

    return choose
