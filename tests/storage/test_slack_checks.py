from sqlalchemy import inspect

from storage import slack_checks
from storage.schema.tables import SlackCheck

SEEN = {
    "chart_by_update": True,
    "picture_posted": True,
    "picture_by_update": False,
    "picture_by_update_with_file_ids": None,
}


def test_before_the_first_check_there_is_none(lab):
    assert slack_checks.newest(lab.store) is None


def test_the_newest_check_counts_and_says_what_was_seen_where_and_when(lab):
    slack_checks.record(lab.store, team_id="TOTHER", **dict.fromkeys(SEEN), now=lab.now)
    recorded = slack_checks.record(lab.store, team_id="TLAB", **SEEN, now=lab.later(hours=1))
    newest = slack_checks.newest(lab.store)
    assert (newest.id, newest.at, newest.team_id) == (recorded.id, lab.now, "TLAB")
    assert {name: getattr(newest, name) for name in SEEN} == SEEN


def test_who_made_a_check_is_not_kept(lab):
    columns = {each["name"] for each in inspect(lab.store.engine).get_columns(SlackCheck.__tablename__)}
    assert columns == {"id", "at", "team_id", *SEEN}
