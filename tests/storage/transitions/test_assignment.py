"""People are assigned tasks and arms as the study's secret says: over restarts, at once, from several processes."""

import subprocess
import sys
from collections import Counter

import pytest

from storage import events
from storage.allocation import Stratum, commitment_of, disagreements
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import EventKind
from storage.transitions import participants, sessions, studies
from storage.transitions.assignment import assignments, commitment, published_secret

TASKS = ("digits", "flowers", "birds")
ARMS = ("control", "hints")

JOINS = """
import sys
from datetime import UTC, datetime
from storage.database import Store
from storage.transitions import participants
store, name = Store(sys.argv[1]), sys.argv[2]
now = datetime(2030, 3, 1, tzinfo=UTC)
for number in range(6):
    who = participants.invite(store, slack_user=f"U{name}{number}", slack_channel=f"D{name}{number}", now=now)
    participants.consent(store, who.id, consent_hash="c", now=now)
    told = {"months": 6.0, "education": "", "answers": {}, "group": "medium"}
    participants.describe(store, who.id, **told, tasks=("digits", "flowers"), arms=("control", "hints"), now=now)
"""
"""A process in which six people tell their experience."""


def secret_of(lab) -> str:
    return studies.newest_study(lab.store).assignment_secret


def study_of(lab):
    return studies.newest_study(lab.store)


@pytest.fixture
def two_arms(lab):
    lab.arms = ARMS
    return lab


def test_tasks_are_assigned_in_balanced_blocks_within_each_group(lab):
    lab.tasks = TASKS
    given = {group: [] for group in ("medium", "novice")}
    for _ in range(6):
        for group in ("medium", "novice", "medium"):
            given[group].append(lab.described(group=group).task)
    for group, tasks in given.items():
        counts = Counter(tasks)
        assert max(counts.values()) - min(counts[task] for task in TASKS) <= 3
        sequence = Stratum("task", (group,), TASKS).sequence
        listed = [each for each in assignments(lab.store, study_of(lab).id) if each.sequence == sequence]
        assert [(each.number, each.option) for each in listed] == list(enumerate(tasks, start=1))
    assert disagreements(assignments(lab.store, study_of(lab).id), secret_of(lab)) == []
    event = events.read(lab.store, kind=EventKind.TASK_ASSIGNED)[0]
    assert (event.participant, event.details) == ("P001", {"task": given["medium"][0]})


def test_arms_are_assigned_within_a_group_and_a_task_and_go_with_the_session(two_arms):
    lab = two_arms
    lab.tasks, lab.seats = ("digits", "flowers"), 99
    people = [lab.described(group=group) for _ in range(8) for group in ("novice", "expert")]
    strata = Counter((each.block_group, each.task, each.arm) for each in people)
    for group in ("novice", "expert"):
        for task in lab.tasks:
            assert abs(strata[group, task, "control"] - strata[group, task, "hints"]) <= 3
    assert disagreements(assignments(lab.store, study_of(lab).id), secret_of(lab)) == []
    assert [lab.begin(each).arm for each in people] == [each.arm for each in people]
    assert len(events.read(lab.store, kind=EventKind.ARM_ASSIGNED)) == len(people)


def test_with_one_task_and_no_arms_nothing_is_drawn_and_the_log_says_nothing(lab):
    people = [lab.described() for _ in range(2)]
    assert [(each.task, each.arm) for each in people] == [("digits", None)] * 2
    assert assignments(lab.store, study_of(lab).id) == []
    assert events.read(lab.store, kind=EventKind.TASK_ASSIGNED) == []
    assert events.read(lab.store, kind=EventKind.ARM_ASSIGNED) == []


def test_the_secret_is_made_when_the_study_is_prepared_and_stays(empty_lab):
    lab = empty_lab
    secret = lab.prepare(rules="a").assignment_secret
    assert len(secret) == 64
    assert lab.prepare(rules="b").assignment_secret == secret
    assert lab.open(rules="b").assignment_secret == secret
    assert lab.prepare(rules="b").assignment_secret == secret  # the bot is started again


def test_a_study_that_was_prepared_before_studies_had_a_secret_gets_one(empty_lab):
    lab = empty_lab
    lab.prepare()
    with lab.store.write() as transaction:
        transaction.merge(study_of(lab)).assignment_secret = None
    lab.prepare()
    assert len(secret_of(lab)) == 64


