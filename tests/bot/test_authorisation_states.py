"""Who may do what in a study that is prepared, paused or closed, where that differs from an open one.

What people press and send was made while the study was open: messages and forms stay, whatever the study becomes.
"""

from collections.abc import Mapping

import pytest

from storage.schema.states import StudyState
from storage.schema.tables import Study
from tests.bot.payloads.actions import ACTIONS
from tests.bot.payloads.bot_at_once import bot_at_once
from tests.bot.payloads.cast import ROLES
from tests.bot.test_authorisation import TABLE, Stage

pytestmark = pytest.mark.long

BEFORE_IT_OPENS = ("stranger", "invited", "admin", "researcher", "slackbot")
"""Who there can be before a study opens."""

DIFFERENCES: Mapping[StudyState, Mapping[str, str]] = {
    StudyState.PREPARED: {
        "opens Messages": "s.        s. .",
        "opens Home": "ss        ss .",
        "asks for the status": "ss        ss .",
        "writes help": "ss        ss .",
        "writes start": "ss        ss .",
        "writes tune": "ss        ss .",
        "writes time": "ss        ss .",
        "writes history": "ss        ss .",
        "writes cancel": "ss        s- .",
        "writes finish": "ss        ss .",
        "writes leave": "ss        ss .",
        "writes a configuration": "ss        ss .",
        "/study invite": "--        -s .",
        "/study open": "--        -s .",
        "/study resume": "--        -s .",
        "/study close": "--        -s .",
        "/study baseline": "--        -s .",
        "confirms a pause": "--        -s .",
        "pauses": "++        ss .",
        "resumes": "++        ss .",
        "pauses elsewhere": "--        -s .",
    },
    StudyState.PAUSED: {
        "opens Messages": "s.........s...",
        "opens Home": "sssssssssssss.",
        "starts": "---ss--------.",
        "asks for the status": "sssssssss-sss.",
        "writes help": "sssssssss-sss.",
        "writes start": "sssssssss-sss.",
        "writes tune": "ssssssss--sss.",
        "writes time": "sssssssss-sss.",
        "writes history": "sssssssss-sss.",
        "writes cancel": "sss---+---s--.",
        "writes finish": "sssssssss-sss.",
        "writes leave": "sssssssss-sss.",
        "writes a configuration": "sssssss-s-sss.",
        "/study invite": "-----------ss.",
        "/study open": "-----------ss.",
        "/study resume": "-----------ss.",
        "confirms a pause": "-----------ss.",
        "pauses": "++--------sss.",
        "resumes": "++--------+++.",
        "pauses elsewhere": "-----------ss.",
    },
    StudyState.CLOSED: {
        "opens Messages": "sssssssssss...",
        "opens Home": "sssssssssssss.",
        "agrees": "-------------.",
        "asks for the questions": "-------------.",
        "answers the questions": "--------------",
        "starts": "-------------.",
        "asks for the status": "sssssssssssss.",
        "asks for a form": "-------------.",
        "tunes from a trial": "-------------.",
        "opens a typed try": "-------------.",
        "opens a typed choice": "-------------.",
        "sends a try": "--------------",
        "sends a choice of values": "--------------",
        "cancels the trial": "-------------.",
        "asks for a picture": "-------------.",
        "asks for the history": "-------------.",
        "asks to finish": "-------------.",
        "chooses a trial": "--------------",
        "chooses other values": "--------------",
        "leaves": "-------------.",
        "writes help": "sssssssssssss.",
        "writes start": "sssssssssssss.",
        "writes tune": "sssssssssssss.",
        "writes time": "sssssssssssss.",
        "writes history": "sssssssssssss.",
        "writes cancel": "sssssssssss--.",
        "writes finish": "sssssssssssss.",
        "writes leave": "sssssssssssss.",
        "writes a configuration": "sssssssssssss.",
        "/study invite": "-----------ss.",
        "/study extend": "-----------ss.",
        "/study open": "-----------ss.",
        "/study resume": "-----------ss.",
        "/study close": "-----------ss.",
        "/study baseline": "-----------ss.",
        "confirms a pause": "-----------ss.",
        "confirms the end of a session": "-----------ss.",
        "confirms a withdrawal": "-----------ss.",
        "pauses": "+++++++++-sss.",
        "resumes": "+++++++++-sss.",
        "retries evaluations": "+++++++++-+++.",
        "acknowledges an alert": "+++++++++-+++.",
        "pauses elsewhere": "-----------ss.",
    },
}
"""What comes of each action where it differs, as in :data:`tests.bot.test_authorisation.TABLE`.

- Before a study opens and while it is paused, nobody is greeted. Sessions under way go on in a pause.
- When a study is closed, the links to Slack are deleted: everybody is a stranger to the bot. So whoever reads the
  report channel is an admin then, but for those who have left since the bot's start.
- Who presses a button of the admins for the first time gets a name in the log, also when nothing else is done.
"""


def enter(stage: Stage, state: StudyState) -> None:
    """Bring the study into a state, and let each action begin from there."""
    bot = stage.at_once.bot
    if state is StudyState.PREPARED:
        with bot.store.write() as transaction:
            study = transaction.need(Study, 1)
            study.state, study.opened_at = StudyState.PREPARED, None
    elif state is StudyState.PAUSED:
        bot.actions.pause("researcher-1")
    else:
        for role in ("tuning", "training", "choosing", "both"):
            participant = bot.study.person(ROLES[role])
            assert participant is not None
            bot.actions.cancel(participant.code, "researcher-1")
        bot.actions.close("researcher-1")
    stage.begin_from_here()


@pytest.mark.parametrize("state", [StudyState.PREPARED, StudyState.PAUSED, StudyState.CLOSED])
def test_a_study_that_is_not_open_differs_as_the_table_says(state):
    with bot_at_once() as at_once:
        stage = Stage(at_once)
        roles = BEFORE_IT_OPENS if state is StudyState.PREPARED else tuple(ROLES)
        made = {(action, role): stage.payload(action, role) for action in ACTIONS for role in roles}
        enter(stage, state)
        rows = {}
        for action in ACTIONS:
            came = {role: stage.send(made[action, role]) for role in roles}
            assert [answered.errors for _, answered in came.values() if answered.errors] == [], action
            rows[action] = "".join(came[role][0] if role in came else " " for role in ROLES)
    usual = {
        action: "".join(each if role in roles else " " for each, role in zip(TABLE[action], ROLES, strict=True))
        for action in ACTIONS
    }
    assert {action: row for action, row in rows.items() if row != usual[action]} == DIFFERENCES[state]
