"""The researcher's part of the Home tab: the running sessions, and how far the study is."""

from slack_sdk.models.blocks import Block

from bot.researcher.views.status import counts, line, sections
from bot.slack.block_kit import context, divider, header, section
from storage.queries.history import Status

_MOST_SESSIONS = 400
"""A view has 100 blocks, and a participant's own part needs room too."""


def status_blocks(status: Status | None, slots_ready: int, slots: int) -> list[Block]:
    """The study at a glance, as blocks.

    Args:
        status: The counts; none when there is no study.
        slots_ready: Slots whose worker is up.
        slots: All slots.
    """
    if status is None:
        return [header("The study"), section("No study is open at the moment."), divider()]
    blocks: list[Block] = [header("The study"), section("\n".join(counts(status, slots_ready, slots)))]
    running = [line(each) for each in status.running]
    blocks += sections(running[:_MOST_SESSIONS] or ["Nobody is tuning at the moment."])
    if len(running) > _MOST_SESSIONS:
        blocks.append(context(f"… and {len(running) - _MOST_SESSIONS} more."))
    return [*blocks, context("`/study` does more, anywhere in Slack: `/study help`."), divider()]