def test_the_secret_is_published_when_the_study_is_closed_and_its_hash_before(two_arms):
    lab = two_arms
    lab.described()
    assert commitment(study_of(lab)) == commitment_of(secret_of(lab))
    assert published_secret(study_of(lab)) is None
    assert secret_of(lab) not in " ".join(each.model_dump_json() for each in events.read(lab.store))
    closed = studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert published_secret(closed) == secret_of(lab)


def test_a_restart_changes_nothing(two_arms, make_url):
    lab = two_arms
    before = [lab.described().arm for _ in range(3)]
    again = Store(lab.store.engine.url.render_as_string(hide_password=False))
    lab.store, first = again, lab.store
    after = [lab.described().arm for _ in range(3)]
    sequence = Stratum("arm", ("medium", "digits"), ARMS).sequence
    listed = assignments(again, study_of(lab).id)
    assert [each.option for each in listed if each.sequence == sequence] == before + after
    lab.store = first
    again.close()


def test_people_who_tell_their_experience_at_the_same_moment_take_one_place_each(two_arms, at_once):
    lab = two_arms
    people = [lab.invite() for _ in range(6)]
    for each in people:
        participants.consent(lab.store, each.id, consent_hash="c", now=lab.now)

    def describes(participant_id: int):
        def describe():
            told = {"months": 6.0, "education": "", "answers": {}, "group": "medium"}
            return participants.describe(lab.store, participant_id, **told, tasks=("digits",), arms=ARMS, now=lab.now)

        return describe

    twice = [describes(each.id) for each in (*people, people[0])]  # somebody presses twice
    answers = at_once(*twice)
    assert sum(isinstance(each, Refused) for each in answers) == 1
    listed = assignments(lab.store, study_of(lab).id)
    assert [each.number for each in listed] == [1, 2, 3, 4, 5, 6]
    assert disagreements(listed, secret_of(lab)) == []


def test_two_processes_assign_as_one_would(own_store, lab_of):
    lab = lab_of(own_store)
    url = own_store.engine.url.render_as_string(hide_password=False)
    started = [subprocess.Popen([sys.executable, "-c", JOINS, url, name]) for name in ("A", "B")]
    assert [each.wait() for each in started] == [0, 0]
    listed = assignments(own_store, study_of(lab).id)
    assert sum(each.sequence.startswith("task/medium") for each in listed) == 12
    assert sum(each.sequence.startswith("arm/medium") for each in listed) == 12
    assert disagreements(listed, secret_of(lab)) == []


def test_a_place_stays_taken_when_somebody_leaves_and_their_data_is_deleted(two_arms):
    lab = two_arms
    lab.seats = 9
    sessions_of = [lab.begin(lab.described()) for _ in range(3)]
    lab.withdraw(sessions_of[1], delete_data=True)
    assert lab.described().arm == assignments(lab.store, study_of(lab).id)[3].option
    assert disagreements(assignments(lab.store, study_of(lab).id), secret_of(lab)) == []


def test_other_options_begin_a_sequence_of_their_own(lab):
    lab.tasks = ("digits", "flowers")
    lab.described()
    lab.tasks = TASKS  # an amendment has added a task
    lab.described()
    listed = assignments(lab.store, study_of(lab).id)
    assert {(each.sequence, each.number) for each in listed} == {
        ("task/medium: digits, flowers", 1),
        ("task/medium: digits, flowers, birds", 1),
    }
    assert disagreements(listed, secret_of(lab)) == []


def test_a_study_without_a_secret_goes_on_as_it_began(lab):
    """It opened before studies had one: its blocks have one size, and their order follows from a seed."""
    with lab.store.write() as transaction:
        transaction.merge(study_of(lab)).assignment_secret = None
    lab.tasks = TASKS
    given = [lab.described().task for _ in range(6)]
    assert given == ["birds", "digits", "flowers", "birds", "flowers", "digits"]
    assert assignments(lab.store, study_of(lab).id) == []
    assert commitment(study_of(lab)) is None
    lab.arms = ARMS
    with pytest.raises(ValueError, match="without a secret"):
        lab.described()


def test_the_session_of_a_study_without_arms_has_none(lab):
    assert sessions.get(lab.store, lab.seated().id).arm is None
