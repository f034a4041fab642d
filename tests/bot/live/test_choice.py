"""The form of live plots follows from the setting and from what a researcher saw."""

from datetime import UTC, datetime

import pytest

from bot.live import choice
from bot.live.choice import chosen_plots, live_form, needs_file_ids
from bot.live.forms import LivePlots
from storage.database import Store
from storage.schema.tables import SlackCheck
from storage.slack_checks import record


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


def test_a_check_decides_soon_after_it_was_made_and_only_in_its_own_workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "LOOK_AGAIN", 0.0)
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    store.migrate()
    here, elsewhere = (chosen_plots("auto", store, lambda team=team: team) for team in ("T1", "T2"))
    assert here() == LivePlots("chart")

    record(store, team_id="T1", **SEEN_BY_NOBODY, now=datetime.now(UTC))
    assert here() == LivePlots("repost", posted=False)
    assert elsewhere() == LivePlots("chart")
    record(store, team_id="T1", **{**SEEN_BY_NOBODY, "picture_by_update_with_file_ids": True}, now=datetime.now(UTC))
    assert here() == LivePlots("picture", file_ids=True, posted=False)
    store.close()


SEEN_BY_NOBODY = {
    "chart_by_update": False,
    "picture_posted": False,
    "picture_by_update": False,
    "picture_by_update_with_file_ids": False,
}
