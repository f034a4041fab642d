"""A plan in sentences: the test, who takes part, and how many people are needed."""

from reports.planning.design import ALL, ANY, Design, Different
from reports.planning.registered_tests import RegisteredTest
from reports.planning.results import Needed, Plan, PowerLine
from reports.results.measures import Estimate, Interval
from reports.wording import listed, number, people, percent, whole

_TESTS = {
    RegisteredTest.SPEARMAN: "Spearman’s correlation of months of experience with final accuracy (two-sided, ",
    RegisteredTest.KRUSKAL_WALLIS: "Kruskal–Wallis’ test of final accuracy between all groups (",
    RegisteredTest.MANN_WHITNEY: "Mann–Whitney’s test of final accuracy between each two groups (two-sided, ",
    RegisteredTest.LEVENE: "Levene’s test of the spread of final accuracy around the mean, between each two groups (",
    RegisteredTest.BROWN_FORSYTHE: "Brown and Forsythe’s test of the spread of final accuracy around the median, "
    "between each two groups (",
}


def what(design: Design) -> str:
    """The test, its level, and what counts as found."""
    test = f"{_TESTS[design.test]}α = {whole(design.alpha)})"
    if not design.test.is_of_pairs:
        return f"{test}."
    counted = {ANY: "one pair differs at least", ALL: "every pair differs"}.get(
        design.outcome, f"{design.outcome.replace('-', ' and ')} differ"
    )
    return f"{test}. It is found when {counted}, after Holm’s correction."


def recruits(design: Design) -> str:
    """Where people's months and accuracies come from."""
    if all(isinstance(effect, Different) for effect in design.effects):
        return "Accuracies lie between 0 and 100 %, with the means and standard deviations of the groups (beta)."
    return design.recruits.source


def simulated(plan: Plan) -> str:
    """How the numbers were made, and how far they may be from the truth."""
    if plan.fixed:
        names, sizes = listed(plan.groups), " : ".join(str(people) for people in plan.groups.values())
        shares = f"Each study has its groups ({names}) in the shares {sizes}."
    else:
        shares = "People come as they come, whatever their group."
    return (
        f"{number(plan.studies, 0)} simulated studies at each number of people, seed {plan.seed}. {shares} "
        "In brackets: 95 % intervals for the error of the simulation, not of the assumed effect."
    )


def finds_too_much(plan: Plan) -> str:
    """A warning where the test finds what is not there more often than its level says; empty where it does not."""
    for each in plan.without_effect:
        if isinstance(each.power.interval, Interval) and each.power.interval.low > plan.alpha:
            return (
                f"With {people(each.people)} this test finds an effect that is not there in "
                f"{percent(each.power.value, 1)} of the studies, more often than α says."
            )
    return ""


def power(given: Estimate) -> str:
    """Such as “96.1 % (95.7 to 96.5)”."""
    ends = given.interval
    told = f" ({number(100 * ends.low)} to {number(100 * ends.high)})" if isinstance(ends, Interval) else ""
    return f"{number(100 * given.value)} %{told}"


def needed(given: Needed, line: PowerLine, plan: Plan) -> str:
    """Such as “21 (20 to 21)”, or “more than 1 000”."""
    if given.people is None:
        return "–" if line.is_none else f"more than {number(plan.most, 0)}"
    if given.high is None:
        return f"{number(given.people, 0)} ({number(given.low or given.people, 0)} or more)"
    if given.low == given.high:
        return number(given.people, 0)
    return f"{number(given.people, 0)} ({number(given.low or given.people, 0)} to {number(given.high, 0)})"


def summary(plan: Plan) -> str:
    """How many people each effect needs, in one sentence."""
    told = []
    for line in plan.lines:
        if line.is_none:
            continue
        counts = listed(f"{needed(each, line, plan)} for {percent(each.power)}" for each in line.needed)
        told.append(f"{line.label}: {counts}")
    return f"People needed: {'; '.join(told)}."
