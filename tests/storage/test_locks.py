"""One process holds the lock of a database, and it is free at once when that process ends, however that happens."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from storage.locks import FileLock, Taken, lock_of, locked
from tests.storage.databases import BOTH
from tests.storage.postgresql import end_sessions

HOLD = """
import sys
from storage.locks import lock_of
lock = lock_of(sys.argv[1])
lock.take()
print("taken")
sys.stdin.read()
"""
CHILD = """
import subprocess, sys
from storage.locks import lock_of
lock = lock_of(sys.argv[1])
lock.take()
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=0)
print(child.pid)
sys.stdin.read()
"""


@pytest.fixture(params=BOTH)
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'not there yet' / 'study.db'}"
    return request.getfixturevalue("postgresql").new()


@contextmanager
def another_process(url, program=HOLD):
    """A process that holds the lock; with what it has printed."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process, process.stdout.readline().decode().strip()
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_second_process_is_told_who_holds_the_lock_and_since_when(url):
    with another_process(url) as (process, said):
        assert said == "taken"
        with pytest.raises(Taken) as taken, locked(url):
            pass
    assert taken.value.holder.process == process.pid
    assert taken.value.holder.machine == os.uname().nodename
    assert taken.value.holder.since.startswith("20")


def test_the_lock_is_free_at_once_when_its_process_is_killed(url):
    for _ in range(2):
        with another_process(url) as (process, said):
            assert said == "taken"
            process.send_signal(signal.SIGKILL)
            process.wait()
            with locked(url):
                pass


def test_a_lock_that_was_given_back_can_be_taken_again(url):
    lock = lock_of(url)
    for _ in range(2):
        lock.take()
        lock.check()
        lock.release()
        lock.release()
    with another_process(url) as (_, said):
        assert said == "taken"


def test_a_process_that_was_started_meanwhile_does_not_hold_the_lock_on(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with another_process(url, CHILD) as (process, child):
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.kill(int(child), 0)  # it lives on
        with locked(url):
            pass


def test_two_names_of_one_file_are_one_database(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with (
        locked(f"sqlite:///{tmp_path / 'study.db'}"),
        pytest.raises(Taken),
        locked(f"sqlite:///{tmp_path}/link/study.db"),
    ):
        pass


def test_a_database_in_memory_needs_no_lock():
    with locked("sqlite://"), locked("sqlite://"):
        pass


def test_a_lock_whose_file_was_deleted_is_taken_again(tmp_path):
    path = tmp_path / "study.db.lock"
    lock = FileLock(path)
    lock.take()
    path.unlink()
    lock.check()
    with pytest.raises(Taken):
        FileLock(path).take()


def test_a_lock_whose_file_was_deleted_and_that_another_has_taken_is_lost(tmp_path):
    path = tmp_path / "study.db.lock"
    lock, other = FileLock(path), FileLock(path)
    lock.take()
    path.unlink()
    other.take()
    with pytest.raises(Taken):
        lock.check()


@pytest.mark.long
def test_a_lock_on_postgresql_whose_connection_was_lost_is_taken_again(postgresql):
    url = postgresql.new()
    lock = lock_of(url)
    lock.take()
    end_sessions(url)
    lock.check()
    with pytest.raises(Taken), locked(url):
        pass
    lock.release()


@pytest.mark.long
def test_a_lock_on_postgresql_that_another_has_taken_is_lost(postgresql):
    url = postgresql.new()
    lock = lock_of(url)
    lock.take()
    end_sessions(url)
    with another_process(url) as (process, _):
        with pytest.raises(Taken) as taken:
            lock.check()
        assert taken.value.holder.process == process.pid
    lock.check()
    lock.release()


@pytest.mark.long
def test_databases_of_one_server_have_a_lock_each(postgresql):
    with locked(postgresql.new()), locked(postgresql.new()):
        pass
