"""``blackmagic plan``: the power of the study's test, and how many people it needs, before anybody is asked."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.commands.database import Unusable, told
from bot.commands.study_source import study_source
from reports.planning.registered_tests import RegisteredTest
from storage.database import Store
from storage.schema.states import StudyState
from storage.transitions import studies

if TYPE_CHECKING:
    from reports.planning.design import Effect
    from reports.planning.recruits import Recruits
    from reports.planning.results import Plan
    from reports.results.measures import Estimate

EXAMPLES = """Examples:

blackmagic plan   (the paper's 31 people and its test, for its correlation and half of it)

blackmagic plan --rho 0.4,0.2 --people 40,60,80 --figure power.png

blackmagic plan --groups 20,20,20 --test kruskal-wallis --means 40,55,65 --sds 30,25,15

blackmagic plan --groups with=20,without=20 --test mann-whitney --means 60,50 --sds 25,25

blackmagic plan --test levene --sds 30,25,12 --pairs novice-expert

blackmagic plan --bundle bundle.zip --json   (people as in a study that there was)
"""

_FIGURES = (".png", ".svg", ".pdf")


def plan(
    test: Annotated[
        RegisteredTest, typer.Option(help="The test; the default is the paper's: months against accuracy.")
    ] = RegisteredTest.SPEARMAN,
    people: Annotated[
        str, typer.Option(metavar="N,N,…", help="Say the power for so many people; by default for all groups'.")
    ] = "",
    groups: Annotated[
        str,
        typer.Option(
            metavar="N,N,…",
            help="The people of each group, also as NAME=N; other numbers of people keep their shares.",
        ),
    ] = "",
    rho: Annotated[
        str, typer.Option(metavar="R,R,…", help="Effects: Spearman's correlation of months with accuracy.")
    ] = "",
    means: Annotated[
        str, typer.Option(metavar="M,M,…", help="The effect instead: each group's mean accuracy in percent.")
    ] = "",
    sds: Annotated[str, typer.Option(metavar="S,S,…", help="Each group's standard deviation, in points.")] = "",
    pairs: Annotated[
        str, typer.Option(metavar="any|all|A-B", help="Which pairs of groups have to differ, after Holm's correction.")
    ] = "any",
    alpha: Annotated[float, typer.Option(help="The level of the test.")] = 0.05,
    studies_: Annotated[
        int, typer.Option("--studies", metavar="N", help="Studies to simulate at each number of people.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 0,
    most: Annotated[int, typer.Option(metavar="N", help="Look at no more people than this.")] = 1_000,
    study: Annotated[
        Path | None, typer.Option(metavar="STUDY.TOML", help="People as in this study, not as in the paper.")
    ] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="People as in this database.")] = None,
    bundle: Annotated[Path | None, typer.Option(metavar="FILE.zip", help="People as in this bundle.")] = None,
    name: Annotated[str | None, typer.Option(help="Which study of the database; the newest, unless named.")] = None,
    task: Annotated[str | None, typer.Option(help="Which task of the study, where it has several.")] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it (.png, .svg or .pdf).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every number as JSON.")] = False,
) -> None:
    """Say the power of a test, and how many people it needs for 80 and 90 %, by simulated studies.

    Each is analysed by the functions of the report. Without options: the paper's design.
    """
    with told(nothing="Nothing was planned."):
        _check_figure(figure)
        asked = tuple(sorted({int(each) for each in _numbers("--people", people, int)}))
        group_sizes = _groups(groups)
        given = [_numbers(option, text, float) for option, text in (("--rho", rho), ("--means", means), ("--sds", sds))]
        # Imported here: these bring scipy, and a mistake in what was typed should be told at once.
        from reports.planning.design import Design, NotPlannable
        from reports.planning.search import plan as simulate

        recruits = _recruits(study, database, bundle, name, task)
        if group_sizes:
            recruits = recruits.with_groups(group_sizes)
        design = Design(
            test=test,
            effects=_effects(test, recruits, *given),
            recruits=recruits,
            fixed=test is not RegisteredTest.SPEARMAN or bool(group_sizes),
            people=asked or (recruits.people,),
            outcome=pairs,
            alpha=alpha,
            studies=studies_,
            seed=seed,
            most=most,
        )
        try:
            with _progress() as show:
                found = simulate(design, show)
        except NotPlannable as error:
            raise Unusable(str(error)) from None
        _tell(found, figure, as_json=as_json)


# --- what was typed ---------------------------------------------------------------------------------------------------


def _numbers(option: str, text: str, kind: type[int] | type[float]) -> list[float]:
    try:
        return [kind(part) for part in text.split(",")] if text.strip() else []
    except ValueError:
        example = "31,40" if kind is int else "0.6,0.3"
        raise Unusable(f"{option} {text}: please write numbers with commas between them, such as {example}.") from None


def _groups(text: str) -> list[tuple[str | None, int]]:
    found: list[tuple[str | None, int]] = []
    for part in text.split(",") if text.strip() else ():
        name, equals, size = part.rpartition("=")
        if not size.strip().isdecimal() or bool(equals) != bool(name.strip()):
            raise Unusable(f"--groups {text}: please write sizes, such as 8,12,11 or with=20,without=20.")
        found.append((name.strip() or None, int(size)))
    return found


def _check_figure(figure: Path | None) -> None:
    if figure is None:
        return
    if figure.suffix.lower() not in _FIGURES:
        raise Unusable(f"{figure} does not say which kind of figure it is. It ends in .png, .svg or .pdf.")
    if not figure.parent.is_dir():
        raise Unusable(f"There is no folder {figure.parent} to write {figure.name} to.")


def _recruits(
    study: Path | None, database: str | None, bundle: Path | None, name: str | None, task: str | None
) -> "Recruits":
    """People as in the paper, or as in the study that was named."""
    from reports.data.load import load
    from reports.planning.recruits import of_study, paper

    if sum(each is not None for each in (study, database, bundle)) > 1:
        raise Unusable("Give one of --study, --database and --bundle.")
    if study is None and database is None and bundle is None:
        if name is not None or task is not None:
            raise Unusable("Say with --study, --database or --bundle whose people are meant.")
        return paper()
    with study_source(study, database, bundle, name) as (store, study_id):
        data = load(store, study_id)
        if task is None and len(data.tasks) > 1:
            raise Unusable(f"This study has several tasks. Choose one with --task: {', '.join(data.tasks)}.")
        if task is not None and task not in data.tasks:
            raise Unusable(f"This study has no task “{task}”. It has: {', '.join(data.tasks)}.")
        found = of_study(data, task or data.tasks[0], closed=_is_closed(store, study_id))
    if not found.groups:
        raise Unusable(
            "Fewer than three people have finished this study, so their months say little. Without --study, "
            "--database and --bundle people are as in the paper."
        )
    return found


def _is_closed(store: Store, study_id: int | None) -> bool:
    """Whether the study's accuracies may be read: while it runs, a correlation would be a look at its result."""
    chosen = studies.current_study(store) or studies.newest_study(store)
    if study_id is not None:
        chosen = studies.get(store, study_id)
    return chosen is not None and chosen.state is StudyState.CLOSED


def _effects(
    test: RegisteredTest, recruits: "Recruits", rho: list[float], means: list[float], sds: list[float]
) -> tuple["Effect", ...]:
    from reports.planning.design import Correlated, Different
    from reports.planning.recruits import PAPER_MEAN, PAPER_RHO

    if rho and (means or sds):
        raise Unusable("Give the effect as --rho, or as --means and --sds.")
    if means and not sds:
        raise Unusable("--means needs --sds: a standard deviation of accuracy for each group, such as 30,25,15.")
    if sds:
        return (Different(tuple(means or [PAPER_MEAN] * len(sds)), tuple(sds)),)
    if rho:
        return tuple(Correlated(each) for each in rho)
    if test.is_of_spreads:
        raise Unusable("This test compares spreads, so give them: --sds 30,25,15 (and --means, where they differ).")
    if recruits.observed:
        return tuple(Correlated(case.rho, case.what) for case in recruits.observed)
    return (Correlated(PAPER_RHO, "the paper’s"), Correlated(PAPER_RHO / 2, "half of it"))


# --- what is told -----------------------------------------------------------------------------------------------------


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=1.0)
        yield lambda share, what: bar.update(shown, completed=share, description=what)


