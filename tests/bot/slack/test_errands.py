"""Long work is done step by step: it lets others go first, survives errors, and ends soon when the bot is closed."""

import logging
import threading

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.slack import errands
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.error_reporting import ErrorReporter
from bot.slack.rate_limiter import CallNotMade, Limit, Priority, RateLimiter, on_terms
from tests.bot.alarms import Alarms

PATIENCE = 20.0
DELETE = "chat.delete"
NEVER = 3600.0


@pytest.fixture
def alarms():
    return Alarms()


@pytest.fixture
def limiter():
    return RateLimiter({DELETE: Limit(4, seconds=NEVER)})


@pytest.fixture
def tasks(alarms, limiter):
    tasks = BackgroundTasks(ErrorReporter(alarms), limiter)
    yield tasks
    tasks.close(flush=0)


@pytest.fixture
def at_once(monkeypatch):
    """What failed is tried again at once."""
    monkeypatch.setattr(errands, "_RETRY_SECONDS", (0.0, 0.0))


class Steps:
    """Steps that are noted, and fail as often as a test says."""

    def __init__(self):
        self.done = []
        self.fails = {}
        self.changed = threading.Condition()

    def step(self, name):
        def do():
            with self.changed:
                self.done.append(name)
                self.changed.notify_all()
                left = self.fails.get(name, [])
                if left:
                    raise left.pop()

        return do

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.done) >= count, PATIENCE), self.done


@pytest.fixture
def steps():
    return Steps()


def new_threads(before, name):
    """Other bots in this process may have threads with such names."""
    return [each for each in threading.enumerate() if each not in before and each.name.startswith(name)]


def refused(error, status_code=200):
    answer = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data={"error": error},
        headers={},
        status_code=status_code,
    )
    return SlackApiError("", answer)


def test_an_error_of_one_step_does_not_stop_the_others_and_is_made_up_for(tasks, alarms, steps, at_once):
    steps.fails = {1: [OSError(), TimeoutError()], 3: [refused("service_unavailable", 503)]}
    tasks.run_errand("deleting", [steps.step(number) for number in range(5)])
    steps.wait_for(8)
    assert steps.done == [0, 1, 2, 3, 4, 1, 3, 1]
    assert alarms.told == []


def test_what_fails_for_good_is_told_once(tasks, alarms, steps, at_once):
    steps.fails = {1: [OSError()] * 3, 2: [refused("cant_delete_message")], 3: [OSError()] * 3}
    told = []
    tasks.run_errand("deleting", [steps.step(number) for number in range(5)], tell=told.append)
    steps.wait_for(9)
    tasks.close(flush=PATIENCE)
    assert sorted(steps.done) == [0, 1, 1, 1, 2, 3, 3, 3, 4]
    assert alarms.told == [("deleting", "SlackApiError")]
    assert len(told) == 1


def test_steps_that_cannot_be_read_end_their_errand_and_no_other(tasks, alarms, steps):
    def broken():
        yield steps.step(0)
        raise RuntimeError("no more")

    tasks.run_errand("reading", broken())
    tasks.run_errand("writing", [steps.step(1), steps.step(2)])
    steps.wait_for(3)
    tasks.close(flush=PATIENCE)
    assert alarms.told == [("reading", "RuntimeError")]


def test_errands_take_turns(tasks, steps, monkeypatch):
    monkeypatch.setattr(errands, "_THREADS", 1)
    begun, all_there = threading.Event(), threading.Event()

    def first():
        begun.set()
        all_there.wait(PATIENCE)

    tasks.run_errand("holding", [first])
    assert begun.wait(PATIENCE)
    for name in ("a", "b"):
        tasks.run_errand(name, [steps.step(f"{name}{number}") for number in range(3)])
    all_there.set()
    steps.wait_for(6)
    assert steps.done == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_between_two_steps_those_who_are_being_answered_go_first(tasks, steps, monkeypatch):
    monkeypatch.setattr(errands, "_LONGEST_YIELD", PATIENCE)
    answering, answered = threading.Event(), threading.Event()

    def somebody_presses():
        tasks.answer("opening a form", lambda: answering.set() or answered.wait(PATIENCE), person="U1")
        assert answering.wait(PATIENCE)

    def looked_at():
        with steps.changed:
            steps.done.append("answered")
        answered.set()

    tasks.run_errand("deleting", [somebody_presses, steps.step("deleted")])
    assert answering.wait(PATIENCE)
    tasks.answer("opening a form", looked_at, person="U2")
    steps.wait_for(2)
    assert steps.done == ["answered", "deleted"]


