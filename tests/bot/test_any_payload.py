"""Whatever Slack sends: no error of the bot comes of it, and it changes nothing that the person may not change."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.payloads.actions import ACTIONS
from tests.bot.payloads.bot_at_once import bot_at_once
from tests.bot.payloads.cast import ROLES, SESSIONS
from tests.bot.payloads.mutations import mutated
from tests.bot.test_authorisation import DOES, TABLE, Stage

KINDS = ("action", "view", "/study", "event")
EXAMPLES = 50


def kind_of(listener):
    return listener.partition(" ")[0]


def may_change():
    """The roles that may change something, by listener; of all commands together, as one may become another."""
    roles = defaultdict(set)
    for name, row in TABLE.items():
        for role, came in zip(ROLES, row, strict=True):
            if came == DOES:
                roles[group_of(name)].add(role)
    return roles


def group_of(name):
    listener = ACTIONS[name].listener
    return "/study" if kind_of(listener) == "/study" else listener


MAY_CHANGE = may_change()


@pytest.fixture(scope="module")
def stage():
    with bot_at_once() as at_once:
        yield Stage(at_once)


def try_any(stage, kind, examples):
    names = [name for name, action in ACTIONS.items() if kind_of(action.listener) == kind]

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(names),
        st.sampled_from(list(ROLES)),
        st.sampled_from(SESSIONS),
        st.booleans(),
        st.data(),
    )
    def anything(name, role, other, own, data):
        owner = role if own and role in SESSIONS else other
        body = ACTIONS[name].make(stage.at_once, ROLES[role], ROLES[owner])
        came, answered = stage.send(data.draw(mutated(body), "payload"))
        assert answered.errors == []
        assert came != DOES or role in MAY_CHANGE[group_of(name)]

    anything()


@pytest.mark.parametrize("kind", KINDS)
def test_anything_may_come(stage, kind):
    try_any(stage, kind, EXAMPLES)
