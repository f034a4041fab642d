"""The page: whole in itself, readable by everybody, and with everything on it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reports.compute import compute
from reports.data.study_data import StudyData
from reports.figures.catalogue import plates
from reports.html.cells import show
from reports.html.render import render
from reports.html.sections import SECTIONS
from reports.results.measures import NotComputable
from reports.results.study_results import AmendmentLine, StudyResults
from reports.tables.columns import Heading, Sheet
from tests.reports.conftest import Simulated
from tests.reports.test_bad_input import STUDIES

WRITTEN = date(2031, 5, 17)


STANDIN = b'<svg xmlns:xlink="" width="1pt" height="1pt" viewBox="0 0 1 1"><g id="figure_1"/></svg>'
"""Stands for every figure where a test does not look at figures, because drawing takes long."""


def page_of(results: StudyResults, drawn: Mapping[str, bytes] | None = None, written: date = WRITTEN) -> str:
    return render(results, drawn or dict.fromkeys(plates(results), STANDIN), written=written).decode()


@pytest.fixture(scope="session")
def results(ordinary: tuple[StudyData, StudyResults]) -> StudyResults:
    return ordinary[1]


@pytest.fixture(scope="session")
def html(results: StudyResults) -> str:
    return page_of(results, {name: plate.files()["svg"] for name, plate in plates(results).items()})


class Reader(HTMLParser):
    """What a page refers to, its names, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._silent = tag in ("style", "script")
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src", "xlink:href", "srcset", "action"):
                self.references.append(value or "")
            if name == "aria-labelledby":
                self.references.append(f"#{value}")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split()).replace("\N{NO-BREAK SPACE}", " ")


def test_it_needs_nothing_but_itself(html: str) -> None:
    read = Reader(html)
    assert "link" not in read.tags
    for each in read.references:
        assert each.startswith(("#", "data:")), each
    assert not re.search(r"url\((?!#|\")", html)
    assert "default-src 'none'" in html


def test_its_names_are_unique_and_what_it_points_at_is_there(html: str) -> None:
    read = Reader(html)
    assert len(read.ids) == len(set(read.ids))
    assert {each.removeprefix("#") for each in read.references if each.startswith("#")} <= set(read.ids)


def test_every_figure_and_every_section_is_on_it_once(html: str, results: StudyResults) -> None:
    ids = Reader(html).ids
    for name in plates(results):
        assert ids.count(name) == 1, name
    for section in SECTIONS:
        assert ids.count(section.name) == (section.name != "conditions"), section.name  # the study has no arms
    assert html.count('role="img"') == len(plates(results))


def test_it_says_how_the_numbers_came_about(html: str, results: StudyResults) -> None:
    text = Reader(html).text
    study, final = results.study, results.tasks[0].final
    for said in (
        study.rules_hash,
        "seeds (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
        "novice (none), medium (above 0, up to 9) and expert (more than 9)",
        f"the seed {study.seed}",
        f"SciPy {study.versions['scipy']}",
        "The rules were not amended.",
        final.definition.replace("'", "’"),
        final.otherwise.replace("'", "’"),
        "It is the value I learnt from previous submissions.",
        "Table 2. Levene’s test between groups",
    ):
        assert said in text, said


def test_amendments_are_told_with_their_day_and_reason(results: StudyResults) -> None:
    amended = (AmendmentLine("longer", "The GPUs were <slow>.", "2030-04-02"),)
    text = page_of(replace(results, study=replace(results.study, amendments=amended)))
    assert "2030-04-02, longer" in text
    assert "The GPUs were &lt;slow&gt;." in text


def test_one_date_on_it_is_not_the_studys(html: str) -> None:
    assert set(re.findall(r"\b20\d\d-\d\d-\d\d\b", html)) == {"2031-05-17", "2030-03-01"}


def test_another_day_changes_that_date_and_nothing_else(results: StudyResults) -> None:
    first, second = page_of(results), page_of(results, written=date(2031, 6, 1))
    assert first != second
    assert first == second.replace("2031-06-01", "2031-05-17")


def test_a_name_is_a_name_and_no_markup(results: StudyResults) -> None:
    named = replace(results, study=replace(results.study, name="<script>alert('a')</script> & “co”"))
    html = page_of(named)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_figures_follow_the_pages_theme(html: str) -> None:
    (svg,) = re.findall(r'<figure id="figure-5".*?(<svg.*?</svg>)', html, flags=re.DOTALL)
    assert 'aria-label="Box plots of final test accuracy; medians:' in svg
    assert "var(--ink, #33383d)" in svg
    assert "fill: var(--paper, #ffffff)" in svg
    assert not re.search(r'<svg[^>]* width="', svg)
    assert "<metadata" not in html


