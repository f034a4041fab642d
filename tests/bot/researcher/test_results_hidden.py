"""While a study runs, researchers get no test results unless they confirm a look; opening registers the plan."""

import io
import json
import zipfile

import pytest

from bot.runner import report_files
from bot.runner.report_files import MadeFile
from storage import events
from storage.queries import results
from storage.schema.states import EventKind, StudyState
from storage.transitions import studies
from tests.bot.researcher.asking import PATIENCE, answer, ask, text_of


def quick_report(database, study, folder, name, only=None):
    """As quick as a report can be."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.txt"
    path.write_text(only or "everything", encoding="utf-8")
    return [MadeFile(path)]


@pytest.fixture
def unopened(open_house):
    house = open_house(start=False, slots=1)
    house.open(open_now=False)
    return house


def looks(house):
    return [(each.actor, each.details["what"]) for each in events.read(house.store, kind=EventKind.INTERIM_LOOK)]


def test_opening_registers_the_plan_and_results_are_hidden_until_the_end(unopened, monkeypatch):
    monkeypatch.setattr(report_files, "report", quick_report)
    house, researcher = unopened, unopened.workspace.person("Researcher")
    question = ask(researcher, "open")
    assert "The preregistration (hypothesis, primary test, 31 people) is written and posted" in text_of(question)
    answer(researcher, question, "Yes, open it", "The study is open.")
    posted = house.admin.wait_for("The preregistration: hypothesis, primary test", PATIENCE, channel=house.reports)
    assert [each["name"] for each in posted.files] == ["preregistration.md", "preregistration.json"]
    content = json.loads(house.admin.download(posted.files[1]["url"]))
    settings = house.running.settings
    assert content["analysis"]["hypothesis"] == settings.analysis.hypothesis
    assert content["rules_sha256"] == settings.rules_hash()
    assert content["consent"] == {"text": settings.consent_text, "sha256": settings.consent_hash()}
    study = studies.study_named(house.store, settings.study.name)
    assert (
        results.preregistration(house.store, study.id).to_json()
        == json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    )

    # No report without --interim, and nothing is recorded.
    for command, more in (("report", ""), ("report figure-4", " figure-4")):
        said = text_of(ask(researcher, command))
        assert "Results are hidden until the study is closed" in said
        assert f"`/study report{more} --interim`" in said
    ask(researcher, "export")
    sent = researcher.wait_for("The open data without test results (the study is not closed) (“", PATIENCE)
    with zipfile.ZipFile(io.BytesIO(researcher.download(sent.files[0]["url"]))) as bundle:
        assert "so test results are not in it" in bundle.read("codebook.md").decode()
        assert "preregistration.md" in bundle.namelist()
    assert looks(house) == []

    # With it, the bot asks first; what was confirmed is on record.
    answer(researcher, ask(researcher, "report --interim"), "No, leave it", "Nothing was changed.")
    assert looks(house) == []
    question = ask(researcher, "report figure-4 —interim")
    assert "Look at figure-4 before the end?" in text_of(question)
    assert "the final report lists it" in text_of(question)
    answer(researcher, question, "Yes, send it", "is being made")
    researcher.wait_for("“figure-4” of the report is in your direct messages", PATIENCE)
    assert looks(house) == [("researcher-1", "report figure-4")]

    # Closing unlocks.
    answer(researcher, ask(researcher, "close"), "Yes, close it for good", "The study is closed")
    assert studies.study_named(house.store, settings.study.name).state is StudyState.CLOSED
    ask(researcher, "report")
    researcher.wait_for("The report is in your direct messages", PATIENCE)
    assert looks(house) == [("researcher-1", "report figure-4")]


def test_a_study_does_not_open_while_its_plan_has_blanks(open_house):
    house = open_house(start=False, slots=1, hypothesis="", stopping_rule="After [… how many …] people.")
    house.open(open_now=False)
    said = text_of(ask(house.workspace.person("Researcher"), "open"))
    assert "`analysis.hypothesis`, `analysis.stopping_rule` are still to be written in study.toml" in said
    assert studies.current_study(house.store).state is StudyState.PREPARED
