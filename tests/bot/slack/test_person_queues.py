"""Of each person only some tasks run and wait, and people take turns."""

import threading

import pytest

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.error_reporting import TOO_MANY, ErrorReporter
from bot.slack.person_queues import PersonQueues, Place
from bot.slack.rate_limiter import Limit, RateLimiter
from tests.bot.alarms import Alarms

PATIENCE = 20.0
OPEN = "views.open"


@pytest.fixture
def queues():
    queues = PersonQueues("test", threads=1, at_a_time=1, most_waiting=3)
    yield queues
    queues.close()


class Stage:
    """Tasks that are noted. The first of them can be held."""

    def __init__(self):
        self.done = []
        self.changed = threading.Condition()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def hold(self):
        self.begun.set()
        assert self.go_on.wait(PATIENCE)

    def task(self, name):
        def do():
            with self.changed:
                self.done.append(name)
                self.changed.notify_all()

        return do

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.done) >= count, PATIENCE), self.done


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def held(queues, stage):
    """Queues whose only thread is busy with a task of A."""
    assert queues.add("A", stage.hold) is Place.TAKEN
    assert stage.begun.wait(PATIENCE)
    return queues


def test_people_take_turns_and_each_ones_tasks_keep_their_order(held, stage):
    for person in "AB":
        for number in range(3):
            held.add(person, stage.task(f"{person}{number}"))
    stage.go_on.set()
    stage.wait_for(6)
    assert stage.done == ["B0", "A0", "B1", "A1", "B2", "A2"]


def test_of_one_person_only_some_wait(held, stage):
    assert [held.add("A", stage.task(number)) for number in range(5)] == [*[Place.TAKEN] * 3, *[Place.FULL] * 2]
    assert held.waiting("A") == 3
    assert held.waiting("B") == 0
    assert held.add("A", stage.task("submitted"), must=True) is Place.TAKEN
    assert held.add("B", stage.task("B")) is Place.TAKEN
    stage.go_on.set()
    stage.wait_for(5)
    assert stage.done == ["B", 0, 1, 2, "submitted"]
    held.close()
    assert held.add("A", stage.task("late")) is Place.CLOSED


def test_a_newer_task_takes_the_place_of_a_waiting_one_with_its_key(held, stage):
    held.add("A", stage.task("old"), key="form")
    held.add("A", stage.task("next"))
    assert held.add("A", stage.task("new"), key="form") is Place.REPLACED
    held.add("B", stage.task("another's"), key="form")
    stage.go_on.set()
    stage.wait_for(3)
    assert stage.done == ["another's", "new", "next"]


def test_what_was_given_is_done_before_the_queues_are_closed(held, stage):
    for person in "AB":
        for number in range(3):
            held.add(person, stage.task(f"{person}{number}"))
    stage.go_on.set()
    held.close()
    assert sorted(stage.done) == ["A0", "A1", "A2", "B0", "B1", "B2"]


def test_of_one_person_only_some_run_at_the_same_time():
    queues = PersonQueues("test", threads=3, at_a_time=2, most_waiting=3)
    begun, go_on, others = threading.Semaphore(0), threading.Event(), threading.Event()

    def hold():
        begun.release()
        assert go_on.wait(PATIENCE)

    for _ in range(3):
        queues.add("A", hold)
    assert begun.acquire(timeout=PATIENCE)
    assert begun.acquire(timeout=PATIENCE)
    queues.add("B", others.set)
    assert others.wait(PATIENCE)
    assert not begun.acquire(blocking=False)
    go_on.set()
    queues.close()
    assert begun.acquire(blocking=False)


@pytest.fixture
def alarms():
    return Alarms()


def tasks_within(alarms, **limits):
    limiter = RateLimiter({method: Limit(calls) for method, calls in limits.items()})
    return BackgroundTasks(ErrorReporter(alarms), limiter), limiter


def test_nobody_uses_more_than_a_share_of_a_limit_and_hears_it_at_once(alarms):
    tasks, limiter = tasks_within(alarms, **{OPEN: 20})
    opened, told, looked = [], [], threading.Semaphore(0)

    def opening(person):
        def do():
            try:
                with limiter.turn(OPEN):
                    opened.append(person)
            finally:
                looked.release()

        return do

    for _ in range(8):
        tasks.answer("opening a form", opening("A"), person="A", tell=told.append)
        assert looked.acquire(timeout=PATIENCE)
    tasks.answer("opening a form", opening("B"), person="B", tell=told.append)
    tasks.close(flush=PATIENCE)
    assert opened == ["A"] * 5 + ["B"]
    assert told == [TOO_MANY] * 3
    assert alarms.told == []  # it concerns nobody but A


def test_a_reply_that_waits_for_slack_holds_no_answer(alarms):
    tasks, limiter = tasks_within(alarms, **{"chat.postMessage": 100, OPEN: 100})
    limiter.slow_down("chat.postMessage", 3600)
    opened = threading.Event()

    def post():
        with limiter.turn("chat.postMessage"):
            pass

    for number in range(100):
        person = f"U{number}"
        tasks.answer("answering", lambda person=person: tasks.reply("replying", post, person=person), person=person)
    tasks.answer("opening a form", opened.set, person="U0")
    assert opened.wait(PATIENCE)
    tasks.close(flush=0)


def test_who_writes_faster_than_slack_takes_replies_is_told_once_what_was_left_out(alarms):
    tasks, _ = tasks_within(alarms, **{"chat.postMessage": 100})
    held, begun, posted = threading.Event(), threading.Event(), []

    def post(text):
        begun.set()
        assert held.wait(PATIENCE)
        posted.append(text)

    def write(number):
        done = threading.Event()

        def answer():
            tasks.reply("replying", lambda: post(number), person="A")
            done.set()

        tasks.answer("answering", answer, person="A", tell=post)
        return done

    assert write(0).wait(PATIENCE)
    assert begun.wait(PATIENCE)  # one is being posted, and eight wait
    for number in range(1, 9):
        assert write(number).wait(PATIENCE)
    left_out = [write(number) for number in range(9, 60)]
    held.set()
    tasks.close(flush=PATIENCE)
    assert not any(each.is_set() for each in left_out)
    assert posted == [*range(9), TOO_MANY]
    assert alarms.told == []


def test_a_task_that_ends_its_thread_takes_the_persons_other_tasks_not_with_it():
    queues, stage = PersonQueues("test", threads=1, at_a_time=1), Stage()

    def end():
        raise SystemExit

    queues.add("A", stage.hold)
    assert stage.begun.wait(PATIENCE)
    queues.add("A", end)
    queues.add("A", stage.task("after it"))
    closing = threading.Thread(target=queues.close)
    closing.start()
    while queues.add("B", lambda: None) is not Place.CLOSED:
        pass
    stage.go_on.set()
    closing.join(PATIENCE)
    assert stage.done == ["after it"]
