"""Thousands of payloads of each kind: see :mod:`tests.bot.test_any_payload`."""

import pytest

from tests.bot.payloads.bot_at_once import bot_at_once
from tests.bot.test_any_payload import KINDS, try_any
from tests.bot.test_authorisation import Stage

EXAMPLES = 3_000


@pytest.fixture(scope="module")
def stage():
    with bot_at_once() as at_once:
        yield Stage(at_once)


@pytest.mark.parametrize("kind", KINDS)
def test_anything_may_come(stage, kind):
    try_any(stage, kind, EXAMPLES)
