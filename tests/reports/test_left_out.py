"""A report of data without all of people's background says what it could not compute, and computes the rest."""

import json
import re

import pytest

from reports.compute import compute
from reports.data.load import load
from reports.html.methods import methods
from reports.results.as_json import to_json
from reports.summary import short
from reports.write import PAGE, write_report
from storage.bundle import export_bundle, import_bundle
from storage.database import Store
from storage.schema.states import Background

pytestmark = pytest.mark.usefixtures("quick", "drawn_codes")


@pytest.fixture
def found(store, simulated, tmp_path):
    """The numbers of a study, and of bundles of it."""
    data = simulated(participants=12, trials=90, random_settings=20, tpe=2, withdrawn=1)

    def numbers(background=None):
        if background is None:
            return json.loads(to_json(compute(data)))
        export_bundle(store, tmp_path / f"{background}.zip", background=background)
        other = Store(f"sqlite:///{tmp_path / f'{background}.db'}")
        import_bundle(other, tmp_path / f"{background}.zip")
        text = to_json(compute(load(other)))
        other.close()
        return json.loads(text)

    return numbers


def but_for(found, *left_out):
    """The numbers without codes and without what may differ."""
    text = json.dumps({name: each for name, each in found.items() if name not in left_out})
    return re.sub(r'"P\d{3,}"', "a code", text)


def test_a_bundle_with_everything_gives_the_same_report(found):
    assert but_for(found(Background.FULL)) == but_for(found())


def test_the_usual_bundle_lacks_the_answers_in_one_regression_and_nothing_else(found):
    theirs, ours = found(Background.STANDARD), found()
    (task,), (our_task,) = theirs["tasks"], ours["tasks"]
    adjusted = task["regressions"].pop("adjusted")
    our_task["regressions"].pop("adjusted")
    assert any("left out of these data" in each for each in adjusted["left_out"])
    assert not any("left out of these data" in each for each in our_task["regressions"].get("left_out", []))
    assert "the regression with covariates is computed without" in theirs["study"].pop("left_out")
    assert ours["study"].pop("left_out") == ""
    assert but_for(theirs) == but_for(ours)


@pytest.fixture
def without_months(store, simulated, tmp_path):
    """A study whose data have less."""

    def without(background):
        simulated(participants=12, trials=90, random_settings=20, tpe=2)
        export_bundle(store, tmp_path / "bundle.zip", background=background)
        other = Store(f"sqlite:///{tmp_path / 'other.db'}")
        import_bundle(other, tmp_path / "bundle.zip")
        return other

    return without


@pytest.mark.parametrize("background", [Background.BANDED, Background.NONE])
def test_without_months_the_rest_is_computed_and_the_methods_say_what_is_missing(without_months, background):
    other = without_months(background)
    results = compute(load(other))
    other.close()
    (task,) = results.tasks
    assert results.counts.analysed == 12
    assert task.experience.why == "There are no months of experience in these data."
    no_correlation = "There are no months of experience in these data, so there is no correlation."
    assert task.final.default.experience.why == no_correlation
    assert task.final.alternative.experience.why == task.comments.guessing.why == no_correlation
    assert task.regressions.adjusted.why.startswith("There are no months of experience")
    assert len(task.final.default.points) == 12
    groups = {each.group for each in task.final.default.points}
    assert groups == ({"novice", "medium", "expert"} if background is Background.BANDED else {"person"})
    assert "Not computed: figures 3 and 4" in methods(results)[-1]
    assert results.study.left_out in short(results).lines


@pytest.mark.long
@pytest.mark.parametrize("background", [Background.BANDED, Background.NONE])
def test_the_page_without_months_is_whole_and_says_what_is_missing(without_months, tmp_path, background):
    other = without_months(background)
    write_report(other, tmp_path / "report")
    other.close()
    page = (tmp_path / "report" / PAGE).read_text(encoding="utf-8")
    assert "Not computed: figures 3 and 4" in page
    assert "There are no months of experience in these data, so there is no correlation." in page
