"""The form of live plots follows from the setting and from what a researcher saw."""

import pytest

from bot.live.choice import live_form, needs_file_ids
from storage.schema.tables import SlackCheck


def seen(chart=None, posted=None, updated=None, with_ids=None):
    return SlackCheck(
        team_id="T1",
        chart_by_update=chart,
        picture_posted=posted,
        picture_by_update=updated,
        picture_by_update_with_file_ids=with_ids,
    )


EVERYTHING, NOTHING, NOT_SHOWN = seen(True, True, True, True), seen(False, False, False, False), seen()
USUAL = seen(chart=True, posted=True, updated=False, with_ids=False)
NO_CHART = seen(chart=False, posted=True, updated=False, with_ids=False)
NO_CHART_BUT_UPDATES = seen(chart=False, posted=True, updated=True, with_ids=None)
NO_CHART_BUT_IDS = seen(chart=False, posted=True, updated=False, with_ids=True)
CHART_NOT_SHOWN = seen(chart=None, posted=True, updated=True, with_ids=True)


@pytest.mark.parametrize(
    ("setting", "check", "form"),
    [
        *[("chart", each, "chart") for each in (None, EVERYTHING, NOTHING, NO_CHART)],
        *[("repost", each, "repost") for each in (None, EVERYTHING, NOTHING, NO_CHART)],
        ("auto", None, "chart"),
        ("auto", NOT_SHOWN, "chart"),
        ("auto", EVERYTHING, "chart"),
        ("auto", USUAL, "chart"),
        ("auto", CHART_NOT_SHOWN, "chart"),
        ("auto", NO_CHART, "repost"),
        ("auto", NOTHING, "repost"),
        ("auto", NO_CHART_BUT_UPDATES, "picture"),
        ("auto", NO_CHART_BUT_IDS, "picture"),
        ("picture", None, "chart"),
        ("picture", NOT_SHOWN, "chart"),
        ("picture", USUAL, "chart"),
        ("picture", NO_CHART, "repost"),
        ("picture", NOTHING, "repost"),
        ("picture", EVERYTHING, "picture"),
        ("picture", CHART_NOT_SHOWN, "picture"),
        ("picture", NO_CHART_BUT_UPDATES, "picture"),
        ("picture", NO_CHART_BUT_IDS, "picture"),
    ],
)
def test_the_form_of_live_plots(setting, check, form):
    assert live_form(setting, check) == form


@pytest.mark.parametrize(
    ("check", "needed"),
    [
        (None, False),
        (NOT_SHOWN, False),
        (NOTHING, False),
        (USUAL, False),
        (EVERYTHING, False),
        (NO_CHART_BUT_UPDATES, False),
        (NO_CHART_BUT_IDS, True),
    ],
)
def test_file_ids_are_named_only_where_a_picture_is_not_seen_without_them(check, needed):
    assert needs_file_ids(check) is needed
