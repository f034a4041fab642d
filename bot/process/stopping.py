"""How the process of the bot is stopped: by signals, and when it does not end by itself."""

import faulthandler
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_CLOSING = (
    "The bot is closing already, and takes less than a minute. The next signal ends it at once: what is stored is "
    "kept, and people get the time back at the next start.\n"
)


class StopSignals:
    """Ctrl-C and SIGTERM, from now on.

    The first one stops the bot; while it starts, it stops what it does. The second one changes nothing, and says so.
    The third one ends the process.
    """

    def __init__(self) -> None:
        self._stop: Callable[[], object] = lambda: None
        self._is_up = False
        self._count = 0
        for number in _SIGNALS:
            signal.signal(number, self._received)

    def starting(self, stop: Callable[[], object]) -> None:
        """From now on there is something to stop."""
        self._stop = stop

    def started(self) -> None:
        """The bot has started. If a signal has come meanwhile, it is stopped."""
        self._is_up = True
        if self._count:
            self._stop()

    def _received(self, _: int, __: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            self._stop()
            if not self._is_up:
                sys.exit(0)
        else:
            os.write(2, _CLOSING.encode())  # the log may be in the middle of a line
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)


def end_within(seconds: float) -> None:
    """End the process after so many seconds with exit code 1, if it still runs then, and say what each thread does."""
    with suppress(RuntimeError, ValueError, AttributeError, io.UnsupportedOperation):
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)


def ended() -> None:
    """The process ends by itself."""
    faulthandler.cancel_dump_traceback_later()
