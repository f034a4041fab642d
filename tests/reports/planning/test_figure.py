"""The figure of a plan, and its words."""

from reports.planning.design import Correlated, Different
from reports.planning.figure import power_figure
from reports.planning.registered_tests import RegisteredTest
from reports.planning.search import plan
from reports.planning.sentences import finds_too_much
from reports.results.measures import NotComputable
from tests.reports.planning.designs import design


def test_the_figure_says_how_many_people_are_needed() -> None:
    found = plan(design(effects=(Correlated(0.6), Correlated(0.4, "less")), studies=200))
    plate = power_figure(found)
    assert plate.caption.startswith("Spearman’s correlation of months of experience with final accuracy (two-sided, α")
    assert "People needed: ρ = 0.6: " in plate.caption
    assert "; ρ = 0.4 (less): " in plate.alt
    svg = plate.files()["svg"].decode()
    for text in ("people in the study", "power (%)", "ρ = 0.6", "ρ = 0.4 (less)"):
        assert f">{text}</text>" in svg


def test_without_an_effect_there_is_a_sentence() -> None:
    plate = power_figure(plan(design(effects=(Correlated(0.0),), studies=200)))
    assert plate.content == NotComputable("There is no effect, so there is nothing to find.")


def test_a_test_that_finds_too_much_is_named() -> None:
    effect = (Different((85.0,) * 3, (12.0,) * 3),)
    found = {
        test: finds_too_much(plan(design(test, effects=effect, studies=2_000)))
        for test in (RegisteredTest.LEVENE, RegisteredTest.BROWN_FORSYTHE)
    }
    assert found[RegisteredTest.LEVENE].startswith("With 31 people this test finds an effect that is not there in 1")
    assert found[RegisteredTest.BROWN_FORSYTHE] == ""
