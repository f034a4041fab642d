"""The watchdog starts dead threads again, tells what does not go on, and stops the bot when neither helps."""

import threading

import pytest

from bot.runner import watchdog
from bot.runner.scheduler import Pulse
from bot.runner.watchdog import GIVE_UP_AFTER, MOST_RESTARTS, Threads, Watchdog
from bot.slack.lasting_thread import LastingThread

PATIENCE = 20


class Watched:
    def __init__(self):
        self.threads, self.others, self.pulses = [], {}, {}
        self.told, self.stopped = [], []
        self.deaths = 0
        self.watchdog = Watchdog(
            Threads(lambda: self.threads, lambda: self.pulses, frozenset({"sweeping"}), lambda: self.others),
            tell=self.told.append,
            stop=self.stopped.append,
        )

    def look(self, times=1):
        for _ in range(times):
            self.watchdog.look()


@pytest.fixture
def watched():
    return Watched()


def dies(watched):
    def loop():
        watched.deaths += 1
        raise MemoryError

    return loop


def test_a_thread_that_has_died_is_started_again_and_told(watched):
    lived, go_on = threading.Event(), threading.Event()

    def loop():
        watched.deaths += 1
        if watched.deaths == 1:
            raise MemoryError
        lived.set()
        go_on.wait(PATIENCE)

    thread = LastingThread("jobs", loop)
    thread.start()
    thread.join(PATIENCE)
    watched.threads = [thread]
    watched.look()
    assert lived.wait(PATIENCE)
    assert watched.told == ["The thread jobs had ended, and was started again. The log says why."]
    watched.look()
    assert watched.watchdog.troubles == ()
    go_on.set()


def test_a_thread_that_was_not_started_or_has_done_its_work_is_left_alone(watched):
    done = LastingThread("done", lambda: None)
    done.start()
    done.join(PATIENCE)
    watched.threads = [done, LastingThread("not started", lambda: None)]
    watched.look(3)
    assert (watched.told, watched.stopped, watched.watchdog.troubles) == ([], [], ())


def test_a_thread_that_dies_again_and_again_stops_the_bot(watched):
    thread = LastingThread("jobs", dies(watched))
    thread.start()
    watched.threads = [thread]
    for _ in range(MOST_RESTARTS + 3):
        thread.join(PATIENCE)
        watched.look()
    assert watched.deaths == MOST_RESTARTS + 1
    (sentence,) = watched.stopped
    assert "the thread jobs has ended 6 times within 10 minutes" in sentence


def test_a_machine_that_can_start_no_thread_is_told_once_and_tried_until_it_can(watched, monkeypatch):
    started = threading.Event()

    def loop():
        watched.deaths += 1
        if watched.deaths == 1:
            raise MemoryError
        started.set()

    thread = LastingThread("jobs", loop)
    thread.start()
    thread.join(PATIENCE)
    watched.threads = [thread]
    works = threading.Thread.start

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    watched.look(5)
    (sentence,) = watched.told
    assert "can start no thread now" in sentence
    assert watched.watchdog.troubles == ("the thread jobs",)
    monkeypatch.setattr(threading.Thread, "start", works)
    watched.look()
    assert started.wait(PATIENCE)
    assert not watched.stopped


def test_without_threads_for_long_the_bot_stops(watched, monkeypatch):
    thread = LastingThread("jobs", dies(watched))
    thread.start()
    thread.join(PATIENCE)
    watched.threads = [thread]

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    watched.look(int(GIVE_UP_AFTER) + 1)
    assert len(watched.stopped) == 1


def test_what_does_not_go_on_is_told_once_and_again_when_it_happens_again(watched, caplog):
    watched.pulses = {"looking at the disk": Pulse(7, 60)}
    watched.look(60)
    assert watched.told == []
    watched.look(1000)
    assert watched.told == ["Looking at the disk has not gone on for 60 s. The log says what every thread does."]
    assert "MainThread" in caplog.text
    assert watched.stopped == []  # the bot is of use without it
    assert watched.watchdog.troubles == ("looking at the disk",)
    watched.pulses = {"looking at the disk": Pulse(8, 60)}
    watched.look()
    assert watched.watchdog.troubles == ()
    watched.look(60)
    assert len(watched.told) == 2


def test_the_bot_stops_when_what_it_needs_does_not_go_on(watched):
    watched.pulses = {"sweeping": Pulse(7, 60)}
    watched.look(int(GIVE_UP_AFTER))
    assert not watched.stopped
    watched.look(2)
    (sentence,) = watched.stopped
    assert "because sweeping has not gone on for 600 s" in sentence
    assert "What was stored is kept" in sentence


def test_a_thread_that_cannot_be_started_again_stops_the_bot(watched):
    watched.others = {"a thread of the connection to Slack": False}
    watched.look(3)
    (sentence,) = watched.stopped
    assert "a thread of the connection to Slack has ended" in sentence


def test_the_watchdog_goes_on_after_an_error_of_its_own(watched, monkeypatch):
    monkeypatch.setattr(watchdog, "TURN_SECONDS", 0.01)
    looks = threading.Semaphore(0)

    def fail():
        looks.release()
        raise RuntimeError

    watched.watchdog._threads = Threads(fail, dict, frozenset(), dict)
    watched.watchdog.start()
    for _ in range(3):
        assert looks.acquire(timeout=PATIENCE)
    watched.watchdog.close()
    assert not watched.watchdog.thread.is_alive()