def test_people_are_under_their_codes(html: str) -> None:
    assert re.search(r"<td[^>]*>P031</td>", html)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("study", ["nobody", "one", "all equal", "all diverged", "two tasks, one person each"])
def test_a_study_that_hardly_is_one_has_a_page_that_says_so(study: str, simulated: Simulated) -> None:
    results = compute(simulated(**STUDIES[study]))
    read = Reader(page_of(results))
    assert not re.search(r"\b(nan|inf|None|NotComputable)\b", read.text)
    assert len(read.ids) == len(set(read.ids))
    for plate in plates(results).values():
        if isinstance(plate.content, NotComputable):
            assert plate.content.why.replace("'", "’") in read.text


@pytest.mark.usefixtures("quick")
def test_with_several_tasks_each_has_its_part(simulated: Simulated) -> None:
    read = Reader(page_of(compute(simulated(participants=16, trials=120, tasks=("digits", "letters")))))
    assert {
        "task-digits",
        "task-letters",
        "pooled",
        "all-tasks",
        "everybody",
        "accuracy-digits",
        "figure-4-letters",
    } <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))


def test_a_table_is_rounded_and_rid_of_empty_columns_and_an_interval_is_one() -> None:
    columns = (
        Heading("reading", "reading"),
        Heading("group", "group"),
        Heading("mean", "mean", 1),
        Heading("low", "from", 1),
        Heading("high", "to", 1),
        Heading("p", "p", 3, is_p=True),
        Heading("note", "note"),
    )
    rows = (("both", "tpe", 12.345, -1.26, 2.0, 0.0000004, None), ("both", "novice", None, None, None, 0.25, None))
    shown = show(Sheet("x", "A table", columns, rows))
    assert [label for label, _ in shown.head] == ["group", "mean", "95 % CI", "p"]
    assert shown.rows is not None
    assert [cell.text for cell in shown.rows[0]] == ["TPE", "12.3", "−1.3 to 2.0", "< 0.001"]
    assert [cell.order for cell in shown.rows[0]] == ["tpe", "12.345", "-1.26", "4e-07"]
    assert [cell.text for cell in shown.rows[1]] == ["novice", "", "", "0.250"]


# --- in a browser


@pytest.fixture(scope="module")
def file(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


def open_page(browser: Browser, file: str, width: int, **options: object) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800}, **options)  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file)
    assert complaints == []
    return page


@pytest.mark.parametrize("width", [1280, 360, 320])
def test_nothing_makes_the_page_scroll_sideways(browser: Browser, file: str, width: int) -> None:
    page = open_page(browser, file, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plot = page.locator("#figure-4 svg").bounding_box()
    assert plot is not None
    assert plot["width"] > min(width, 400) * 0.85
    page.close()


def test_a_table_is_sorted_by_pressing_a_head_and_by_the_keyboard(browser: Browser, file: str) -> None:
    page = open_page(browser, file, 1280)
    table = page.locator("#table-correlations")
    column = table.locator("tbody tr td:nth-child(3)")
    before = column.all_inner_texts()

    head = table.get_by_role("button", name="ρ")
    head.focus()
    page.keyboard.press("Enter")
    assert table.locator("th").nth(2).get_attribute("aria-sort") == "ascending"
    numbers = [float(text.replace("−", "-")) for text in column.all_inner_texts()]
    assert numbers == sorted(numbers)
    head.click()
    assert [float(text.replace("−", "-")) for text in column.all_inner_texts()] == numbers[::-1]
    head.click()
    assert column.all_inner_texts() == before
    page.close()


def test_without_scripts_everything_is_there(browser: Browser, file: str) -> None:
    page = open_page(browser, file, 1280, java_script_enabled=False)
    assert page.locator("#table-table-2 tbody tr").count() == 6
    assert page.locator("th button").count() == 0
    page.close()


def test_dark_is_dark_and_print_is_light(browser: Browser, file: str) -> None:
    page = open_page(browser, file, 1280, color_scheme="dark")
    of_body = "getComputedStyle(document.body)"
    assert page.evaluate(f"{of_body}.backgroundColor") == "rgb(22, 25, 28)"
    ink = page.locator("#figure-4 svg text").first.evaluate("text => getComputedStyle(text).fill")
    assert ink == "rgb(213, 218, 222)"
    page.emulate_media(media="print")
    assert page.evaluate(f"{of_body}.backgroundColor") == "rgb(255, 255, 255)"
    page.close()
