"""What researchers see in the Home tab: the running sessions, and how far the study is."""

from slack_sdk.models.blocks import Block

from bot.blocks import context, divider, header, section
from bot.researcher import views
from storage.history import Status

_MOST_SESSIONS = 40
"""A view has 100 blocks, and a participant's own part needs room too."""

_LINES_IN_SECTION = 10


def status_blocks(status: Status | None, slots_ready: int, slots: int) -> list[Block]:
    """The study at a glance, as blocks.

    Args:
        status: The counts; none when no study is open.
        slots_ready: Slots whose worker is up.
        slots: All slots.
    """
    if status is None:
        return [header("The study"), section("No study is open at the moment."), divider()]
    counts = views.counts(status, slots_ready, slots)
    blocks: list[Block] = [header("The study"), section("\n".join(counts))]
    running = [views.line(each) for each in status.running]
    if not running:
        blocks.append(section("Nobody is tuning at the moment."))
    shown = running[: _MOST_SESSIONS * _LINES_IN_SECTION]
    blocks += [
        section("\n".join(shown[first : first + _LINES_IN_SECTION]))
        for first in range(0, len(shown), _LINES_IN_SECTION)
    ]
    if len(running) > len(shown):
        blocks.append(context(f"… and {len(running) - len(shown)} more."))
    return [*blocks, context("`/study` shows the same anywhere."), divider()]