def _tell(found: "Plan", figure: Path | None, *, as_json: bool) -> None:
    from reports.planning.figure import power_figure
    from reports.results.as_json import to_json

    if figure is not None:
        kinds = power_figure(found).files()
        figure.write_bytes(next(content for kind, content in kinds.items() if figure.suffix.lower() == f".{kind}"))
    if as_json:
        sys.stdout.write(to_json(found))
        return
    _print(found)
    if figure is not None:
        print(f"The figure is in {figure}.")


def _outcomes(outcomes: Mapping[str, "Estimate"]) -> Table:
    from reports.planning.sentences import power

    table = Table("pairs", "power")
    for name, each in outcomes.items():
        table.add_row(name, power(each))
    return table


def _print(found: "Plan") -> None:
    from reports.planning.sentences import finds_too_much, needed, power, simulated
    from reports.wording import number, percent

    console = Console(highlight=False)
    console.print(found.what)
    console.print(found.recruits)
    table = Table("people", *(line.label for line in found.lines), "no effect")
    for place, without in enumerate(found.without_effect):
        powers = (f"power {power(line.asked[place].power)}" for line in found.lines)
        table.add_row(number(without.people, 0), *powers, f"found {power(without.power)}")
    table.add_section()
    for place, wanted in enumerate(found.lines[0].needed):
        counts = (needed(line.needed[place], line, found) for line in found.lines)
        table.add_row(f"for {percent(wanted.power)}", *counts, "–")
    console.print(table)
    for line in found.lines:
        for each in line.asked:
            if len(each.outcomes) > 1:
                console.print(f"{each.people} people, {line.label}:")
                console.print(_outcomes(each.outcomes))
    console.print(simulated(found))
    if warning := finds_too_much(found):
        console.print(warning)