def test_with_people_at_every_moment_an_errand_goes_on(tasks, steps, monkeypatch):
    monkeypatch.setattr(errands, "_LONGEST_YIELD", 0.01)
    answered = threading.Event()
    tasks.answer("opening a form", lambda: answered.wait(PATIENCE), person="U1")
    tasks.run_errand("deleting", [steps.step(number) for number in range(3)])
    steps.wait_for(3)
    answered.set()


def test_an_errand_never_uses_up_a_limit_and_comes_after_everybody(limiter):
    for _ in range(2):
        with on_terms(Priority.ERRAND, timeout=0), limiter.turn(DELETE):
            pass
    with pytest.raises(CallNotMade), on_terms(Priority.ERRAND, timeout=0), limiter.turn(DELETE):
        pass
    for _ in range(2):
        with on_terms(timeout=0), limiter.turn(DELETE):
            pass


def test_a_bot_that_is_closed_ends_its_errands_soon_and_says_what_is_left(tasks, limiter, steps, caplog):
    before = threading.enumerate()

    def delete():
        with limiter.turn(DELETE):
            steps.step("deleted")()

    tasks.run_errand("deleting the messages", [delete] * 22)
    steps.wait_for(2)  # Slack's limit allows no more of them now
    caplog.set_level(logging.INFO)
    tasks.close(flush=0)
    assert not new_threads(before, "errand-")
    assert "not finished, because the bot is closing: deleting the messages (" in caplog.text
    assert len(steps.done) <= 4
    tasks.run_errand("inviting", [steps.step("invited")])
    tasks.answer("opening", steps.step("opened"), person="U1")
    tasks.reply("replying", steps.step("replied"), person="U1")
    tasks.post("posting", steps.step("posted"))
    tasks.run("going on", steps.step("gone on"))
    assert set(steps.done) == {"deleted"}


def test_while_a_bot_is_closed_what_is_left_goes_at_once(tasks, limiter, steps):
    def delete():
        with limiter.turn(DELETE):
            steps.step("deleted")()

    tasks.run_errand("deleting the messages", [delete] * 4)
    steps.wait_for(2)  # the other half of the limit is for people
    tasks.close(flush=PATIENCE)
    assert steps.done == ["deleted"] * 4


def test_a_bot_that_is_closed_does_not_wait_for_a_limit_that_slack_has_set(tasks, limiter):
    before, paused = threading.enumerate(), threading.Event()

    def refused_by_slack():
        paused.set()
        with limiter.turn(DELETE):
            pass

    limiter.slow_down(DELETE, NEVER)
    tasks.post("deleting", refused_by_slack)
    assert paused.wait(PATIENCE)
    tasks.close(flush=0)
    assert not new_threads(before, "post")


def test_nothing_else_takes_the_threads_of_answers(tasks, steps):
    go_on = threading.Event()

    def long_work():
        go_on.wait(PATIENCE)

    for _ in range(100):
        tasks.post("posting", long_work)
        tasks.run("going on", long_work)
        tasks.reply("replying", long_work, person="somebody else")
        tasks.make_files("making files", long_work, tell=str)
        tasks.run_errand("deleting", [long_work])
    for number in range(20):
        tasks.answer("opening a form", steps.step(number), person=f"U{number}")
    steps.wait_for(20)
    go_on.set()
