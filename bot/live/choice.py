"""Chooses the form in which live plots are shown, from the setting and from what a researcher saw."""

from typing import Literal

from storage.schema.tables import SlackCheck

Setting = Literal["auto", "chart", "picture", "repost"]
"""``[slack] live_plots`` in ``study.toml``."""

LiveForm = Literal["chart", "picture", "repost"]
"""Slack's own line chart, a picture that an update brings into the message, or a picture that is posted anew."""


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
