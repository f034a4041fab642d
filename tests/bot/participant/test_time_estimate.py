"""How long a trial will take is known for any number of epochs that the form accepts."""

from datetime import timedelta

import pytest

from bot.participant.time_estimate import times
from training.numbers import LARGEST_COUNT


@pytest.mark.parametrize(
    ("duration", "factor", "product"),
    [
        (timedelta(seconds=2), 1.5, timedelta(seconds=3)),
        (timedelta(days=1), LARGEST_COUNT, timedelta(days=3650)),
        (timedelta(0), LARGEST_COUNT, timedelta(0)),
    ],
)
def test_a_duration_times_a_number_is_ten_years_at_most(duration, factor, product):
    assert times(duration, factor) == product
