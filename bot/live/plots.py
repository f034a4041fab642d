"""Shows loss curves in the best form that the workspace accepts: makes pictures, and remembers what was refused.

The live feed and the messages that are posted with a plot share one :class:`Plots`, so that what one of them learns,
the other knows.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from slack_sdk.errors import SlackApiError, SlackObjectFormationError
from slack_sdk.models.blocks import Block

from bot.live.forms import Form, FormsTaken, LivePlots, Shown, show
from bot.live.pictures import Pictures
from bot.slack.client import PacedClient
from bot.slack.error_reporting import REFUSED_BLOCKS, may_pass
from bot.slack.rate_limiter import CallNotMade
from reports.figures.loss_plot import LossCurves, draw

logger = logging.getLogger(__name__)

T = TypeVar("T")

REFUSAL_REMEMBERED = 600.0
"""Seconds for which a form is not tried again after lasting refusals: no scope, no such block."""

FAILURE_REMEMBERED = 60.0
"""Seconds for which pictures are not tried again after uploads failed for a reason that may pass."""

_FOR_ALL = frozenset({"missing_scope", "not_allowed_token_type", "storage_limit_reached", "team_access_not_granted"})
"""Slack's errors for an upload that hold for every other upload too."""


class Attempt:
    """One attempt to send a message.

    Args:
        forms: The forms that can be tried, the best one first.
    """

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms
        self.form = Form.TEXT_ONLY

    def show(
        self, curves: LossCurves | None, picture: Shown | None = None, among: Collection[Form] = tuple(Form)
    ) -> Sequence[Block]:
        """Choose the best form in which there is something to show.

        Args:
            curves, picture: As in :func:`bot.live.forms.show`.
            among: The forms with curves that the message may have.

        Returns:
            The blocks that show the curves; :attr:`form` is their form from now on.
        """
        for form in self._forms:
            blocks = show(form, curves, picture) if form in among or form >= Form.WITHOUT else None
            if blocks is not None:
                self.form = form
                return blocks
        return ()


class Plots:
    """Makes the pictures of one workspace, and sends messages in the form that it accepts. Safe from any thread.

    Args:
        client: The client with the bot's token.
        on_failure: Called with the subject and the error when something goes wrong, at most every ten minutes for the
            same error.
        wanted: Returns how losses are to be shown.
    """

    def __init__(
        self,
        client: PacedClient,
        on_failure: Callable[[str, Exception], None],
        wanted: Callable[[], LivePlots] = LivePlots,
    ) -> None:
        self.pictures = Pictures(client)
        self.wanted = wanted
        self.forms = FormsTaken()
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._reported: dict[tuple[str, str], float] = {}

    def upload(self, subject: str, file_name: str, curves: LossCurves, abandon: Callable[[], bool]) -> str | None:
        """Draw the curves and upload the picture, on the terms of :func:`bot.slack.rate_limiter.on_terms`.

        Returns:
            The file's id; ``None`` when pictures cannot be uploaded now. The failure is reported then.

        Raises:
            CallNotMade: It was abandoned.
        """
        if not self.forms.takes(Form.PICTURE):
            return None
        try:
            file_id = self.pictures.upload(file_name, draw(curves), abandon)
        except CallNotMade:
            raise
        except Exception as error:  # noqa: BLE001 - without pictures the study goes on
            kind = code_of(error) or type(error).__name__
            seconds = FAILURE_REMEMBERED if may_pass(error) else REFUSAL_REMEMBERED
            self.forms.failed(Form.PICTURE, "upload", kind, seconds=seconds, certain=kind in _FOR_ALL)
            self.report(subject, error, about=Form.PICTURE.name)
            return None
        self.forms.succeeded(Form.PICTURE, "upload")
        return file_id

    def in_best_form(self, subject: str, send: Callable[[Attempt], T]) -> T:
        """Send a message in the best form that Slack accepts.

        Args:
            subject: What the message is about, for reports.
            send: Sends the message with the blocks that :meth:`Attempt.show` gives; without any where the attempt's
                form is ``TEXT_ONLY``. It is called again when Slack refuses them.

        Returns:
            What ``send`` returned.

        Raises:
            SlackApiError: Slack refuses the message for another reason than its blocks, or without any.
        """
        forms = [form for form in Form if self.forms.takes(form)]
        refusals: list[tuple[Form, Exception]] = []
        while True:
            attempt = Attempt(forms)
            try:
                answer = send(attempt)
            except (SlackApiError, SlackObjectFormationError) as error:
                if code_of(error) not in REFUSED_BLOCKS or attempt.form is Form.TEXT_ONLY:
                    raise
                refusals.append((attempt.form, error))
                forms = [form for form in forms if form > attempt.form]
                continue
            self._learn(subject, attempt.form, refusals)
            return answer

    def report(self, subject: str, error: Exception, about: str | None = None) -> None:
        """Log an error. Call ``on_failure``, unless it was called for the same error in the last ten minutes."""
        what = code_of(error) or repr(error)
        key, now = (about or subject, what), time.monotonic()
        with self._lock:
            known = now - self._reported.get(key, float("-inf")) < REFUSAL_REMEMBERED
            if not known:
                self._reported = {each: at for each, at in self._reported.items() if now - at < REFUSAL_REMEMBERED}
                self._reported[key] = now
        logger.warning("%s could not be shown as wanted: %s", subject, what, exc_info=None if known else error)
        if not known:
            try:
                self._on_failure(subject, error)
            except Exception:
                logger.exception("The failure of %s could not be reported.", subject)

    def _learn(self, subject: str, accepted: Form, refusals: list[tuple[Form, Exception]]) -> None:
        """Count the forms that were refused before one was accepted, unless the rest of the message was at fault."""
        self.forms.succeeded(accepted, "message")
        for refused, error in refusals:
            if accepted <= Form.WITHOUT and refused < Form.WITHOUT:
                self.forms.failed(refused, "message", str(code_of(error)), seconds=REFUSAL_REMEMBERED)
                self.report(subject, error, about=refused.name)
            else:
                self.report(subject, error)


def code_of(error: Exception) -> str | None:
    """Slack's name of the error. The SDK itself refuses some blocks that Slack would refuse as ``invalid_blocks``."""
    if isinstance(error, SlackObjectFormationError):
        return "invalid_blocks"
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else None
