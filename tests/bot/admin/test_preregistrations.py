"""The preregistration comes into the report channel once, when the study opens."""

from datetime import UTC, date, datetime

import pytest

from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.study.registration import registration
from storage.transitions import studies
from tests.bot.admin.office import Office

MORNING = datetime(2030, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(params=[False, True], ids=["files", "no files"])
def office(tmp_path, study_file, request):
    with LocalWorkspace(rules=Rules(limits=None, refuse_files=request.param)) as workspace:
        channel, database = workspace.channel_id("study-reports"), f"sqlite:///{tmp_path / 'study.db'}"
        office = Office(study_file(tmp_path, report_channel=channel, database=database), workspace, MORNING)
        office.open()
        yield office
        office.close()
        office.store.close()


def test_it_is_posted_once_or_the_post_says_where_it_is(office):
    office.quiet()
    assert not [each for each in office.posts if "preregistration" in each.text]
    made = registration(office.settings, date(2030, 3, 1)).to_json()
    studies.open_study(office.store, actor="researcher-1", now=office.now, registration=made)
    post = office.told("The preregistration")
    if post.files:
        assert office.admin.download(post.files[1]["url"]).decode() == made
    else:
        assert "`blackmagic export` has them" in post.text
    office.restart()
    assert len([each for each in office.quiet() if "The preregistration" in each.text]) == 1
