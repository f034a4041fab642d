"""Keeps a post new that several threads draw at the same time. None of them waits for another one's call to Slack."""

from collections.abc import Callable
from threading import Lock


class Drawings:
    """The drawings of posts that are under way. Safe from any thread.

    Two drawings of a post at the same time may arrive in the other order, and then the older one stays. So the one that
    ends last draws once more.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[str, int] = {}
        self._met: set[str] = set()

    def draw(self, post: str, draw: Callable[[], object]) -> None:
        """Draw a post; usually once.

        Args:
            post: The post's ts.
            draw: Reads what is to be shown, and calls Slack. What it raises is raised.
        """
        again = True
        while again:
            with self._lock:
                self._under_way[post] = self._under_way.get(post, 0) + 1
                if self._under_way[post] > 1:
                    self._met.add(post)
            try:
                draw()
            finally:
                again = self._end(post)

    def _end(self, post: str) -> bool:
        """Note that a drawing has ended. Returns whether it was the last of several."""
        with self._lock:
            self._under_way[post] -= 1
            if self._under_way[post]:
                return False
            del self._under_way[post]
            was_met = post in self._met
            self._met.discard(post)
            return was_met
