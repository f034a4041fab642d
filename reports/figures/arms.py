"""The figure of final accuracies by arm."""

import textwrap
from functools import partial

from reports.figures import people, style
from reports.figures.plate import Plate
from reports.results.arms import Arms
from reports.results.measures import NotComputable
from reports.results.paper import Box, Difference
from reports.wording import estimate, lead, listed, number, p_value

NAME = "arms"

_NAME_CHARACTERS = 14
"""An arm's name below its box is broken into lines of so many characters."""


def accuracy_by_arm(found: Arms | NotComputable, definition: str, name: str = NAME) -> Plate:
    """Final accuracies by arm, as boxes."""
    title = "Final accuracy per arm"
    if isinstance(found, NotComputable):
        return Plate(name, title, "", "", found)
    boxes = found.comparison.boxes
    known = {arm: box for arm, box in boxes.items() if isinstance(box, Box)}
    if not known:
        return Plate(name, title, "", "", NotComputable("Nobody in an arm has a final accuracy yet."))
    means = "; ".join(f"{arm} {estimate(box.mean_estimate, 1, ' %')}" for arm, box in known.items())
    missing = "".join(f" {box.why}" for box in boxes.values() if isinstance(box, NotComputable))
    compared = "".join(f" {difference}." for difference in differences(found))
    caption = f"{people.HOW_TO_READ_A_BOX} Means: {means}.{missing}{compared} {definition}"
    medians = listed(f"{arm} {number(box.median)} %" for arm, box in known.items())
    looks = {arm: style.arm_look(position) for position, arm in enumerate(boxes)}
    names = {arm: "\n".join(textwrap.wrap(arm, _NAME_CHARACTERS)) for arm in boxes}
    draw = partial(people.draw_boxes, boxes, "final test accuracy (%)", percent=True, looks=looks, names=names)
    return Plate(name, title, caption, f"Box plots of final test accuracy by arm; medians: {medians}.", draw)


def differences(found: Arms) -> list[str]:
    """How much better each arm is than each before it, in words."""
    return [
        f"{each.test.second} is {lead(each.mean)} {'of ' if each.mean.value >= 0 else ''}{each.test.first} in final "
        f"accuracy, {p_value(each.test.p)} (Mann–Whitney)"
        for each in found.comparison.differences
        if isinstance(each, Difference)
    ]
