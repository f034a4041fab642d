"""When the study is closed and all evaluations have ended, the full report is posted once in the report channel."""

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from bot.admin import final_report
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.slack import uploads
from storage.schema.states import JobKind, TrialState
from storage.transitions import studies
from tests.bot.admin.office import PATIENCE, UNHURRIED, Office, broken_report, small_report

_COMPUTING = 240.0
"""Seconds; a tenth of it where nobody else works."""

MORNING = datetime(2030, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def open_office(tmp_path, study_file):
    opened = []

    def open_it(rules: Rules = UNHURRIED) -> Office:
        workspace = LocalWorkspace(rules=rules)
        workspace.start()
        channel, database = workspace.channel_id("study-reports"), f"sqlite:///{tmp_path / 'study.db'}"
        given = {"report_channel": channel, "database": database, "evaluation_seeds": [1, 2]}
        office = Office(study_file(tmp_path, **given), workspace, MORNING)
        opened.append(office)
        office.open()
        studies.open_study(office.store, actor="researcher-1", now=office.now)
        for number in range(9):
            office.finished([0, 6, 24][number % 3], 30.0 + 5 * number)
        return office

    yield open_it
    for office in opened:
        office.close()
        office.workspace.stop()
        office.store.close()


def close(office):
    studies.close_study(office.store, actor="researcher-1", now=office.later(hours=1))


def sent(office):
    """The message with the report's files."""
    return [each for each in office.posts if each.files]


@pytest.mark.long
def test_the_full_report_follows_the_last_evaluation_and_names_nobody(open_office):
    office = open_office()
    waits = office.seated(24)
    office.tried(waits)
    office.chosen(waits)
    close(office)
    office.told("2 evaluations are left. The full report follows when they have ended.")
    office.quiet()
    assert office.admins._final_reports._thread is None
    office.evaluated(60.0)
    office.run(JobKind.EVALUATION, TrialState.DIVERGED)
    office.admin.wait_until(lambda: sent(office), _COMPUTING)
    said = office.told("The full report. Black Magic: 10 people")
    (message,) = sent(office)
    names = [each["name"] for each in message.files]
    assert {"report.html", "black-magic-report.zip", "figure-4.png"} <= set(names)
    (archive,) = [each for each in message.files if each["name"].endswith(".zip")]
    with zipfile.ZipFile(io.BytesIO(office.admin.download(archive["url"]))) as packed:
        results = json.loads(packed.read("results.json"))
        whole = b"".join(packed.read(each) for each in packed.namelist())
    assert results["counts"]["analysed"] == 10
    for number in range(1, office.newcomers + 1):
        assert f"U{number:07}X".encode() not in whole
        assert f"U{number:07}X" not in said.text_of_everything

    office.restart()
    office.quiet()
    office.admins._final_reports.tell()
    office.admin.wait_until(lambda: office.admins._final_reports._done, PATIENCE)
    assert len(sent(office)) == 1
    assert len([each for each in office.posts if each.text.startswith("The full report. ")]) == 1


@pytest.mark.long
def test_where_slack_takes_no_files_the_report_says_how_to_get_them(open_office, monkeypatch):
    monkeypatch.setattr(final_report, "make_final", small_report)
    office = open_office(Rules(limits=None, refuse_files=True))
    close(office)
    said = office.told("Slack does not accept the files (“")
    assert "`blackmagic report` writes them into a folder" in said.text_of_everything
    office.admin.wait_until(lambda: office.admins._final_reports._done, PATIENCE)
    assert sent(office) == []


@pytest.mark.long
def test_where_slack_does_not_show_the_files_the_report_says_so_and_they_are_sent_once(open_office, monkeypatch):
    monkeypatch.setattr(final_report, "make_final", small_report)
    monkeypatch.setattr(uploads, "SHARED_WITHIN", 0.6)
    office = open_office(Rules(limits=None, file_sharing_seconds=3600.0))
    close(office)
    said = office.told("Slack has accepted the files, but it does not show report.html.")
    assert "`/study report` sends them." in said.text_of_everything
    office.admin.wait_until(lambda: office.admins._final_reports._done, PATIENCE)
    office.restart()
    office.quiet()
    office.admin.wait_until(lambda: office.admins._final_reports._done, PATIENCE)
    assert len(office.workspace.traffic("files.completeUploadExternal")) == 1


@pytest.mark.long
def test_a_report_that_cannot_be_made_is_an_alert_and_not_tried_for_ever(open_office, monkeypatch):
    monkeypatch.setattr(final_report, "_RETRY_SECONDS", 0.0)
    monkeypatch.setattr(final_report, "make_final", broken_report)
    office = open_office()
    close(office)
    alert = office.told("Error while making the report")
    assert "`/study report` makes it" in alert.text
    assert "times" not in alert.text.split(":")[0]
    assert office.admins._final_reports._attempts == 3
