"""The forms in which a message shows loss curves, the best one first, and which of them the workspace accepts now."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from slack_sdk.models.blocks import Block, ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile

from bot.live.line_chart import as_chart_blocks, as_text_block
from reports.figures.loss_plot import LossCurves

IN_A_ROW = 3
"""A form is given up for a while after so many failures of the same kind in a row. Fewer mean that one file was odd."""


Step = Literal["upload", "message"]
"""The steps that may fail: a file is uploaded, and a message with it, or with a chart, is sent."""


class Form(IntEnum):
    """The form in which curves are shown. Each is tried when Slack refuses the one before."""

    PICTURE = 0
    CHART = 1
    NUMBERS = 2
    WITHOUT = 3
    """The message without its curves."""
    TEXT_ONLY = 4
    """No blocks at all: the rest of the message was refused too."""


LiveForm = Literal["chart", "picture", "repost"]
"""The form of running trials' losses.

``chart``: Slack's line charts, updated in place. ``picture``: a picture that is brought by an update, which not every
workspace shows. ``repost``: numbers, updated in place, and a picture that is posted anew now and then.
"""


@dataclass(frozen=True)
class LivePlots:
    """How losses are to be shown.

    Attributes:
        form: The form of running trials' losses.
        file_ids: Whether an update that brings a picture names it in ``file_ids`` too.
        posted: Whether people see the picture in a message that is posted with it. Otherwise results have charts.
    """

    form: LiveForm = "chart"
    file_ids: bool = False
    posted: bool = True


@dataclass(frozen=True)
class Shown:
    """The picture that a message shows: its file in Slack, and the curves in it."""

    file_id: str
    curves: LossCurves


def show(form: Form, curves: LossCurves | None, picture: Shown | None) -> Sequence[Block] | None:
    """The blocks that show curves in this form; ``None`` when they cannot be shown in it.

    Args:
        form: The form.
        curves: The curves; ``None``: there are none.
        picture: The picture that the message can show; it may be older than the curves.
    """
    if form >= Form.WITHOUT:
        return ()
    if curves is None:
        return None
    match form:
        case Form.PICTURE:
            return None if picture is None else (picture_block(picture),)
        case Form.CHART:
            return as_chart_blocks(curves) or None
        case _:
            return (as_text_block(curves),)


def picture_block(picture: Shown) -> ImageBlock:
    """The block with a picture. Each has its own ``block_id``: under a known one, clients may show the old picture."""
    return ImageBlock(
        alt_text=picture.curves.alt_text,
        slack_file=SlackFile(id=picture.file_id),
        block_id=f"losses-{picture.file_id}",
    )


class FormsTaken:
    """Remembers for some time which forms failed. Failures are counted by their kind. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._avoided_until: dict[Form, float] = {}
        self._failures: dict[tuple[Form, Step, str], int] = {}

    def takes(self, form: Form) -> bool:
        """Whether to try this form now. ``TEXT_ONLY`` is always tried."""
        with self._lock:
            until = self._avoided_until.get(form, float("-inf"))
        return form is Form.TEXT_ONLY or until <= time.monotonic()

    def failed(self, form: Form, step: Step, kind: str, *, seconds: float, certain: bool = False) -> None:
        """Count a failure. After ``IN_A_ROW`` of one kind without a success, the form is not tried for some time.

        Args:
            form, step: The form, and the step towards it that failed.
            kind: The kind of failure, such as Slack's name of the error.
            seconds: How long the form is not tried then.
            certain: Whether every other message would fail too, so that one failure is enough.
        """
        with self._lock:
            count = self._failures[form, step, kind] = self._failures.get((form, step, kind), 0) + 1
            if count >= IN_A_ROW or certain:
                self._avoided_until[form] = time.monotonic() + seconds

    def succeeded(self, form: Form, step: Step) -> None:
        """A step succeeded: its failures so far were not in a row."""
        with self._lock:
            self._failures = {key: count for key, count in self._failures.items() if key[:2] != (form, step)}
