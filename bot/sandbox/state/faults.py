"""What goes wrong between Slack and the app now and then, as switches that can be set while the workspace runs."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """What goes wrong. By default nothing does. Every share is between 0 and 1.

    Attributes:
        method: The method whose calls meet errors and lost answers; empty: all of them.
        errors: The share of the app's calls that are answered with HTTP 500 and not carried out.
        lost_answers: The share of the app's calls that are carried out, and answered with HTTP 500 all the same.
        retry_after: Every call is answered with HTTP 429 and this number of seconds; 0: none is.
        answer_seconds: How long the answer to a call is on its way, in addition to the rules' own time.
        repeats: The share of envelopes that come twice.
        delay_seconds: An envelope comes up to so many seconds late, and a repeated one once more so much later. So
            events arrive in another order than they happened in.
    """

    method: str = ""
    errors: float = 0.0
    lost_answers: float = 0.0
    retry_after: int = 0
    answer_seconds: float = 0.0
    repeats: float = 0.0
    delay_seconds: float = 0.0

    def strikes(self, share: float) -> bool:
        """Whether a fault with this share happens now."""
        return share > 0 and random.random() < share  # noqa: S311 - not for secrets

    def strike_call(self, share: float, method: str) -> bool:
        """Whether a fault with this share happens now to a call of this method."""
        return self.method in {"", method} and self.strikes(share)

    def delay(self) -> float:
        """Seconds by which the next envelope is late."""
        return random.uniform(0, self.delay_seconds)  # noqa: S311 - not for secrets
