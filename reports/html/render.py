"""Renders the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.figures.catalogue import plates, task_plates
from reports.figures.further import POOLED
from reports.html import methods
from reports.html.cells import ShownTable, show
from reports.html.inline import inline
from reports.html.sections import SECTIONS, Numbered, numbered, of_section, tables_of
from reports.naming import ending
from reports.results.measures import NotComputable
from reports.results.study_results import Pooled, StudyResults, TaskResults
from reports.summary import everybody_lines, primary_line, short, task_lines
from reports.tables.catalogue import counts, pooled_sheets, task_sheets
from reports.tables.columns import Sheet
from reports.wording import typographic

_ENVIRONMENT = Environment(
    loader=PackageLoader("reports.html", "template"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class ShownFigure:
    """A figure of the page; ``why`` stands in its place where it cannot be computed."""

    name: str
    label: str
    title: str
    caption: str
    svg: Markup | None
    why: str
    other: "ShownFigure | None"


@dataclass(frozen=True)
class ShownSection:
    """A section of the page."""

    name: str
    title: str
    figures: tuple[ShownFigure, ...]
    tables: tuple[ShownTable, ...]
    folded: tuple[ShownTable, ...]
    beside: tuple[ShownTable, ...] = ()


@dataclass(frozen=True)
class ShownTask:
    """A task's part of the page."""

    name: str
    end: str
    sections: tuple[ShownSection, ...]
    lines: tuple[str, ...]
    readings: tuple[tuple[str, str, str], ...]
    comments: Mapping[str, str]


def render(results: StudyResults, drawn: Mapping[str, bytes], *, written: date) -> bytes:
    """The page as a file.

    Args:
        drawn: Every figure's SVG, by its name.
        written: The one date on it that is not the study's.
    """
    several = len(results.tasks) > 1
    lines = everybody_lines(results) if several else short(results).lines
    text = _ENVIRONMENT.get_template("report.html.jinja").render(
        study=results.study,
        plan=results.registered.plan,
        primary=typographic(primary_line(results.registered.primary)),
        deviations=[typographic(each.sentence) for each in results.registered.deviations],
        lines=[typographic(line) for line in lines],
        tasks=[_task(task, ending(results, task.task), drawn) for task in results.tasks],
        several=several,
        counts=show(counts(results.counts)),
        pooled=_pooled(results, drawn),
        methods=methods.methods(results),
        written=written.isoformat(),
    )
    return text.encode()


def _task(task: TaskResults, end: str, drawn: Mapping[str, bytes]) -> ShownTask:
    figures = numbered(task_plates(task, end))
    sheets = task_sheets(task, end)
    if not end:
        sheets = {**sheets, "counts": counts(task.counts)}
    return ShownTask(
        name=task.task,
        end=end,
        sections=tuple(
            ShownSection(
                name=f"{section.name}{end}",
                title=section.title,
                figures=tuple(_figure(each, drawn) for each in of_section(section, figures)),
                tables=_shown(tables_of(section.tables, sheets)),
                folded=_shown(tables_of(section.folded, sheets)),
                beside=_shown(tables_of(section.beside, sheets)),
            )
            for section in SECTIONS
            if of_section(section, figures)
        ),
        lines=tuple(typographic(line) for line in task_lines(task)),
        readings=tuple(methods.readings(task)),
        comments=task.comments.texts,
    )


def _pooled(results: StudyResults, drawn: Mapping[str, bytes]) -> ShownSection | None:
    if not isinstance(results.pooled, Pooled):
        return None
    figure = Numbered("Figure P", plates(results)[POOLED])
    return ShownSection(
        "all-tasks",
        "All tasks together",
        (_figure(figure, drawn),),
        _shown(tuple(pooled_sheets(results.pooled).values())),
        (),
    )


def _shown(sheets: tuple[Sheet, ...]) -> tuple[ShownTable, ...]:
    return tuple(show(sheet) for sheet in sheets)


def _figure(figure: Numbered, drawn: Mapping[str, bytes]) -> ShownFigure:
    plate = figure.plate
    other = None if figure.other is None else _figure(figure.other, drawn)
    if isinstance(plate.content, NotComputable):
        why = typographic(plate.content.why)
        return ShownFigure(plate.name, figure.label, plate.title, "", None, why, other)
    svg = inline(drawn[plate.name], plate.name, plate.alt)
    return ShownFigure(plate.name, figure.label, plate.title, typographic(plate.caption), svg, "", other)
