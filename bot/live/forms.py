"""The forms in which a message shows loss curves, the best one first, and which of them the workspace accepts now."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from slack_sdk.models.blocks import Block, ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile

from bot.live.line_chart import as_chart_block, as_text_block
from reports.figures.loss_plot import LossCurves


class Form(IntEnum):
    """The form in which curves are shown. Each is tried when Slack refuses the one before."""

    IMAGE = 0
    CHART = 1
    NUMBERS = 2
    TEXT_ONLY = 3
    """No blocks at all: the rest of the message was refused too."""


@dataclass(frozen=True)
class Shown:
    """The picture that a message shows: its file in Slack, and the curves in it."""

    file_id: str
    curves: LossCurves


def show(form: Form, curves: LossCurves | None, picture: Shown | None) -> Block | None:
    """The block that shows the curves in this form; ``None`` when there is nothing to show."""
    if curves is None or form is Form.TEXT_ONLY:
        return None
    if form is Form.IMAGE:
        if picture is None:
            return None
        # Every picture has its own block_id: under a known one, Slack's clients may keep showing the old picture.
        return ImageBlock(
            alt_text=picture.curves.alt_text,
            slack_file=SlackFile(id=picture.file_id),
            block_id=f"losses-{picture.file_id}",
        )
    chart = as_chart_block(curves) if form is Form.CHART else None
    return chart or as_text_block(curves)


class FormsTaken:
    """Remembers for some time which forms Slack refused. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._avoided_until: dict[Form, float] = {}

    def avoid(self, form: Form, seconds: float) -> None:
        """Do not try this form for this many seconds."""
        with self._lock:
            self._avoided_until[form] = time.monotonic() + seconds

    def best(self) -> Form:
        """The best form to try now."""
        return next(self.to_try())

    def to_try(self) -> Iterator[Form]:
        """The forms to try now, the best one first; ``TEXT_ONLY`` is always the last one."""
        now = time.monotonic()
        with self._lock:
            forms = [form for form in Form if self._avoided_until.get(form, now) <= now or form is Form.TEXT_ONLY]
        return iter(forms)
