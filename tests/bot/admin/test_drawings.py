"""A post that two threads draw at the same time ends with the newest drawing, and neither waits for the other."""

import threading

import pytest

from bot.admin.drawings import Drawings

PATIENCE = 20.0


def test_one_drawing_is_made_once():
    drawn = []
    Drawings().draw("1", lambda: drawn.append("drawn"))
    assert drawn == ["drawn"]


def test_of_two_at_the_same_time_the_last_draws_once_more():
    drawings, shown, data = Drawings(), [], ["old"]
    reading, go_on = threading.Event(), threading.Event()

    def slowly():
        seen = data[0]
        reading.set()
        assert go_on.wait(PATIENCE)
        shown.append(seen)

    slow = threading.Thread(target=drawings.draw, args=("1", slowly))
    slow.start()
    assert reading.wait(PATIENCE)
    data[0] = "new"
    drawings.draw("1", lambda: shown.append(data[0]))  # it does not wait
    drawings.draw("2", lambda: shown.append("another post"))
    go_on.set()
    slow.join(PATIENCE)
    assert shown == ["new", "another post", "old", "new"]


def test_after_an_error_a_post_can_be_drawn():
    drawings, drawn = Drawings(), []

    def fail():
        raise OSError("Slack is away")

    with pytest.raises(OSError, match="away"):
        drawings.draw("1", fail)
    drawings.draw("1", lambda: drawn.append("drawn"))
    assert drawn == ["drawn"]
