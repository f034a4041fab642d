"""Slack's limits are used fully and never exceeded. Calls that a person waits for go first."""

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from slack_sdk import WebClient

from bot.slack.rate_limiter import CallNotMade, Limit, Priority, RateLimiter, on_terms, retry_handlers

UPDATE = "chat.update"


def in_threads(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def most_in_any_window(moments: list[float], seconds: float) -> int:
    return max(sum(start <= at < start + seconds for at in moments) for start in moments)


@dataclass
class Calls:
    """Calls as Slack would see them arrive."""

    limiter: RateLimiter
    at: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def make(self, name: str = "", priority: Priority = Priority.RESULT, channel: str | None = None) -> None:
        method = "chat.postMessage" if channel else UPDATE
        with on_terms(priority), self.limiter.turn(method, channel=channel):
            self.at.append(time.monotonic())
            self.names.append(name)


@pytest.mark.parametrize("priority", Priority)
def test_no_window_ever_sees_more_calls_than_allowed(priority: Priority) -> None:
    calls = Calls(RateLimiter({UPDATE: Limit(5, seconds=0.5)}))

    def work() -> None:
        for _ in range(4):
            calls.make(priority=priority)

    in_threads(work, work, work, work)

    assert len(calls.at) == 16
    assert most_in_any_window(calls.at, 0.5) <= 5


def test_a_slow_answer_keeps_its_place_until_a_window_after_it_came() -> None:
    limiter = RateLimiter({UPDATE: Limit(1, seconds=0.2)})

    def somebody_else() -> None:
        with pytest.raises(CallNotMade, match="turn does not come"), on_terms(timeout=0.05), limiter.turn(UPDATE):
            pass

    with limiter.turn(UPDATE):
        time.sleep(0.4)  # the call may have reached Slack at any moment of these
        in_threads(somebody_else)
        with limiter.turn(UPDATE):  # the same call: it has its turn already
            pass
    with pytest.raises(CallNotMade, match="turn does not come"), on_terms(timeout=0.05), limiter.turn(UPDATE):
        pass
    with on_terms(timeout=5), limiter.turn(UPDATE):
        pass


def test_a_result_that_comes_last_goes_before_every_frame_that_waits() -> None:
    calls = Calls(RateLimiter({UPDATE: Limit(1, seconds=0.3)}))
    calls.make("first")
    frames = [threading.Thread(target=calls.make, args=("frame", Priority.FRAME)) for _ in range(2)]
    for thread in frames:
        thread.start()
    time.sleep(0.05)
    calls.make("result")
    for thread in frames:
        thread.join(10)

    assert calls.names == ["first", "result", "frame", "frame"]


def test_frames_leave_room_so_that_results_go_at_once() -> None:
    limiter = RateLimiter({UPDATE: Limit(10, seconds=60)})
    with on_terms(Priority.FRAME, timeout=0), limiter.turn(UPDATE):
        pass
    with pytest.raises(CallNotMade), on_terms(Priority.FRAME, timeout=0), limiter.turn(UPDATE):
        pass  # the next frame is due in six seconds
    for _ in range(9):
        with on_terms(Priority.RESULT, timeout=0), limiter.turn(UPDATE):
            pass


def test_frames_are_spread_evenly_over_the_window() -> None:
    calls = Calls(RateLimiter({UPDATE: Limit(20, seconds=1.0)}))

    for _ in range(6):
        calls.make(priority=Priority.FRAME)

    gaps = [later - earlier for earlier, later in zip(calls.at, calls.at[1:], strict=False)]
    assert min(gaps) > 0.045


def test_one_busy_channel_does_not_hold_back_the_others() -> None:
    limiter = RateLimiter({"chat.postMessage": Limit(100)}, per_channel=Limit(1, seconds=60))
    with limiter.turn("chat.postMessage", channel="C1"):
        pass
    with pytest.raises(CallNotMade), on_terms(timeout=0), limiter.turn("chat.postMessage", channel="C1"):
        pass
    with on_terms(timeout=0), limiter.turn("chat.postMessage", channel="C2"):
        pass


def test_methods_have_each_a_pace_of_their_own_and_unknown_ones_none() -> None:
    limiter = RateLimiter({UPDATE: Limit(1), "files.delete": Limit(1)})
    for method in (UPDATE, "files.delete", "api.test", "api.test"):
        with on_terms(timeout=0), limiter.turn(method):
            pass


def test_after_a_refusal_the_method_rests_and_then_goes_slower() -> None:
    limiter = RateLimiter({UPDATE: Limit(4, seconds=2)})
    limiter.slow_down(UPDATE, 0.2)
    with pytest.raises(CallNotMade), on_terms(timeout=0.05), limiter.turn(UPDATE):
        pass
    for _ in range(3):
        with on_terms(timeout=1), limiter.turn(UPDATE):
            pass
    with pytest.raises(CallNotMade), on_terms(timeout=0), limiter.turn(UPDATE):
        pass


def test_closing_releases_everybody_who_waits() -> None:
    limiter = RateLimiter({UPDATE: Limit(1, seconds=60)})
    refused: list[str] = []

    def wait() -> None:
        try:
            with limiter.turn(UPDATE):
                pass
        except CallNotMade as error:
            refused.append(str(error))

    with limiter.turn(UPDATE):
        pass
    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    limiter.close()
    for thread in threads:
        thread.join(10)

    assert refused == ["chat.update was not called: the connection to Slack is being closed."] * 3


def test_bolt_may_copy_a_client_with_these_handlers_and_the_pace_stays_one() -> None:
    limiter = RateLimiter()

    client = copy.deepcopy(WebClient(token="xoxb-local", retry_handlers=retry_handlers(limiter)))

    assert client.retry_handlers[-1]._limiter is limiter


def test_a_429_is_waited_out_as_asked_and_tried_again() -> None:
    arrived: list[float] = []

    class Slack(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            arrived.append(time.monotonic())
            refuse = len(arrived) == 1
            body = b'{"ok": false, "error": "ratelimited"}' if refuse else b'{"ok": true}'
            self.send_response(429 if refuse else 200)
            if refuse:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slack) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        limiter = RateLimiter()
        client = WebClient(
            token="xoxb-local",
            base_url=f"http://127.0.0.1:{server.server_port}/api/",
            retry_handlers=retry_handlers(limiter),
        )
        with limiter.turn(UPDATE):
            assert client.chat_update(channel="C1", ts="1.0", text="hello")["ok"]
        server.shutdown()

    assert len(arrived) == 2
    assert arrived[1] - arrived[0] >= 1.0
