"""What a pilot found, in sentences."""

from reports.pilot.measures import Pilot
from reports.wording import counted, number, percent


def verdict(pilot: Pilot) -> str:
    """Whether the task is fit, and if not, why."""
    told = (
        f"Over {counted(len(pilot.settings), 'setting')} with {counted(len(pilot.seeds), 'seed')} each, accuracies "
        f"differ by {number(pilot.between_settings)} points (standard deviation) between settings and by "
        f"{number(pilot.between_seeds)} points between seeds; the best setting has {number(pilot.best)} % on average. "
        f"Up to {number(pilot.guessing)} % may be guessed: {percent(pilot.dead)} of the trials do no better."
    )
    if pilot.is_fit:
        return f"{told}\n{pilot.task} is fit to measure skill, on this machine and in this time."
    reasons = " ".join(each.why for each in pilot.findings if not each.fit)
    return f"{told}\n{pilot.task} is not fit to measure skill here: take it for demonstration only. {reasons}"
